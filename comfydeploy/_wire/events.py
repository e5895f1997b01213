"""The events of a streamed run, decoded from bytes, without I/O."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from comfydeploy._wire.constructors import Within, maker
from comfydeploy._wire.json_decoding import parsed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.log_marks import END, without_end
from comfydeploy._wire.server_sent_events import SSEDecoder
from comfydeploy._wire.timestamps import moment
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

_RESULT: Final[Within] = (Success, Success.__match_args__[0], {})
_step: Final[Callable[..., Success[EventUpdateEvent]]] = maker(
    EventUpdate, "event", "data", "raw", within=[(EventUpdateEvent, "data", {"event": "event_update"}), _RESULT]
)
_line: Final[Callable[..., Success[RunStream]]] = maker(
    LogUpdate, "logs", "timestamp", "raw", within=[(LogUpdateEvent, "data", {"event": "log_update"}), _RESULT]
)


class RunStreamDecoder:
    """Decodes the bytes of a stream to items.

    ``run_id`` is set as soon as an event names it; ``failure`` is the event with the reason of a failed run.
    ``is_complete`` after the error of an invalid graph without node errors: the server sends nothing after it and
    leaves the stream open. Nothing else in a stream marks its end.
    """

    def __init__(self) -> None:
        self._sse = SSEDecoder()
        self.is_complete = False
        self.run_id: str | None = None
        self.failure: EventUpdate | None = None

    def feed(self, chunk: bytes) -> list[Item]:
        """Take the next bytes and return the items that they complete."""
        return [item for name, data in self._sse.feed(chunk) if (item := self._item(name, data))]

    def finish(self) -> list[Item]:
        """Return the item that the end of the stream left unfinished, if there is one."""
        return [item for name, data in self._sse.finish() if (item := self._item(name, data))]

    def _item(self, name: str, text: str) -> Item | None:
        try:
            value = parsed(text)
        except (ValueError, RecursionError) as error:
            if name in ("event_update", "log_update", ""):
                return Failure(MalformedEvent(f"An event ({name or 'without a name'}) cannot be read: {error}", text))
            return Success(UnknownEvent(event=name, data=text))
        if dict is type(value):  # `is_object` without the call; in this order `value` stays `Any` for type checkers
            if name == "log_update" and isinstance(logs := value.get("logs"), str):
                if END in logs:
                    logs = without_end(logs)
                return None if logs is None else _line(logs, moment(value.get("timestamp")), value)
            if name == "event_update":
                kind, data = value.get("event"), value.get("data")
                if type(kind) is not str:
                    kind = None
                    # Every run has one payload without a kind, with the run's id or why the graph is refused.
                    data = data if value.keys() <= {"event", "data"} else value
                if self.run_id is None and is_object(data) and isinstance(run_id := data.get("prompt_id"), str):
                    self.run_id = run_id
                step = _step(kind, data, value)
                if kind is None or kind == "execution_error":
                    self._note(step.unwrap().data)
                return step
        return Success(UnknownEvent(event=name, data=value))

    def _note(self, update: EventUpdate) -> None:
        data: Any = update.data
        error = is_object(data) and bool(data.get("error"))
        if update.event is not None or error:
            self.failure = self.failure or update
        if update.event is None and error and not data.get("node_errors"):
            self.is_complete = True
