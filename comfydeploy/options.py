"""The options of all calls of a core or of one call. All times are in seconds."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

if TYPE_CHECKING:
    import httpx

__all__ = ["BackoffStrategy", "RequestOptions", "RetryConfig"]


@frozen
class BackoffStrategy:
    """The wait between attempts: ``initial_interval * exponent ** attempt`` plus up to 1 s of jitter.

    No wait is longer than ``max_interval``, except for a ``Retry-After`` of the server. No attempt is made
    later than ``max_elapsed_time`` after the first. All in seconds.
    """

    initial_interval: float = 0.5
    max_interval: float = 60.0
    exponent: float = 1.5
    max_elapsed_time: float = 3600.0


@frozen
class RetryConfig:
    """Whether requests are sent again.

    Reads are sent again after the status codes 429, 500, 502, 503 and 504 and, with ``retry_connection_errors``,
    after connection errors and time-outs. A request that creates a run is sent again only if it did not
    reach the server, or after 429 and 503: otherwise a second run might be created and billed.
    """

    strategy: Literal["none", "backoff"] = "backoff"
    backoff: BackoffStrategy = BackoffStrategy()
    retry_connection_errors: bool = True


@frozen(kw_only=True)
class RequestOptions:
    """The options of one call.

    ``timeout``: seconds for each of connecting, sending and waiting for the next bytes, or an ``httpx.Timeout``.
    ``retries``: in place of the core's ``retry_config``.
    ``retry_codes``: the status codes after which to send again, in place of the default. A request that creates a run
    is sent again after these codes **although the run may exist already**.
    ``headers``: sent with the request, in place of ours of the same name.
    ``server_url``: in place of the core's server.
    ``idle_timeout``: for streams, the seconds of silence after which the stream ends with a ``RequestTimeoutError``.
    ``deadline``: seconds for the whole of the call: token, connection, upload, every attempt and pause, response,
    stream and wait. After it the call is a ``RequestTimeoutError``, or a ``DeadlineExceeded`` where a run is waited
    for. It is exact for the clients that the core makes, DNS excepted, and for async ones; with a blocking client of
    yours it is checked between the phases of a request. A blocking ``bearer`` function cannot be interrupted.
    ``max_response_size``: the bytes that a response may have after decompression; a larger one is an ``SDKError``.
    """

    timeout: "float | httpx.Timeout | None" = None
    retries: RetryConfig | None = None
    retry_codes: Collection[int] | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    server_url: str | None = None
    idle_timeout: float | None = None
    deadline: float | None = None
    max_response_size: int = 64 * 1024 * 1024
