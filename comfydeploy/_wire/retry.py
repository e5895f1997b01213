"""The policy of sending a request again."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from attrs import field, frozen

from comfydeploy._wire.fate import maybe_executed
from comfydeploy._wire.reply import Reply
from comfydeploy.errors import ConnectionError, Error, RequestTimeoutError
from comfydeploy.options import BackoffStrategy, RetryConfig

READ_CODES: Final = frozenset({429, 500, 502, 503, 504})


@frozen
class RetryPolicy:
    """When to send a call again: after a response with one of ``codes``, and after a connection error or time-out.

    ``is_repeatable`` is false for a request that may be sent again only if it was certainly not executed.
    """

    config: RetryConfig
    codes: Collection[int]
    is_repeatable: bool = field(kw_only=True)

    def pause(self, outcome: Reply | Error, *, attempt: int, elapsed: float) -> float | None:
        """Return the seconds to wait before the next attempt, or ``None`` when this outcome is final.

        ``attempt`` counts from 0, ``elapsed`` is in seconds since the first attempt began.
        """
        if self.config.strategy != "backoff" or not self._is_retried(outcome):
            return None
        from random import random

        backoff = self.config.backoff
        least = retry_after(outcome.headers) if isinstance(outcome, Reply) else None
        # Never faster than the backoff: a `Retry-After` of zero or of a past date would flood the server.
        pause = max(interval(backoff, attempt, random()), least or 0.0)  # noqa: S311 - jitter
        return pause if elapsed + pause <= backoff.max_elapsed_time else None

    def _is_retried(self, outcome: Reply | Error) -> bool:
        if isinstance(outcome, Reply):
            return outcome.status_code in self.codes
        return (
            isinstance(outcome, ConnectionError | RequestTimeoutError)
            and self.config.retry_connection_errors
            and (self.is_repeatable or not maybe_executed(outcome))
        )


def interval(backoff: BackoffStrategy, attempt: int, jitter: float) -> float:
    """Return the seconds to wait after an attempt, with a random number from 0 to 1 as jitter."""
    try:
        grown = backoff.initial_interval * float(backoff.exponent) ** attempt
    except OverflowError:
        grown = backoff.max_interval
    return min(grown + jitter, backoff.max_interval)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds of ``Retry-After``, a number or a date, or ``None`` without a readable one."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    date = http_date(text)
    return None if date is None else max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def http_date(text: str) -> datetime | None:
    """Return the date of a header as an aware datetime, or ``None`` for anything else."""
    from email.utils import parsedate_to_datetime  # few servers send a date that matters

    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):  # also for a year or a zone beyond all dates
        return None
