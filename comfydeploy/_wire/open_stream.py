"""A response whose body is a stream that is still to come, with the decoder of its items."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from comfydeploy._wire.reply import Reply
from comfydeploy.errors import MalformedEvent
from comfydeploy.result import Result

if TYPE_CHECKING:
    from comfydeploy.models.run_stream import EventUpdate

T = TypeVar("T")


class Decoder(Protocol[T]):
    """Decodes bytes to items, without I/O.

    ``is_complete`` is true after the last item. ``run_id`` and ``failure``, the event with the reason of a failed
    run, are set as soon as they are known.
    """

    is_complete: bool
    run_id: str | None
    failure: "EventUpdate | None"

    def feed(self, chunk: bytes) -> list[Result[T, MalformedEvent]]: ...
    def finish(self) -> list[Result[T, MalformedEvent]]: ...


class OpenStream(NamedTuple, Generic[T]):
    """An open response, its client and the decoder of its body."""

    response: Any
    client: Any
    decoder: Decoder[T]


def decoded_by(decoder: Callable[[], Decoder[T]]) -> Callable[[Reply], OpenStream[T]]:
    """Return the ``decode`` of an operation whose response is a stream."""

    def decode(reply: Reply) -> OpenStream[T]:
        response, client = reply.source
        return OpenStream(response, client, decoder())

    return decode
