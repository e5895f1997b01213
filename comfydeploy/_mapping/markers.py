"""The markers of runs: ``name/journal/key/attempt``, by which the runs of a map are recognized."""

from typing import NamedTuple, Self


class Prefix:
    """All markers with the same prefix, as the keys of a search."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __contains__(self, marker: object) -> bool:
        return isinstance(marker, str) and marker.startswith(self.prefix)


class Markers(Prefix):
    """The markers of a map."""

    def __init__(self, name: str, journal: str) -> None:
        super().__init__(f"{name}/{journal}/")

    def of(self, key: str, attempt: int) -> str:
        """Return the marker of an attempt."""
        return f"{self.prefix}{key}/{attempt}"


class Marker(NamedTuple):
    """The parts of a marker. A key may contain slashes, the others do not."""

    name: str
    journal: str
    key: str
    attempt: int

    @classmethod
    def parsed(cls, text: str) -> Self | None:
        """Return the parts of a text, or ``None`` if it is not a marker."""
        name, _, rest = text.partition("/")
        journal, _, rest = rest.partition("/")
        key, _, attempt = rest.rpartition("/")
        is_marker = name and journal and key and attempt.isascii() and attempt.isdecimal() and int(attempt)
        return cls(name, journal, key, int(attempt)) if is_marker else None
