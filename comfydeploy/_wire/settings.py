"""The settings of one call, from its core and its options, each checked by name."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from attrs import evolve

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.deadline import Deadline
from comfydeploy.errors import Error, SDKValidationError
from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig

if TYPE_CHECKING:
    import logging

    import httpx

    from comfydeploy._wire.operation import Creates
    from comfydeploy._wire.retry import RetryPolicy
    from comfydeploy.hooks import Hooks

_CONNECT: Final = 10.0
_WRITE: Final = 60.0
_LEAST: Final = 0.001  # seconds for a request that has no time left
NEVER: Final = RetryConfig("none")
NO_OPTIONS: Final = RequestOptions()


class Settings(Protocol):
    """The configuration of a core. ``address`` is the server's, or the error that every call returns."""

    @property
    def bearer(self) -> object: ...
    @property
    def address(self) -> str | Error: ...
    @property
    def timeout(self) -> "float | httpx.Timeout | None": ...
    @property
    def retry_config(self) -> RetryConfig | None: ...
    @property
    def hooks(self) -> "Sequence[Hooks]": ...
    @property
    def debug_logger(self) -> "logging.Logger | None": ...


def time_limits(
    core: "float | httpx.Timeout | None", call: "float | httpx.Timeout | None", read: float | None
) -> dict[str, float | None]:
    """Return the limits in seconds by httpx's names: the call's, else the core's, else the default with ``read``.

    Only an ``httpx.Timeout`` limits the wait for a free connection, because waiting is not a failure.
    """
    chosen, name = (core, "timeout") if call is None else (call, "options.timeout")
    if chosen is None:
        return {"connect": _CONNECT, "read": read, "write": _WRITE, "pool": None}
    if isinstance(chosen, float | int):
        _expect(_is_seconds(chosen) and chosen > 0, name, "seconds above 0 or an httpx.Timeout", chosen)
        return {"connect": chosen, "read": chosen, "write": chosen, "pool": None}
    as_dict: Callable[[], dict[str, float | None]] | None = getattr(chosen, "as_dict", None)
    if as_dict is None:
        raise _wrong(name, "seconds above 0 or an httpx.Timeout", chosen)
    return as_dict()


def idle_limit(options: RequestOptions) -> float | None:
    """Return the seconds of silence that end a stream, or ``None`` for no limit."""
    limit = options.idle_timeout
    _expect(limit is None or (_is_seconds(limit) and limit > 0), "options.idle_timeout", "seconds above 0", limit)
    return limit


def size_limit(options: RequestOptions) -> int:
    """Return how many bytes a body that is read whole may have."""
    most = options.max_response_size
    _expect(type(most) is int and most > 0, "options.max_response_size", "bytes as an integer above 0", most)
    return most


def deadline_of(options: RequestOptions, now: float) -> Deadline | None:
    """Return the deadline of a call that begins now, or ``None`` without one."""
    seconds = options.deadline
    if seconds is None:
        return None
    _expect(_is_seconds(seconds) and seconds > 0, "options.deadline", "seconds above 0", seconds)
    return Deadline(now, now + seconds)


def retry_policy(core: RetryConfig | None, options: RequestOptions, *, creates: "Creates") -> "RetryPolicy":
    """Return the retry policy of one call: off unless the core or the call sets it, and strict for billed requests."""
    from comfydeploy._wire.fate import REFUSED
    from comfydeploy._wire.retry import READ_CODES, RetryPolicy  # most calls have none

    config, name = (core, "retry_config") if options.retries is None else (options.retries, "options.retries")
    config = NEVER if config is None else config
    if config is not NEVER:
        _check_retries(config, name)
    is_repeatable = creates == "nothing"
    codes = READ_CODES if is_repeatable else REFUSED
    if options.retry_codes is not None:
        codes = _checked_codes(options.retry_codes)
    return RetryPolicy(config, codes, is_repeatable=is_repeatable)


def checked_options(options: object) -> RequestOptions:
    """Return the options of a call, the default ones for ``None``."""
    if options is None:
        return NO_OPTIONS
    if not isinstance(options, RequestOptions):
        raise _wrong("options", "a RequestOptions", options)
    return options


def within(options: object, seconds: float | None, *, retries: bool = False) -> RequestOptions:
    """Return the options of one request of several, sent once unless ``retries``, with its seconds as the deadline."""
    given = checked_options(options)
    deadline = None if seconds is None else max(seconds, _LEAST)
    if retries:
        return evolve(given, deadline=deadline)
    return evolve(given, retries=NEVER, retry_codes=None, idle_timeout=None, deadline=deadline)


def _checked_codes(codes: Any) -> frozenset[int]:
    try:
        found = frozenset[int](codes)
    except TypeError:
        raise _wrong("options.retry_codes", "a list of integers", codes) from None
    _expect(all(type(code) is int for code in found), "options.retry_codes", "a list of integers", codes)
    return found


def _check_retries(config: object, name: str) -> None:
    if not isinstance(config, RetryConfig):
        raise _wrong(name, "a RetryConfig", config)
    _expect(config.strategy in ("none", "backoff"), f"{name}.strategy", "'none' or 'backoff'", config.strategy)
    backoff: Any = config.backoff
    if not isinstance(backoff, BackoffStrategy):
        raise _wrong(f"{name}.backoff", "a BackoffStrategy", backoff)
    for field in ("initial_interval", "max_interval", "exponent", "max_elapsed_time"):
        value = getattr(backoff, field)
        _expect(_is_seconds(value), f"{name}.backoff.{field}", "a number not below 0", value)


def _is_seconds(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _expect(holds: object, name: str, expected: str, value: object) -> None:
    if not holds:
        raise _wrong(name, expected, value)


def _wrong(name: str, expected: str, value: object) -> SDKValidationError:
    reason = f"expected {expected}, got {type(value).__name__}" + (
        f" {value!r}" if isinstance(value, int | float) else ""
    )
    return invalid_argument(name, reason, value)
