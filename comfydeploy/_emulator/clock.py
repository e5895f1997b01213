"""The emulator's only source of time."""

import asyncio
from datetime import UTC, datetime
from typing import Final


class Clock:
    """The wall clock, with waits stretched by ``pace`` (0: no waiting at all)."""

    def __init__(self, pace: float) -> None:
        if pace < 0:
            raise ValueError("pace must not be negative")
        self.pace: Final = pace

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` times the pace; at pace 0 only let others run."""
        await asyncio.sleep(seconds * self.pace)


def to_milliseconds(moment: datetime) -> str:
    """Write a moment as webhooks do: ``2026-11-23T18:59:43.726Z``."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def to_naive(moment: datetime) -> str:
    """Write a moment as session answers do, without saying that it is UTC: ``2026-11-23T18:59:43.726123``."""
    return moment.replace(tzinfo=None).isoformat()


def to_microseconds(moment: datetime) -> str:
    """Write a moment as run answers do, to the millisecond: ``2026-11-23T18:59:43.726000Z``."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "000Z"
