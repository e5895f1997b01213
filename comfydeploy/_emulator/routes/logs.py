"""The routes of logs."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.quirks.logs import archived, quirky_log_listener
from comfydeploy._emulator.runs.events import EventQueue
from comfydeploy._emulator.runs.logs import send_end, send_lines
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.event_stream import EventStream
from comfydeploy._emulator.web.responses import Json


async def archived_logs(backend: Backend, request: Request) -> Response:
    """Answer ``GET /v2/clickhouse-run-logs/{run_id}``: no line before the run has ended, then all, oldest first.

    Every line is an object of ``run_id``, ``timestamp`` (``2026-11-23T18:59:43.726Z``), ``log`` (the text),
    ``user_id``, ``org_id`` and ``log_type``; the last three are null.
    """
    run = requests.run(request, backend.store)
    lines = archived(run, backend.store.log(run.id), backend.clock.now(), backend.quirks)
    return Json([line.archive_json(run.id) for line in lines])


async def stream_logs(backend: Backend, request: Request) -> Response:
    """Answer ``GET /v2/stream-logs?run_id=``: every line of the run until it ends.

    The events have no name. The last one is ``{"type": "stream_complete"}``, with ``source`` ``archive`` for a
    run that had ended already and ``sentinel`` for one that has just done so.
    """
    run = requests.run(request, backend.store)
    events = EventQueue()
    if live := backend.machine.log(run.id):

        def is_cancelled() -> bool:
            now = backend.store.run(run.id)
            return now is not None and now.status == "cancelled"

        live.follow(quirky_log_listener(events.put_nowait, backend.quirks, is_cancelled))
    else:
        send_lines(backend.store.log(run.id), events.put_nowait)
        send_end(events.put_nowait, "archive")
    return EventStream(events, backend.streams)


ENDPOINTS: Final = (
    Endpoint("GET", "/api/v2/clickhouse-run-logs/{run_id}", archived_logs, ("run_logs",)),
    Endpoint("GET", "/api/v2/stream-logs", stream_logs, ("run_logs_stream",)),
)
