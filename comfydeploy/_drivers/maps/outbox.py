"""Items that wait for the reader, and the signal that something in a map has changed."""

from collections import deque
from typing import TYPE_CHECKING, Final

from comfydeploy.mapping import MapItem

if TYPE_CHECKING:
    from asyncio import Event

_LEAST: Final = 500


class Outbox:
    """Holds a limited number of items, so that a map does not run ahead of its reader."""

    def __init__(self) -> None:
        self.is_closed = False
        self._most = _LEAST
        self._items: deque[MapItem] = deque()
        self._event: Event | None = None

    @property
    def has_room(self) -> bool:
        """Whether another item may be put."""
        return len(self._items) < self._most

    def limit(self, at_once: int) -> None:
        """Raise the limit to this number of items."""
        self._most = max(at_once, _LEAST)

    async def put(self, item: MapItem) -> None:
        """Add an item when there is room."""
        while not self.has_room and not self.is_closed:
            await self.wait()
        self.add(item)

    def add(self, item: MapItem) -> None:
        """Add an item at once."""
        self._items.append(item)
        self.notify()

    async def take(self) -> list[MapItem]:
        """Return the waiting items, at least one unless the outbox is closed."""
        while not self._items and not self.is_closed:
            await self.wait()
        items = list(self._items)
        self._items.clear()
        self.notify()
        return items

    def close(self) -> None:
        """Accept no more items."""
        self.is_closed = True
        self.notify()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for the next notice."""
        from asyncio import Event, timeout

        if self._event is None:
            self._event = Event()
        try:
            async with timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return

    def notify(self) -> None:
        """Wake all waiting tasks, which check their condition again."""
        if self._event is not None:
            self._event.set()
            self._event.clear()
