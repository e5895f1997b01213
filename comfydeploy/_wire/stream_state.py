"""The state of a stream, without I/O: the items that were read and not yet taken, and the end of the stream."""

from _thread import allocate_lock
from collections import deque
from typing import Final, Generic, TypeVar

from comfydeploy._wire.deadline import Until
from comfydeploy._wire.open_stream import Decoder
from comfydeploy._wire.transport_errors import READING, Reading, response_error
from comfydeploy.errors import RequestAbortedError, StreamError, UnexpectedClientError
from comfydeploy.result import Failure, Result, Success

T = TypeVar("T")

_SECOND_READER: Final = "The stream is being read already: read it in one thread or task at a time"


class StreamState(Generic[T]):
    """The common part of blocking and async streams. ``limit`` is that of each read, with the deadline of the call."""

    def __init__(self, decoder: Decoder[T], limit: float | None) -> None:
        self.ready: deque[Result[T, StreamError]] = deque()
        self.has_ended = False
        self.reader = allocate_lock()
        """Held while a reader waits for bytes."""
        self._decoder = decoder
        self._limit = limit

    @property
    def run_id(self) -> str | None:
        """The id of the run, once an event has named it."""
        return self._decoder.run_id

    def take(self, chunk: bytes | None) -> bool:
        """Decode the next bytes, ``None`` at the end of the body; return whether the stream has ended."""
        self.ready.extend(self._decoder.finish() if chunk is None else self._decoder.feed(chunk))
        self.has_ended = chunk is None or self._decoder.is_complete
        return self.has_ended

    def fail(self, error: Exception, now: float, *, closed: bool) -> None:
        """End the stream with the error for an exception in reading."""
        if self.has_ended:  # the caller has closed the stream meanwhile, and the last item is there
            return
        self.has_ended = True
        # The error of an event that was cut says less than the failure itself.
        self.ready.extend(item for item in self._decoder.finish() if isinstance(item, Success))
        reading = Reading(self._limit, now, self.run_id)
        self.ready.append(Failure(response_error(error, "answered", closed=closed, reading=reading)))

    def expire(self, now: float) -> bool:
        """End the stream if the deadline has passed, and return whether it has."""
        deadline = self._limit.deadline if isinstance(self._limit, Until) else None
        if deadline is None or not deadline.has_passed(now):
            return False
        self.has_ended = True
        self.ready.append(Failure(deadline.exceeded(READING, "answered", self.run_id)))
        return True

    def abort(self, reason: str) -> bool:
        """End the stream with a ``RequestAbortedError``; return whether it was open."""
        was_open, self.has_ended = not self.has_ended, True
        if was_open:
            self.ready.clear()
            self.ready.append(Failure(RequestAbortedError(reason, "answered", run_id=self.run_id)))
        return was_open

    def refused_reader(self) -> "Failure[StreamError]":
        """Return the item of a second reader."""
        return Failure(UnexpectedClientError(_SECOND_READER, "answered", run_id=self.run_id))
