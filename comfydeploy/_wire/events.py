"""The events of a streamed run out of bytes, without I/O."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from comfydeploy._wire.codec import parsed
from comfydeploy._wire.compiled import maker
from comfydeploy._wire.sse import SSEDecoder
from comfydeploy._wire.times import moment
from comfydeploy.errors import MalformedEvent
from comfydeploy.models.run_stream import (
    EventUpdate,
    EventUpdateEvent,
    LogUpdate,
    LogUpdateEvent,
    RunStream,
    UnknownEvent,
)
from comfydeploy.result import Failure, Result, Success

Item: TypeAlias = Result[RunStream, MalformedEvent]

# A third of the time that a `Success` takes to make is its own.
_success: Final[Callable[[RunStream], Success[RunStream]]] = maker(Success, *Success.__match_args__)
_step: Final = maker(EventUpdate, "event", "data", "raw")
_step_event: Final = maker(EventUpdateEvent, "event", "data")
_line: Final = maker(LogUpdate, "logs", "timestamp", "raw")
_line_event: Final = maker(LogUpdateEvent, "event", "data")


class RunStreamDecoder:
    """Reads the bytes of a stream into items; ``run_id`` is set as soon as an event names it."""

    def __init__(self) -> None:
        self._sse = SSEDecoder()
        self.is_complete = False  # nothing in the stream says that it is over
        self.run_id: str | None = None

    def feed(self, chunk: bytes) -> list[Item]:
        """Take the next bytes and give the items that they complete."""
        return [self._item(name, data) for name, data in self._sse.feed(chunk)]

    def finish(self) -> list[Item]:
        """Give the item that the end of the stream left unfinished, if there is one."""
        return [self._item(name, data) for name, data in self._sse.finish()]

    def _item(self, name: str, data: str) -> Item:
        try:
            value = parsed(data)
        except (ValueError, RecursionError) as error:
            if name in ("event_update", "log_update", ""):
                return Failure(MalformedEvent(f"An event ({name or 'without a name'}) cannot be read: {error}", data))
            return Success(UnknownEvent(event=name, data=data))
        if type(value) is dict:
            if name == "event_update":
                return _success(_step_event(name, self._update(value)))
            if name == "log_update" and isinstance(logs := value.get("logs"), str):
                return _success(_line_event(name, _line(logs, moment(value.get("timestamp")), value)))
        return _success(UnknownEvent(event=name, data=value))

    def _update(self, payload: dict[str, Any]) -> EventUpdate:
        kind, data = payload.get("event"), payload.get("data")
        if type(kind) is not str:
            kind = None
            # Every run has one payload without a kind, with the run's id or the reason why the graph is refused.
            data = data if payload.keys() <= {"event", "data"} else payload
        if self.run_id is None and type(data) is dict:
            run_id = data.get("prompt_id")
            self.run_id = run_id if isinstance(run_id, str) else None
        return _step(kind, data, payload)
