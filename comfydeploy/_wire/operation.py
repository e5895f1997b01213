"""An operation of the API: how to ask for it and how to read the answer."""

from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from attrs import frozen

from comfydeploy._wire.codec import read
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request

A = TypeVar("A")
V = TypeVar("V")


@frozen
class Operation(Generic[A, V]):
    """Two pure functions and what has to be known of the route.

    ``encode`` makes the request from the arguments, ``decode`` the value from a good answer; both raise one of our
    errors where they cannot. ``read_timeout``: seconds to wait for the next bytes of the answer, ``None`` for ever.
    ``caution``, for a call that creates runs, is what is known of the run when the server answers 5XX; ``hint`` gives
    what is known of other bad answers.
    """

    id: str
    encode: Callable[[A], Request]
    decode: Callable[[Reply], V]
    accept: Literal["application/json", "text/event-stream", "*/*"] = "application/json"
    read_timeout: float | None = 60.0
    caution: str | None = None
    hint: Callable[[Reply], str | None] | None = None


def returning(model: type[V]) -> Callable[[Reply], V]:
    """Give the ``decode`` of an operation that answers with this model as JSON."""

    def decode(reply: Reply) -> V:
        return read(reply.json(), model, "The server's answer")

    return decode


def hinting(status_code: int, hint: str, *, where: bytes = b"") -> Callable[[Reply], str | None]:
    """Give the ``hint`` of an operation for bad answers with this status whose body holds these bytes."""
    return lambda reply: hint if reply.status_code == status_code and where in reply.content else None


def as_it_is(reply: Reply) -> Reply:
    """Give the answer itself: the ``decode`` of a stream or a file, whose body is still to come."""
    return reply
