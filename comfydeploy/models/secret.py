"""A text that never prints."""

from typing import Final

HIDDEN: Final = "[redacted]"
_SHORTEST: Final = 8


class Secret:
    """A text that never prints, and that only ``reveal`` gives away. It is equal to one with the same text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def removed_from(self, text: str) -> str:
        """Return a text without this secret, for one that a server sent back.

        A secret of fewer than 8 characters is left in, because it may be part of any word.
        """
        return text.replace(self._text, HIDDEN) if len(self._text) >= _SHORTEST else text


NOTHING_SECRET: Final = Secret("")
