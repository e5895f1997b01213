"""The server's times, broken forms included."""

from datetime import UTC, datetime
from typing import Final

_MILLISECONDS: Final = 1e11  # as seconds this is the year 5138; ComfyUI counts in milliseconds


def moment(value: object) -> datetime | None:
    """Return a time as an aware datetime in UTC, or ``None`` for anything that is not a time.

    Takes ISO texts, also without seconds, without a zone (it is UTC) or with two (``+00Z``), and seconds or
    milliseconds since 1970.
    """
    try:
        if isinstance(value, str):
            return _read(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _read(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        if not text.endswith("Z"):
            raise
        read = datetime.fromisoformat(text[:-1])
    if read.tzinfo is UTC:
        return read
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
