"""An operation of the API: how to encode its request and decode its response."""

from collections.abc import Callable
from typing import Generic, Literal, TypeAlias, TypeVar

from attrs import field, frozen

from comfydeploy._wire.codec import read, read_list
from comfydeploy._wire.fate import IN_DOUBT, maybe_executed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.errors import Problem, SDKValidationError

A = TypeVar("A")
V = TypeVar("V")

Creates: TypeAlias = Literal["nothing", "run", "session", "session_time", "deployment", "asset"]
Condition: TypeAlias = Callable[[Reply], bool]
Hint: TypeAlias = Callable[[Reply], str | None]


@frozen(eq=False, repr=False)  # a constant: one for each function
class Operation(Generic[A, V]):
    """Two pure functions and the properties of the route.

    ``encode`` creates the request from the arguments, ``decode`` the value from a good response; both raise one of our
    errors for invalid ones. ``creates`` is what the server creates, and may bill, when it executes the request: such a
    request is never retried automatically. ``read_timeout``: seconds to wait for the next bytes of the response,
    ``None`` for no limit. ``hint`` returns what is known of a bad response; ``is_permanent`` recognizes one that
    sending the request again cannot change. ``has_secret``: a good response holds a secret beside the token, which no
    error may show. ``form`` returns the name of the form of a body, by which the server names the fields of each.
    """

    id: str
    encode: Callable[[A], Request]
    decode: Callable[[Reply], V]
    creates: Creates = field(kw_only=True)
    accept: Literal["application/json", "text/event-stream", "*/*"] = field(default="application/json", kw_only=True)
    read_timeout: float | None = field(default=60.0, kw_only=True)
    hint: Hint | None = field(default=None, kw_only=True)
    is_permanent: Condition | None = field(default=None, kw_only=True)
    has_secret: bool = field(default=False, kw_only=True)
    form: Callable[[bytes | None], str | None] | None = field(default=None, kw_only=True)


def returning(model: type[V]) -> Callable[[Reply], V]:
    """Return the ``decode`` of an operation whose response is this model as JSON."""

    def decode(reply: Reply) -> V:
        return read(reply.json(), model, "The server's response")

    return decode


def returning_list(item: type[V], *, under: str | None = None) -> Callable[[Reply], list[V]]:
    """Return the ``decode`` of an operation whose response is a list of these models as JSON.

    The list is the response itself, or the field ``under`` of it. An item that does not fit is only in ``raw`` of the
    list, so that one of a new kind does not hide the others.
    """

    def decode(reply: Reply) -> list[V]:
        sent = reply.json()
        return read_list(sent if under is None else _field(sent, under), item, "The server's response")

    return decode


def _field(sent: object, name: str) -> object:
    if is_object(sent) and name in sent:
        return sent[name]
    problem = Problem(f"$.{name}", "required, but missing")
    raise SDKValidationError(f"The server's response: {problem.path}: {problem.reason}", (problem,), sent)


def status(code: int, *, containing: bytes = b"") -> Condition:
    """Return the condition of a response with this status code whose body contains these bytes."""
    return lambda reply: reply.status_code == code and containing in reply.content


def hinting(hint: str, *, when: Condition) -> Hint:
    """Return the ``hint`` for bad responses of a kind."""
    return lambda reply: hint if when(reply) else None


def first_of(*hints: Hint) -> Hint:
    """Return the ``hint`` that returns the first hint of several."""
    return lambda reply: next((found for found in (hint(reply) for hint in hints) if found), None)


def in_doubt(reply: Reply) -> bool:
    """Check whether a response is an error after which the request may have been executed."""
    return reply.status_code in IN_DOUBT or (reply.status_code >= 500 and maybe_executed(reply))  # noqa: PLR2004 - the class of status codes


def as_it_is(reply: Reply) -> Reply:
    """Return the response itself: the ``decode`` of a stream or a file, whose body is still to come."""
    return reply
