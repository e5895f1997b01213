"""The errors of all calls: a closed set of values that are also exceptions.

Match over them; the facade raises them. ``fate`` says whether the server may have executed the request:

* ``"not_sent"``: it did not reach the server; sending it again is safe;
* ``"unknown"``: it may have been executed; a run may exist and be billed;
* ``"answered"``: the server answered it.

``hint`` says what to do next, where that is known. ``run_id`` is the run that the call was about, as soon as it is
known.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar, final

from attrs import Factory, field, fields, frozen, has

if TYPE_CHECKING:
    from comfydeploy.models.validation import ValidationError

__all__ = [
    "ComfyDeployError",
    "ConnectionError",
    "Error",
    "Fate",
    "HTTPValidationError",
    "InvalidRequestError",
    "MalformedEvent",
    "Problem",
    "RequestAbortedError",
    "RequestTimeoutError",
    "SDKError",
    "SDKValidationError",
    "StreamError",
    "UnexpectedClientError",
]

Fate: TypeAlias = Literal["not_sent", "unknown", "answered"]


class ComfyDeployError(Exception):
    """The base of all errors of this package; its text is ``message``, with the ``hint`` if there is one."""

    message: str
    fate: Fate
    hint: str | None
    run_id: str | None

    def __repr__(self) -> str:
        # Here, because the one that attrs compiles for each class is a third of the time to create the class.
        kind: Any = type(self)
        if not has(kind):
            return super().__repr__()
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(kind) if one.repr)
        return f"{kind.__name__}({', '.join(shown)})"

    def __str__(self) -> str:
        return f"{self.message.removesuffix('.')}. {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), _picklable(self.args), self._notes)

    def __copy__(self) -> Self:
        return _restored(type(self), self.args, self._notes)

    @property
    def _notes(self) -> tuple[str, ...]:
        return tuple(getattr(self, "__notes__", ()))


_E = TypeVar("_E", bound=ComfyDeployError)


def _restored(kind: type[_E], values: tuple[Any, ...], notes: tuple[str, ...]) -> _E:
    """Return an error with its fields and notes. The state of a frozen class has no notes."""
    error = kind(*values)
    for note in notes:
        error.add_note(note)
    return error


def _picklable(value: Any) -> Any:
    """Return a value with each part that cannot be pickled, such as a lambda or an open file, as its text."""
    import pickle

    try:
        pickle.loads(pickle.dumps(value))  # noqa: S301 - our own pickle; some values cannot be loaded again
    except Exception:  # noqa: BLE001 - a value of any class may raise anything
        return _picklable_parts(value)
    return value


def _picklable_parts(value: Any) -> Any:
    kind: Any = value.__class__
    try:
        if issubclass(kind, Mapping):
            return {_picklable(key): _picklable(item) for key, item in value.items()}
        if issubclass(kind, list | tuple):
            parts = map(_picklable, value)
            return tuple(parts) if kind is tuple else list(parts)
        return repr(value)
    except Exception:  # noqa: BLE001 - it is nested too deeply, or has no text
        return f"<{kind.__name__}>"


@frozen
class Problem:
    """One problem: its ``path`` (``$.inputs.seed``) and the ``reason``."""

    path: str
    reason: str


@final
@frozen(repr=False)
class SDKValidationError(ComfyDeployError):
    """Arguments, or a response of the server, do not fit the model.

    ``raw_value`` is the value that did not fit. For a response ``fate`` is ``"answered"``: the request was executed.
    """

    message: str
    problems: tuple[Problem, ...] = ()
    raw_value: Any = field(default=None, repr=False)
    fate: Fate = "not_sent"
    hint: str | None = None
    run_id: str | None = None

    def pretty(self) -> str:
        """Return the message, followed by one line for each problem."""
        return "\n".join([self.message, *(f"  {problem.path}: {problem.reason}" for problem in self.problems)])


@final
@frozen(repr=False)
class InvalidRequestError(ComfyDeployError):
    """A request cannot be built: no such server, a bad address, a bad header. It was not sent."""

    message: str
    fate: Fate = "not_sent"
    hint: str | None = None
    run_id: str | None = None


def _refusal(error: "HTTPValidationError") -> str:
    problems = "; ".join(
        f"{field}: {issue.msg}" if (field := _field(issue.loc)) else issue.msg for issue in error.detail
    )
    return f"The server refused the request (422): {problems}"


def _field(location: "Sequence[str | int]") -> str:
    """Return a location as a path for users: without the body and the name of the form, which they have not named."""
    parts = [str(part) for part in location]
    if parts[:1] == ["body"]:
        del parts[0]
    if len(parts) > 1 and parts[0].endswith("Request"):
        del parts[0]
    return ".".join(parts)


@final
@frozen(repr=False)
class HTTPValidationError(ComfyDeployError):
    """The server answered 422: ``detail`` names every invalid field. Nothing was run."""

    detail: "list[ValidationError]"
    status_code: int = 422
    body: str | bytes = field(default="", repr=False)
    headers: Mapping[str, str] = field(default=Factory(dict[str, str]), repr=False)
    fate: Fate = "answered"
    hint: str | None = None
    run_id: str | None = None
    message: str = field(init=False, repr=False, default=Factory(_refusal, takes_self=True))


@final
@frozen(repr=False)
class SDKError(ComfyDeployError):
    """The server answered with another 4XX or 5XX, or with an unexpected status or content type.

    ``body`` is text, or bytes where it is not UTF-8. ``hint`` says what is known about the response, such as a 500 that
    comes after the run was started.
    """

    message: str
    status_code: int
    content_type: str = ""
    body: str | bytes = field(default="", repr=False)
    headers: Mapping[str, str] = field(default=Factory(dict[str, str]), repr=False)
    hint: str | None = None
    fate: Fate = "answered"
    run_id: str | None = None

    @property
    def detail(self) -> str | None:
        """The message in the body, in any of the server's forms, or ``None`` if there is none."""
        if isinstance(self.body, bytes) or "html" in self.content_type:
            return None
        import json

        try:
            document: Any = json.loads(self.body)
        except (ValueError, RecursionError):
            return self.body.strip() or None
        try:
            said: Any = document.get("detail") or document.get("error")
        except AttributeError:  # JSON, but not an object
            return self.body
        return said if said is None or isinstance(said, str) else json.dumps(said)


@frozen(repr=False)
class _WithoutResponse(ComfyDeployError):  # noqa: N818 - not an error itself
    """The fields of an error for which there is no response."""

    message: str
    fate: Fate
    hint: str | None = None
    run_id: str | None = None


@final
class ConnectionError(_WithoutResponse):  # noqa: A001 - the name in the TypeScript SDK; users qualify it
    """No response: a DNS or TLS error, a refused or lost connection, or bytes that are not HTTP."""


@final
class RequestTimeoutError(_WithoutResponse):
    """A timeout or the deadline of the call passed."""


@final
class RequestAbortedError(_WithoutResponse):
    """The caller closed the client or the stream."""


@final
class UnexpectedClientError(_WithoutResponse):
    """Any other error, such as an exception of a hook or of a bearer function: it is the ``__cause__``."""


@final
@frozen(repr=False)
class MalformedEvent(ComfyDeployError):  # noqa: N818 - an item of a stream, not its end
    """An event of a stream that cannot be read: ``raw`` is its text. The stream goes on."""

    message: str
    raw: str = field(repr=False)
    fate: Fate = "answered"
    hint: str | None = None
    run_id: str | None = None


Error: TypeAlias = (
    SDKValidationError
    | InvalidRequestError
    | HTTPValidationError
    | SDKError
    | ConnectionError
    | RequestTimeoutError
    | RequestAbortedError
    | UnexpectedClientError
)
StreamError: TypeAlias = (
    MalformedEvent | ConnectionError | RequestTimeoutError | RequestAbortedError | UnexpectedClientError
)
