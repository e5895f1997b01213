"""The changes of the runs of a workflow, decoded from bytes, without I/O."""

from typing import Any, Final, TypeAlias

from comfydeploy._wire.codec import read
from comfydeploy._wire.json_decoding import parsed
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.server_sent_events import ServerSentEvent, SSEDecoder
from comfydeploy.errors import MalformedEvent, SDKValidationError
from comfydeploy.models.run_progress import RunProgress
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.models.run_stream import EventUpdate
from comfydeploy.result import Failure, Result, Success

_Item: TypeAlias = Result[RunProgress, MalformedEvent]

_QUIET: Final = ("connection_established", "subscribed", "keepalive")
"""The types of events that are no changes."""


class RunProgressDecoder:
    """Decodes the bytes of a stream of progress to changes. Nothing in the stream marks its end."""

    def __init__(self) -> None:
        self._sse = SSEDecoder()
        self.is_complete = False
        self.run_id: str | None = None  # a stream is about many runs
        self.failure: EventUpdate | None = None

    def feed(self, chunk: bytes) -> list[_Item]:
        """Take the next bytes and return the changes that they complete."""
        return self._items(self._sse.feed(chunk))

    def finish(self) -> list[_Item]:
        """Return the change that the end of the stream left unfinished, if there is one."""
        return self._items(self._sse.finish())

    def _items(self, events: list[ServerSentEvent]) -> list[_Item]:
        return [item for _, data in events if (item := _item(data))]


def _item(data: str) -> _Item | None:
    try:
        value = parsed(data)
    except (ValueError, RecursionError):
        value = None
    if not is_object(value):
        return Failure(MalformedEvent("A change of a run cannot be read", data))
    if value.get("type") in _QUIET:
        return None
    if value.get("type") == "error":
        return Failure(MalformedEvent(f"The service reports an error: {value.get('message')}", data))
    try:
        return Success(_change(value))
    except SDKValidationError as error:
        return Failure(MalformedEvent(error.message, data))


def _change(value: Any) -> RunProgress:
    if "run_id" in value:
        return read(value, RunProgress, "A change of a run")
    run = read(value, WorkflowRunRow, "A change of a run")
    return RunProgress(
        run_id=run.id,
        status=run.status,
        progress=run.progress,
        workflow_id=run.workflow_id,
        machine_id=run.machine_id,
        node_class=run.live_status,
        timestamp=run.updated_at,
        run=run,
        raw=value,
    )
