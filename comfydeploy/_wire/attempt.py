"""One attempt of a call, with everything that is needed to send it."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from comfydeploy._wire.deadline import Deadline
from comfydeploy._wire.reply import Reply, media_type, unexpected
from comfydeploy._wire.request import Request
from comfydeploy.errors import SDKError
from comfydeploy.models.secret import Secret
from comfydeploy.options import RequestOptions

EVENT_STREAM = "text/event-stream"
ANYTHING = "*/*"
# A part of 64 KiB in one of them has 64 MiB at most. In others, and in several at once, it may have any size.
ENCODINGS: Final = "gzip, deflate"
# httpx's default limits: a client that has them uses ours.
_HTTPX_LIMITS: Final[dict[str, float | None]] = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)


class Attempt(NamedTuple):
    """A request to send, and how its response is read.

    ``limits`` are the seconds for each phase, by httpx's names; ``idle_limit`` is the read limit of a body that is read
    later. ``accept`` is the expected media type. ``is_lasting`` is true for a call that may keep its connection for
    minutes. ``has_default_limits`` is true where neither the core nor the call names a timeout.
    ``deadline`` is that of the call. ``is_for_storage`` is true for a request
    that gets nothing from the core or a client of the caller: no token, headers, cookies or parameters. ``max_size``
    are the bytes of a body that is read whole.
    """

    request: Request
    token: Secret
    limits: Mapping[str, float | None]
    idle_limit: float | None
    accept: str
    is_lasting: bool
    has_default_limits: bool = False
    deadline: Deadline | None = None
    is_for_storage: bool = False
    max_size: int = RequestOptions().max_response_size

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request, with the token, which is never sent to storage."""
        if self.is_for_storage:
            return dict(self.request.headers)
        return {"authorization": f"Bearer {self.token.reveal()}", **self.request.headers}

    @property
    def call(self) -> str:
        """The method and the address, for messages: without the query, which may hold a signature."""
        address = self.server if self.is_for_storage else self.request.without(self.token).url.partition("?")[0]
        return f"{self.request.method} {address}"

    @property
    def server(self) -> str:
        """The scheme, the host and the port, for messages."""
        scheme, _, rest = self.request.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0].partition('?')[0].rpartition('@')[2]}"

    def limits_beside(self, own: dict[str, float | None], now: float) -> dict[str, float | None]:
        """Return the limits for a client with its own limits, which hold where the caller chose them there alone."""
        if not self.has_default_limits or own == _HTTPX_LIMITS:
            return dict(self.limits)
        return own if self.deadline is None else self.deadline.limited(own, now)

    def body_handling(self, status_code: int, content_type: str) -> Literal["read", "keep_open", "discard"]:
        """Return what to do with the body of a response whose head has arrived.

        A stream is kept open, to be read later. An unexpected stream is not read at all: it may never end.
        """
        is_good = 200 <= status_code < 300  # noqa: PLR2004 - the class of status codes
        if is_good and self.accept == ANYTHING:
            return "keep_open"
        if media_type(content_type) != EVENT_STREAM:
            return "read"
        return "keep_open" if is_good and self.accept == EVENT_STREAM else "discard"


def is_requested(encoding: str, requested: str) -> bool:
    """Check whether a content encoding is a single one, and among those that were requested."""
    names = {name.partition(";")[0].strip() for name in f"identity,{ENCODINGS},{requested}".lower().split(",")}
    return encoding.strip().lower() in names


def too_large(reply: Reply, most: int) -> SDKError:
    """Return the error for a body that is larger than it may be."""
    return unexpected(reply, f"The body of the response is larger than {most:,} bytes (options.max_response_size)")
