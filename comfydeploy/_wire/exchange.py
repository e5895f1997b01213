"""A call as a state machine: what to send, how long to wait before sending it again, what it all came to.

The drivers only move bytes: they send what ``prepare`` gives, hand what comes back to ``settle`` and do as it says.
"""

from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeVar, get_args

from attrs import evolve, frozen

import comfydeploy.result as results
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply, media_type, refusal, unexpected
from comfydeploy._wire.request import Request, checked_headers, checked_server
from comfydeploy._wire.settings import NO_OPTIONS, Settings, checked_options, idle_limit, retry_policy, time_limits
from comfydeploy.errors import (
    ComfyDeployError,
    ConnectionError,
    Error,
    Fate,
    RequestTimeoutError,
    SDKError,
    SDKValidationError,
)
from comfydeploy.models.secret import NOTHING_SECRET

if TYPE_CHECKING:
    from comfydeploy._wire.retry import RetryPolicy
    from comfydeploy._wire.upload import Window

V = TypeVar("V")
T = TypeVar("T")

USER_AGENT: Final = "comfydeploy-python/0.1.0"
_DEBUG: Final = 10  # logging.DEBUG, which is not worth loading for one number
_JSON: Final = "application/json"
_ANYTHING: Final = "*/*"
_EVENT_STREAM: Final = "text/event-stream"


@frozen
class HookContext:
    """Which call a hook is told of: the operation's id, and how many attempts there were before this one."""

    operation_id: str
    attempt: int = 0


class Pause(NamedTuple):
    """Send again after so many seconds."""

    seconds: float


class Exchange(Generic[V]):
    """One call, from its arguments to its result.

    ``limits`` are the seconds for each phase of an attempt. ``fate`` is what is known of the request so far, for
    whatever may break. ``token`` is the bearer, which the driver fetches: that may need waiting. ``is_lasting`` tells a
    call that keeps its connection for minutes.
    """

    def __init__(self, core: Settings, operation: Operation[Any, V], argument: object, options: object) -> None:
        """Check everything and build the request; raises one of our errors where that fails."""
        given = checked_options(options)
        self.limits = time_limits(core.timeout, given.timeout, operation.read_timeout)
        self.idle_limit = idle_limit(given)
        self.is_lasting = operation.read_timeout is None
        self.fate: Fate = "not_sent"
        self.token = NOTHING_SECRET
        self._operation = operation
        self._hooks = core.hooks
        self._logger = core.debug_logger
        self._policy: RetryPolicy | None = None
        if core.retry_config is not None or given is not NO_OPTIONS:
            self._policy = retry_policy(core.retry_config, given, creates=operation.caution is not None)
        self._attempt = 0
        self._in_doubt = False
        self._began = monotonic()
        if isinstance(core.address, ComfyDeployError):
            raise core.address
        server = core.address if given.server_url is None else checked_server(given.server_url, "options.server_url")
        asked = operation.encode(argument)
        headers = {"accept": operation.accept, "user-agent": USER_AGENT}
        if asked.content is not None:
            headers["content-type"] = "application/json"
        if given.headers is not None:
            headers |= checked_headers(given.headers)
        request = Request(asked.method, server + asked.url, headers, asked.content, asked.upload)
        self._request = self._hooked("before_create_request", request)

    def opened_upload(self) -> AbstractContextManager["Window | None"]:
        """Open the file that goes with the request, for one attempt."""
        upload = self._request.upload
        return nullcontext() if upload is None else upload.opened()

    def prepare(self) -> Request:
        """Give the request of the next attempt, without the token."""
        request = self._hooked("before_request", self._request)
        self._log("attempt %d: %r", self._attempt, request)
        return request

    def what_to_read(self, status_code: int, content_type: str) -> Literal["all", "later", "nothing"]:
        """Tell what to read of an answer whose head has come: a stream is read later, one nobody asked for never."""
        good = 200 <= status_code < 300  # noqa: PLR2004 - the class of status codes
        if good and self._operation.accept == _ANYTHING:
            return "later"
        if media_type(content_type) != _EVENT_STREAM:
            return "all"
        return "later" if good and self._operation.accept == _EVENT_STREAM else "nothing"

    def settle(self, outcome: Reply | Error) -> results.Result[V, Error] | Pause:
        """Take what an attempt came to and say what is next: the result, or a pause before the next attempt."""
        reply = outcome if isinstance(outcome, Reply) else None
        self.fate = "answered" if isinstance(outcome, Reply) else outcome.fate
        self._log("attempt %d: %r", self._attempt, outcome)
        result = self._read(outcome) if isinstance(outcome, Reply) else results.Failure(outcome)
        if isinstance(result, results.Success):
            return result
        error = self._hooked_error(reply, result.failure())
        policy, elapsed = self._policy, monotonic() - self._began
        pause = policy.pause(outcome, attempt=self._attempt, elapsed=elapsed) if policy else None
        if policy is None or pause is None:
            return results.Failure(self._with_doubt(error))
        self._in_doubt = self._in_doubt or not policy.is_safe(outcome)
        self._attempt += 1
        return Pause(pause)

    def _read(self, reply: Reply) -> results.Result[V, Error]:
        if not reply.is_good:
            return results.Failure(self._refused(reply.without(self.token)))
        reply = evolve(self._hooked("after_success", reply), source=reply.source) if self._hooks else reply
        result = self._decoded(reply)
        # An error keeps what the server sent, so read it from an answer that cannot give the token away.
        return result if isinstance(result, results.Success) else self._decoded(reply.without(self.token))

    def _refused(self, reply: Reply) -> Error:
        from comfydeploy._wire.retry import CREATE_CODES

        may_exist = reply.status_code not in CREATE_CODES
        error = refusal(reply, self._operation.caution if may_exist else None)
        hint = self._operation.hint(reply) if self._operation.hint else None
        return evolve(error, hint=hint) if hint and isinstance(error, SDKError) else error

    def _decoded(self, reply: Reply) -> results.Result[V, Error]:
        expected, sent = self._operation.accept, reply.content_type
        is_json = expected == _JSON and sent.endswith("+json")
        if expected not in (sent, _ANYTHING) and not is_json:
            reason = f"The server answered with {sent or 'no content type'} in place of {expected}"
            return results.Failure(
                unexpected(reply, reason, self._operation.caution and "A run may have been started.")
            )
        try:
            return results.Success(self._operation.decode(reply))
        except SDKValidationError as unfit:
            return results.Failure(evolve(unfit, fate="answered"))

    def _with_doubt(self, error: Error) -> Error:
        # An earlier attempt, repeated because the caller named its code, may have been executed: the last one hides it.
        if self._in_doubt and isinstance(error, ConnectionError | RequestTimeoutError):
            doubtful = evolve(error, fate="unknown")
            doubtful.__cause__ = error.__cause__
            return doubtful
        return error

    def _hooked(self, stage: str, data: T) -> T:
        for hook in self._hooks:
            function = getattr(hook, stage)
            replacement = function(self._context(), data) if function else None
            if replacement is not None:
                data = _same_kind(stage, data, replacement)
        return data

    def _hooked_error(self, reply: Reply | None, error: Error) -> Error:
        # No hook sees the token, should the server send it back.
        shown = reply.without(self.token) if reply and self._hooks else None
        for hook in self._hooks:
            replacement: Any = hook.after_error(self._context(), shown, error) if hook.after_error else None
            if replacement is not None and not isinstance(replacement, get_args(Error)):
                raise TypeError(f"after_error returned {type(replacement).__name__}, expected an error or None")
            error = replacement or error
        return error

    def _context(self) -> HookContext:
        return HookContext(self._operation.id, self._attempt)

    def _log(self, text: str, *values: object) -> None:
        if self._logger is not None and self._logger.isEnabledFor(_DEBUG):
            self._logger.debug("%s: %s", self._operation.id, self.token.removed_from(text % values))


def _same_kind(stage: str, data: T, replacement: object) -> T:
    if not isinstance(replacement, type(data)):
        raise TypeError(f"{stage} returned {type(replacement).__name__}, expected {type(data).__name__} or None")
    return replacement
