"""Times and sizes for people."""

from datetime import UTC, datetime
from math import inf
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_UNIT: Final = 1000


def seconds_text(seconds: float) -> str:
    """Return a duration: ``4.2 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if not _MINUTE <= seconds < inf:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR:,} h {whole % _HOUR // _MINUTE:02} min"


def time_text(time: datetime) -> str:
    """Return a time in UTC, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def size_text(size: float) -> str:
    """Return a number of bytes: ``512 B``, ``1.4 MB``."""
    for unit in ("B", "kB", "MB"):
        if size < _UNIT:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= _UNIT
    return f"{size:.1f} GB"


def counted(count: int, noun: str) -> str:
    """Return a number of things: ``1 job``, ``2,000 jobs``."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
