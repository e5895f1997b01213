"""The stream of the changes of a workflow's runs."""

from typing import Any, Final

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.clock import to_milliseconds
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.quirks.answers import quirky_json
from comfydeploy._emulator.routes.rows import row_json
from comfydeploy._emulator.runs.events import Event, EventQueue
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.validation import UnprocessableError, problem
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.event_stream import EventStream

_YES_OR_NO: Final = TypeAdapter(bool)


async def stream_progress(backend: Backend, request: Request) -> Response:
    """Answer ``GET /v2/stream-progress?workflow_id=``: an event for each change of a run, without replay or end.

    The events have no name; the first two are ``{"type": "connection_established"}`` and ``{"type": "subscribed"}``.
    With ``return_run=true`` an event has the run as the list of the workflow's runs has it, outputs included, without
    workflow and version. The query ``run_id`` is ignored, as on the real server.
    """
    given = request.query_params.get("workflow_id")
    if given is None:
        raise UnprocessableError([problem("missing", ("query", "workflow_id"), "Field required", None)])
    workflow_id = requests.uuid_or_text(given)
    deployment = backend.catalogue.find("workflow_id", workflow_id, "Workflow not found")
    return_run = requests.query(request, "return_run", _YES_OR_NO, "false")
    base = requests.base(request)
    events = EventQueue()

    def changed(run_id: str) -> None:
        run = backend.store.run(run_id)
        if run and run.workflow_id == workflow_id:
            events.put_nowait(Event(None, _row(backend, run, deployment, base) if return_run else _progress(run)))

    for kind in ("connection_established", "subscribed"):
        events.put_nowait(Event(None, {"type": kind}))
    return EventStream(events, backend.streams, backend.feed.subscribe(changed))


def _row(backend: Backend, run: Run, deployment: Deployment, base: str) -> dict[str, Any]:
    row = quirky_json(row_json(run, deployment, base), backend.quirks, backend.clock.now())
    return {name: value for name, value in row.items() if name not in {"workflow", "version", "workflow_api"}}


def _progress(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "workflow_id": run.workflow_id,
        "machine_id": run.machine_id,
        "timestamp": to_milliseconds(run.updated_at),
        "progress": -1,
        "status": run.status,
        "log_type": "",
    }


ENDPOINTS: Final = (Endpoint("GET", "/api/v2/stream-progress", stream_progress, ("progress_stream",)),)
