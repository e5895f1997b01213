"""A text that is never printed."""

from typing import Final

HIDDEN: Final = "[redacted]"
_SHORTEST: Final = 8


class Secret:
    """A text that is never printed; only ``reveal`` returns it. Secrets with the same text are equal."""

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
        """Return a text without this secret, such as a response that repeats it.

        A secret of fewer than 8 characters is not removed, because it may be part of any word.
        """
        return text.replace(self._text, HIDDEN) if len(self._text) >= _SHORTEST else text


NOTHING_SECRET: Final = Secret("")
