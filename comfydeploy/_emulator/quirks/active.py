"""The quirks that a server shows at the moment."""

from collections.abc import Collection, Iterable, Iterator

from comfydeploy._emulator.quirks.catalogue import Quirk


class ActiveQuirks(Collection[Quirk]):
    """The quirks that are on; what has begun with others, such as a stream, may end with them.

    They may be read from any thread, because each change replaces the set.
    """

    def __init__(self, quirks: Iterable[Quirk]) -> None:
        self._on = frozenset(quirks)

    def replace(self, quirks: Iterable[Quirk]) -> None:
        """Switch these on, and all others off."""
        self._on = frozenset(quirks)

    def __contains__(self, quirk: object) -> bool:
        return quirk in self._on

    def __iter__(self) -> Iterator[Quirk]:
        return iter(self._on)

    def __len__(self) -> int:
        return len(self._on)
