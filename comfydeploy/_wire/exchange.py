"""A call as a state machine: what to send, how long to wait before sending it again, and its final result.

The drivers only move bytes: they send the attempt that ``prepare`` returns, pass its outcome to ``settle`` and carry
out the step that it returns.
"""

from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import evolve

import comfydeploy.result as results
from comfydeploy._version import __version__
from comfydeploy._wire.attempt import Attempt
from comfydeploy._wire.fate import maybe_executed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request, checked_headers, checked_server
from comfydeploy._wire.responses import IN_DOUBT, created_run_id, read_response, unreadable
from comfydeploy._wire.settings import (
    NO_OPTIONS,
    Settings,
    checked_options,
    deadline_of,
    idle_limit,
    retry_policy,
    size_limit,
    time_limits,
)
from comfydeploy._wire.transport_errors import request_error
from comfydeploy.errors import ComfyDeployError, Error, Fate
from comfydeploy.models.secret import NOTHING_SECRET, Secret

if TYPE_CHECKING:
    from comfydeploy._wire.hook_context import HookContext
    from comfydeploy._wire.retry import RetryPolicy

T = TypeVar("T")
V = TypeVar("V")

_USER_AGENT: Final = f"comfydeploy-python/{__version__}"
_UNAUTHORIZED: Final = 401
_DEBUG: Final = 10  # logging.DEBUG, which is not worth loading for one number
# Of a broken upload: a server that refuses a file may close the connection, and each repeat sends the whole file.
_REPEATS: Final = 2
_SHOWN: Final = ("headers", "content")  # of a response, to hooks, without the token


class Pause(NamedTuple):
    """Send the next attempt after so many seconds."""

    seconds: float


class Renew(NamedTuple):
    """Read the bearer once more: send again if it has changed, otherwise return the failure."""

    failure: "results.Failure[Error]"


Step: TypeAlias = results.Result[V, Error] | Pause | Renew


class Exchange(Generic[V]):
    """One call, from its arguments to its result. ``now`` is the time, in seconds of a monotonic clock.

    ``deadline`` is that of the whole call, if it has one. ``request`` is what its first attempt sends, ``run_id`` the
    run that it is about, once that is known.
    """

    def __init__(
        self, core: Settings, operation: Operation[Any, V], argument: object, options: object, now: float
    ) -> None:
        """Check everything and build the request; raise one of our errors for anything invalid."""
        given = checked_options(options)
        self._limits = time_limits(core.timeout, given.timeout, operation.read_timeout)
        self._has_default_limits = core.timeout is None and given.timeout is None
        self._idle_limit = idle_limit(given)
        self._max_size = size_limit(given)
        self.deadline = deadline_of(given, now)
        self.operation = operation
        self._hooks = core.hooks
        self._logger = core.debug_logger
        self._policy: RetryPolicy | None = None
        if core.retry_config is not None or given is not NO_OPTIONS:
            self._policy = retry_policy(core.retry_config, given, creates=operation.creates)
        self._began = now
        self._token = NOTHING_SECRET
        self._attempt = 0
        self._fate: Fate = "not_sent"
        self._maybe_executed = False  # by an earlier attempt
        self._is_renewable = callable(core.bearer)  # until it was renewed
        self.run_id = named_run(operation, argument)
        if isinstance(core.address, ComfyDeployError):
            raise core.address
        server = core.address if given.server_url is None else checked_server(given.server_url, "options.server_url")
        encoded = operation.encode(argument)
        headers = {"accept": operation.accept, "user-agent": _USER_AGENT}
        if encoded.content is not None:
            headers["content-type"] = "application/json"
        if given.headers is not None:
            headers |= checked_headers(given.headers)
        request = Request(encoded.method, server + encoded.url, headers, encoded.content, encoded.upload, encoded.route)
        self.request = self._hooked("before_create_request", request)

    def prepare(self, token: Secret, now: float) -> Attempt:
        """Return the next attempt; raise a ``RequestTimeoutError`` after the deadline."""
        self._token, self._fate = token, "not_sent"
        limits, idle_limit = self._limits, self._idle_limit
        if self.deadline is not None:
            if self.deadline.has_passed(now):
                raise self.deadline.exceeded("before the request was sent", self._fate)
            limits = self.deadline.limited(limits, now)
            idle_limit = self.deadline.limited({"read": idle_limit}, now)["read"]
        request = self._hooked("before_request", self.request)
        self._log(self._attempt, request)
        self._fate = "unknown"  # until its outcome is settled
        return Attempt(
            request,
            token,
            limits,
            idle_limit,
            self.operation.accept,
            is_lasting=self.operation.read_timeout is None,
            has_default_limits=self._has_default_limits,
            deadline=self.deadline,
            max_size=self._max_size,
        )

    def settle(self, outcome: Reply | Error, now: float) -> Step[V]:
        """Take the outcome of an attempt and return the result, or what to do before the next attempt."""
        self._fate = "answered" if isinstance(outcome, Reply) else outcome.fate
        self._log(self._attempt, outcome)
        result: results.Result[V, Error]
        if isinstance(outcome, Reply):
            seen = self._after_success(outcome) if self._hooks and outcome.is_good else outcome
            result = read_response(self.operation, self.request, self._token, seen)
        else:
            result = results.Failure(unreadable(outcome, self.operation.creates))
        if isinstance(result, results.Success):
            return result
        error = self._after_error(outcome, result.failure()) if self._hooks else result.failure()
        if self._is_renewable and isinstance(outcome, Reply) and outcome.status_code == _UNAUTHORIZED:
            self._is_renewable, self._fate = False, "not_sent"  # a 401 has executed nothing
            return Renew(results.Failure(self._completed(error)))
        pause = self._pause(outcome, now)
        if pause is None:
            return results.Failure(self._completed(error))
        self._maybe_executed = self._maybe_executed or self._may_be_executed(outcome)
        self._attempt, self._fate = self._attempt + 1, "not_sent"
        return Pause(pause)

    def fail(self, error: Exception) -> "results.Failure[Error]":
        """Return the failure for an exception that was raised outside of the attempts, as by a hook."""
        if not isinstance(error, ComfyDeployError):
            return results.Failure(self._completed(request_error(error, self._fate, closed=False)))
        known: Any = error.with_traceback(None)  # so that no frames are kept alive
        return results.Failure(self._completed(known))

    @property
    def fate(self) -> Fate:
        """What is known of the request."""
        return self._fate

    def _hooked(self, stage: str, data: T) -> T:
        """Return what the hooks of a stage make of a request or a response."""
        if not self._hooks:
            return data
        from comfydeploy._wire.hook_calls import apply_hooks  # few cores have hooks

        return apply_hooks(self._hooks, stage, self._context, data)

    def _after_error(self, outcome: Reply | Error, error: Error) -> Error:
        from comfydeploy._wire.hook_calls import apply_error_hooks

        shown = outcome.without(self._token) if isinstance(outcome, Reply) else None
        return apply_error_hooks(self._hooks, self._context, shown, error)

    @property
    def _context(self) -> "HookContext":
        from comfydeploy._wire.hook_context import HookContext

        return HookContext(self.operation.id, self._attempt)

    def _after_success(self, reply: Reply) -> Reply:
        """Call the hooks with the response without the token; return the original with the changes of the hooks."""
        shown = reply.without(self._token)
        try:
            changed = self._hooked("after_success", shown)
        except Exception:
            self.run_id = self.run_id or created_run_id(self.operation, reply)  # the run exists
            raise
        kept = {name: getattr(reply, name) for name in _SHOWN if getattr(changed, name) == getattr(shown, name)}
        return evolve(changed, **kept, source=reply.source)

    def _pause(self, outcome: Reply | Error, now: float) -> float | None:
        is_permanent = self.operation.is_permanent
        if self._policy is None or (is_permanent and isinstance(outcome, Reply) and is_permanent(outcome)):
            return None
        if self.request.upload is not None and self._attempt >= _REPEATS and not isinstance(outcome, Reply):
            return None
        pause = self._policy.pause(outcome, attempt=self._attempt, elapsed=now - self._began)
        is_late = pause is not None and self.deadline is not None and self.deadline.has_passed(now + pause)
        return None if is_late else pause

    def _may_be_executed(self, outcome: Reply | Error) -> bool:
        is_read = self.operation.creates == "nothing" and isinstance(outcome, Reply)
        return not is_read and maybe_executed(outcome)

    def _completed(self, error: Error) -> Error:
        """Return an error with the fate, the hint and the run id that the call knows."""
        changes: dict[str, Any] = {}
        # The outcome of the last attempt says nothing about earlier ones.
        if self._maybe_executed and (error.fate == "not_sent" or self.operation.creates != "nothing"):
            changes["fate"] = "unknown"
        doubt = IN_DOUBT[self.operation.creates]
        if doubt and changes.get("fate", error.fate) == "unknown" and (error.hint is None or error.fate == "not_sent"):
            changes["hint"] = f"{doubt} {error.hint}" if error.hint else doubt
        if error.run_id is None and self.run_id is not None:
            changes["run_id"] = self.run_id
        if not changes:
            return error
        completed = evolve(error, **changes)
        completed.__cause__ = error.__cause__
        return completed

    def _log(self, number: int, shown: Request | Reply | Error) -> None:
        """Log a request or its outcome; ignore a logger that raises, so that the result of the call is not lost."""
        logger: Any = self._logger
        if logger is None:
            return
        try:
            is_enabled = getattr(logger, "isEnabledFor", None)
            if is_enabled is None or is_enabled(_DEBUG):
                # Remove the token before cutting: a cut through the token would leave its beginning.
                clean = shown if isinstance(shown, ComfyDeployError) else shown.without(self._token)
                text = self._token.removed_from(f"attempt {number}: {clean!r}")
                logger.debug("%s: %s", self.operation.id, text)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S110 - there is nowhere to report it
            pass


def named_run(operation: Operation[Any, Any], argument: object) -> str | None:
    """Return the id of the run that a call is about, where its arguments name one."""
    if operation.creates == "nothing" and is_object(argument):
        named = argument.get("run_id")
        return named if isinstance(named, str) else None
    return None
