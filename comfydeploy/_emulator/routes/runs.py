"""The routes of runs that exist."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.quirks.answers import quirky_times, refuse_to_cancel
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import Json, StoredFile
from comfydeploy._emulator.routes.rows import row

_YES_OR_NO: Final = TypeAdapter(bool)
# What SQLite can count to.
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, lt=2**63)])


class RunRoutes:
    """Shows runs and their outputs, and ends runs."""

    def __init__(self, backend: Backend) -> None:
        self._backend: Final = backend
        self._store: Final = backend.store
        self._machine: Final = backend.machine
        self._quirks: Final = backend.quirks

    def routes(self) -> list[Route]:
        """List the routes of runs."""
        return [
            Route("/api/run", self.show, methods=["GET"]),
            Route("/api/run/{run_id}", self.show, methods=["GET"]),
            Route("/api/run/{run_id}/cancel", self.cancel, methods=["POST"]),
            Route("/api/workflow/{workflow_id}/runs", self.of_workflow, methods=["GET"]),
            Route("/outputs/runs/{run_id}/{filename}", self.output_file, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """Answer ``GET /run/{run_id}`` and ``GET /run?run_id=``."""
        run = asked.run(request, self._store)
        wanted = asked.query(request, "queue_position", _YES_OR_NO, "false")
        shown = run.shown(asked.base(request), self._backend.queue_position(run) if wanted else None)
        return Json(quirky_times(shown, self._quirks))

    async def cancel(self, request: Request) -> Response:
        """Answer ``POST /run/{run_id}/cancel``, also for a run that has ended."""
        if Quirk.BROKEN_CANCEL in self._quirks:
            refuse_to_cancel(request.path_params["run_id"], self._store)
        run = asked.run(request, self._store)
        await self._machine.cancel(run.id, asked.base(request))
        return Json({"status": "success", "message": "Function cancelled"})

    async def of_workflow(self, request: Request) -> Response:
        """Answer ``GET /workflow/{workflow_id}/runs``; an unknown workflow has no runs."""
        limit = asked.query(request, "limit", _NUMBER, "100")
        offset = asked.query(request, "offset", _NUMBER, "0")
        workflow_id = asked.uuid_or_text(request.path_params["workflow_id"])
        found, base = self._backend.catalogue.found, asked.base(request)
        return Json(
            [
                quirky_times(row(run, found("workflow_id", workflow_id, "Workflow not found"), base), self._quirks)
                for run in self._store.runs_of(workflow_id, limit, offset)
            ]
        )

    async def output_file(self, request: Request) -> Response:
        """Answer the address of an output; only names that a run lists exist."""
        run_id, filename = request.path_params["run_id"], request.path_params["filename"]
        run = self._store.run(run_id)
        if not run or filename not in [file.filename for file in run.files]:
            raise HTTPException(404)
        return StoredFile(self._store.file(run_id, filename), media_type=media_type(filename))
