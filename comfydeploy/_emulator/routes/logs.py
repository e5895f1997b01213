"""The routes of logs."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.events import EventStream
from comfydeploy._emulator.logs import archive_of
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import Json
from comfydeploy._emulator.runs import ENDED


class LogRoutes:
    """Shows what the containers of runs have written: where the reason of a failure is found."""

    def __init__(self, backend: Backend) -> None:
        self._store: Final = backend.store
        self._machine: Final = backend.machine
        self._streams: Final = backend.streams

    def routes(self) -> list[Route]:
        """List the routes of logs."""
        return [
            Route("/api/v2/clickhouse-run-logs/{run_id}", self.archived, methods=["GET"]),
            Route("/api/v2/stream-logs", self.stream, methods=["GET"]),
        ]

    async def archived(self, request: Request) -> Response:
        """Answer ``GET /v2/clickhouse-run-logs/{run_id}``: no line before the run has ended, then all, oldest first.

        Every line is an object of ``run_id``, ``timestamp`` (``2026-11-23T18:59:43.726Z``), ``log`` (the text),
        ``user_id``, ``org_id`` and ``log_type``; the last three are null.
        """
        run = asked.run(request, self._store)
        lines = self._store.log(run.id) if run.status in ENDED else []
        return Json([line.archived(run.id) for line in lines])

    async def stream(self, request: Request) -> Response:
        """Answer ``GET /v2/stream-logs?run_id=``: every line of the run until it ends.

        The events have no name. The last one is ``{"type": "stream_complete"}``, with ``source`` ``archive`` for a
        run that had ended already and ``sentinel`` for one that has just done so.
        """
        run = asked.run(request, self._store)
        live = self._machine.log(run.id)
        return EventStream(live.follow() if live else archive_of(self._store.log(run.id)), self._streams)
