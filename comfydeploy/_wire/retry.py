"""Whether to send a request again, and when: pure, with time and dice passed in."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from comfydeploy._wire.reply import Reply
from comfydeploy.errors import ConnectionError, Error, RequestTimeoutError
from comfydeploy.options import BackoffStrategy, RetryConfig

READ_CODES: Final = frozenset({429, 500, 502, 503, 504})
# After these the server has not begun to work. A 500, 502 or 504 can hide a run that was started and billed.
CREATE_CODES: Final = frozenset({429, 503})


@frozen
class RetryPolicy:
    """When one call is sent again: ``codes`` after an answer, ``may_repeat`` after a request of unknown fate."""

    config: RetryConfig
    codes: Collection[int]
    may_repeat: bool

    def pause(self, outcome: Reply | Error, *, attempt: int, elapsed: float) -> float | None:
        """Give the seconds to wait before the next attempt, or ``None`` when this outcome stands.

        ``attempt`` counts from 0, ``elapsed`` is in seconds since the first attempt began.
        """
        if self.config.strategy != "backoff" or not self._wants(outcome):
            return None
        from random import random

        backoff = self.config.backoff
        asked = retry_after(outcome.headers) if isinstance(outcome, Reply) else None
        pause = interval(backoff, attempt, random()) if asked is None else asked  # noqa: S311 - jitter
        return pause if elapsed + pause <= backoff.max_elapsed_time else None

    def is_safe(self, outcome: Reply | Error) -> bool:
        """Tell whether a request with this outcome has surely created nothing."""
        if isinstance(outcome, Reply):
            return self.may_repeat or outcome.status_code in CREATE_CODES
        return self.may_repeat or outcome.fate == "not_sent"

    def _wants(self, outcome: Reply | Error) -> bool:
        if isinstance(outcome, Reply):
            return outcome.status_code in self.codes
        return (
            isinstance(outcome, ConnectionError | RequestTimeoutError)
            and self.config.retry_connection_errors
            and (self.may_repeat or outcome.fate == "not_sent")
        )


def interval(backoff: BackoffStrategy, attempt: int, dice: float) -> float:
    """Give the seconds to wait after an attempt, with a throw of the dice from 0 to 1."""
    try:
        grown = backoff.initial_interval * float(backoff.exponent) ** attempt
    except OverflowError:
        grown = backoff.max_interval
    return min(grown + dice, backoff.max_interval)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Give the seconds that ``Retry-After`` asks for, as a number or as a date, or ``None`` where it says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError):
        return None
