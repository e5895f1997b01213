"""How the page writes times, durations and values."""

import json
from datetime import datetime, timedelta
from typing import Any, Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def age(time: timedelta) -> str:
    """Write the age of something, no finer than pages are renewed: ``just now``, ``20 s ago``, ``3 min ago``."""
    seconds = time.total_seconds()
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    tens = int(seconds // 10 * 10)
    return f"{tens} s ago" if tens > 0 else "just now"


def duration(time: timedelta) -> str:
    """Write a duration: ``0.42 s``, ``9.10 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d 1 h``."""
    seconds = max(0.0, time.total_seconds())
    for size, unit, part, smaller in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} {int(seconds % size // part)} {smaller}"
    return f"{seconds:.2f} s"


def clock(moment: datetime) -> str:
    """Write a time in UTC for people: ``2026-11-23 18:59:43.726``."""
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def as_json(data: Any) -> str:
    """Write data as JSON in one line."""
    return json.dumps(data, ensure_ascii=False)


def as_value(value: Any) -> str:
    """Write an input: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else as_json(value)
