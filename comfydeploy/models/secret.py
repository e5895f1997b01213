"""A text that never prints."""

from typing import Final

HIDDEN: Final = "[redacted]"


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
        """Give the secret itself."""
        return self._text

    def removed_from(self, text: str) -> str:
        """Give a text without this secret, as for one that a server sends back."""
        return text.replace(self._text, HIDDEN) if self._text else text


NOTHING_SECRET: Final = Secret("")
