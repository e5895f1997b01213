"""Downloads from storage and uploads to it as state machines, without the token, cookies or headers of the caller."""

from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs, urljoin, urlsplit

from comfydeploy import __version__
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.attempt import ANYTHING, Attempt
from comfydeploy._wire.exchange import Pause
from comfydeploy._wire.reply import Reply, error_response, unexpected
from comfydeploy._wire.request import Request
from comfydeploy._wire.settings import Settings, checked_options, deadline_of, idle_limit, retry_policy, time_limits
from comfydeploy.errors import Error, InvalidRequestError, SDKError
from comfydeploy.models.output_file import OutputFile
from comfydeploy.models.run_output import MediaItem
from comfydeploy.models.secret import NOTHING_SECRET
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from comfydeploy._wire.upload import StorageUpload

Downloadable: TypeAlias = OutputFile | MediaItem | str

_AGENT: Final = {"user-agent": f"comfydeploy-python/{__version__}"}
_READ: Final = 60.0
_EMPTY: Final = ""
"""The media type of the response to an upload, whose body is read only to keep the connection."""

_ACCESS: Final = "x-amz-acl"
_REPEATS: Final = 2
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_OK: Final = 200
_NOT_THERE: Final = frozenset({400, 401, 403, 404, 410})
_EXPIRED: Final = (
    "The address of a private file expires after about an hour: read the run again (run_get) for a new one."
)


class _StorageCall:
    """The common part of both: the settings, and the next attempt after a pause. Times are of a monotonic clock."""

    def __init__(self, core: Settings, file: object, options: object, now: float) -> None:
        """Check everything; raise one of our errors for anything invalid."""
        given = checked_options(options)
        self._limits = time_limits(core.timeout, given.timeout, _READ)
        self._has_default_limits = core.timeout is None and given.timeout is None
        self._idle_limit = idle_limit(given) or self._limits["read"]
        self._policy = retry_policy(core.retry_config, given, creates="nothing")
        self._deadline = deadline_of(given, now)
        self._began = now
        self._address = self._first = checked_address(file)
        self._attempt = self._redirects = 0

    def _prepared(self, request: Request, accept: str, now: float) -> Attempt:
        limits, idle_limit = self._limits, self._idle_limit
        if self._deadline is not None:
            if self._deadline.has_passed(now):
                raise self._deadline.exceeded("before the request was sent", "not_sent")
            limits = self._deadline.limited(limits, now)
            idle_limit = self._deadline.limited({"read": idle_limit}, now)["read"]
        return Attempt(
            request,
            NOTHING_SECRET,
            limits,
            idle_limit,
            accept,
            is_lasting=True,
            has_default_limits=self._has_default_limits,
            deadline=self._deadline,
            is_for_storage=True,
        )

    def _pause(self, outcome: Reply | Error, now: float) -> Pause | None:
        pause = self._policy.pause(outcome, attempt=self._attempt, elapsed=now - self._began)
        if pause is None or (self._deadline is not None and self._deadline.has_passed(now + pause)):
            return None
        self._attempt, self._address, self._redirects = self._attempt + 1, self._first, 0
        return Pause(pause)


class StorageExchange(_StorageCall):
    """One download, from its arguments to the response whose body is the file."""

    def prepare(self, now: float) -> Attempt:
        """Return the next attempt; raise a ``RequestTimeoutError`` after the deadline."""
        return self._prepared(Request("GET", self._address, {"accept": ANYTHING, **_AGENT}), ANYTHING, now)

    def settle(self, outcome: Reply | Error, now: float) -> Reply | Error | Pause:
        """Take an outcome and return the response to read, the error, or a pause before the next attempt."""
        if isinstance(outcome, Reply):
            if outcome.status_code == _OK:
                return outcome
            if outcome.status_code in _REDIRECTS:
                return self._redirected(outcome)
        return self._pause(outcome, now) or (_refusal(outcome) if isinstance(outcome, Reply) else outcome)

    def settle_body(self, error: Error, now: float) -> Error | Pause:
        """Take the error of a body and return it, or a pause before the next attempt."""
        return self._pause(error, now) or error

    def _redirected(self, reply: Reply) -> Error | Pause:
        self._redirects += 1
        location = reply.headers.get("location")
        try:  # without a location it would be the same address again
            address = checked_address(urljoin(self._address, location) if location else "")
        except (InvalidRequestError, ValueError):  # `urljoin` raises as well
            return unexpected(reply, "The storage redirects to an invalid address")
        if self._redirects > _MOST_REDIRECTS:
            return unexpected(reply, f"The storage redirects more than {_MOST_REDIRECTS} times")
        if self._address.startswith("https:") and not address.startswith("https:"):
            return unexpected(reply, "The storage redirects from https to http, which is not followed")
        self._address = address
        return Pause(0.0)


class StorageUploadExchange(_StorageCall):
    """One upload to a signed address: storing the same file twice is harmless, so it is retried as a read is."""

    def __init__(self, core: Settings, address: str, upload: "StorageUpload", options: object, now: float) -> None:
        """Check everything; raise one of our errors for anything invalid."""
        super().__init__(core, address, options, now)
        headers = {"accept": ANYTHING, **_AGENT, **_signed_headers(self._address)}
        self._request = Request("PUT", self._address, headers, upload=upload)

    def prepare(self, now: float) -> Attempt:
        """Return the next attempt; raise a ``RequestTimeoutError`` after the deadline."""
        return self._prepared(self._request, _EMPTY, now)

    def settle(self, outcome: Reply | Error, now: float) -> Result[None, Error] | Pause:
        """Take an outcome and return the result, or a pause before the next attempt."""
        if isinstance(outcome, Reply) and outcome.is_good:
            return Success(None)
        # A storage that refuses a file may close the connection, and each attempt sends the whole file.
        pause = self._pause(outcome, now) if isinstance(outcome, Reply) or self._attempt < _REPEATS else None
        return pause or Failure(_unstored(outcome) if isinstance(outcome, Reply) else outcome)


def _signed_headers(address: str) -> dict[str, str]:
    """Return the headers that a signature requires beside those of the file: that of a public file, for S3."""
    signed = parse_qs(urlsplit(address).query).get("X-Amz-SignedHeaders", [""])[0].split(";")
    return {_ACCESS: "public-read"} if _ACCESS in signed else {}


def checked_address(file: Any) -> str:
    """Return the address of a file; raise one of our errors for anything else."""
    address = file.url if isinstance(file, OutputFile | MediaItem) else file
    if not isinstance(address, str):
        raise invalid_argument("file", f"expected an OutputFile, a MediaItem or an address, got {type(file).__name__}")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise InvalidRequestError("file: not an address") from None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not parts.hostname or not address.isprintable() or " " in address:
        raise InvalidRequestError("file: expected an address such as https://host/file.png")
    if parts.username or parts.password:
        raise InvalidRequestError("file: an address must not contain a user name or password")
    return scheme + address.partition("#")[0][len(scheme) :]


def is_expired(error: Error) -> bool:
    """Check whether an address may have expired, so that reading the run again may help."""
    return isinstance(error, SDKError) and error.status_code in _NOT_THERE


def _refusal(reply: Reply) -> Error:
    if reply.is_good or 300 <= reply.status_code < 400:  # noqa: PLR2004 - the class of status codes
        return unexpected(reply, "The storage answered without the file")
    error = error_response(reply, _EXPIRED if reply.status_code in _NOT_THERE else None)
    return error if isinstance(error, SDKError) else unexpected(reply, "The storage answered with an error")


def _unstored(reply: Reply) -> Error:
    if 300 <= reply.status_code < 400:  # noqa: PLR2004 - the class of status codes
        return unexpected(reply, "The storage redirects an upload, which is not followed")
    error = error_response(reply)
    return error if isinstance(error, SDKError) else unexpected(reply, "The storage answered with an error")
