"""The routes that start runs."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.bodies import ANY_FORM, DEPLOYMENT_FORM, WORKFLOW_FORM, RunRequest
from comfydeploy._emulator.deployments import Deployment
from comfydeploy._emulator.events import EventQueue, EventStream, Tell
from comfydeploy._emulator.machine import unheard
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.quirks.answers import is_answerable, is_storable, quirky_times
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.quirks.streams import quirky_tell
from comfydeploy._emulator.routes import asked
from comfydeploy._emulator.routes.answers import BrokenError, Json
from comfydeploy._emulator.routes.native import native_description
from comfydeploy._emulator.runs import Run, new_runs


@dataclass(frozen=True)
class _Order:
    """What is to be run, and for whom."""

    form: RunRequest
    deployment: Deployment
    base: str


class StartRoutes:
    """Starts runs, in each of the forms and modes that there are."""

    def __init__(self, backend: Backend) -> None:
        self._store: Final = backend.store
        self._machine: Final = backend.machine
        self._clock: Final = backend.clock
        self._ids: Final = backend.ids
        self._catalogue: Final = backend.catalogue
        self._streams: Final = backend.streams
        self._quirks: Final = backend.quirks

    def routes(self) -> list[Route]:
        """List the routes that start runs."""
        forms = {"/run": ANY_FORM, "/run/deployment": DEPLOYMENT_FORM, "/run/workflow": WORKFLOW_FORM}
        modes = {"queue": self.queue, "sync": self.sync, "stream": self.stream}
        return [
            Route("/api/run", self.run, methods=["POST"]),
            *(
                Route(f"/api{path}/{mode}", partial(answer, form), methods=["POST"])
                for path, form in forms.items()
                for mode, answer in modes.items()
            ),
        ]

    async def queue(self, form: TypeAdapter[RunRequest], request: Request) -> Response:
        """Answer ``POST /run/queue``: begin, and do not wait."""
        order = await self._order(form, request)
        if order.form.execution_mode == "stream" and Quirk.STREAMING_QUEUE in self._quirks:
            return self._streamed(order)
        run = self._begin(order)
        if not is_answerable(order.form, self._quirks):
            raise BrokenError
        if order.form.execution_mode == "sync":
            await self._break_at_end(run)
        return Json({"run_id": run.id})

    async def sync(self, form: TypeAdapter[RunRequest], request: Request) -> Response:
        """Answer ``POST /run/sync``: begin, wait for the end, and list the outputs, newest first."""
        order = await self._order(form, request)
        run = self._begin(order)
        if not is_answerable(order.form, self._quirks):
            raise BrokenError
        return await self._outputs(run, order)

    async def stream(self, form: TypeAdapter[RunRequest], request: Request) -> Response:
        """Answer ``POST /run/stream``: begin, and tell what happens."""
        order = await self._order(form, request)
        if order.form.is_batch and Quirk.BROKEN_ANSWERS in self._quirks:
            raise BrokenError
        return self._streamed(order)

    async def run(self, request: Request) -> Response:
        """Answer ``POST /run``, where the body decides how."""
        order = await self._order(ANY_FORM, request)
        form = order.form
        if form.is_batch and form.execution_mode == "sync_first_result":
            raise HTTPException(400, "Batch number is not supported for sync_first_result execution mode")
        if form.is_batch:
            return Json({"batch_id": self._begin(order).batch_id})
        if form.is_native_run:
            return self._native(order)
        match form.execution_mode:
            case "stream":
                return self._streamed(order)
            case "sync":
                run = self._begin(order)
                await self._break_at_end(run)
                return await self._outputs(run, order)
            case "sync_first_result":
                return await self._first_result(order)
            case _:
                return Json({"run_id": self._begin(order).id})

    async def _order(self, form: TypeAdapter[RunRequest], request: Request) -> _Order:
        order = await asked.body(request, form)
        if not is_storable(order, self._quirks):
            raise BrokenError
        return _Order(order, self._catalogue.chosen(order), asked.base(request))

    def _begin(self, order: _Order, tell: Tell | None = None) -> Run:
        runs = new_runs(order.form, order.deployment, self._clock.now(), self._ids, own_call=tell is None)
        for run in runs:
            deployment = self._catalogue.next(order.deployment, run.workflow_inputs)
            self._machine.begin(run, deployment, order.base, (run is runs[0] and tell) or unheard)
        return runs[0]

    async def _break_at_end(self, run: Run) -> None:
        if Quirk.BROKEN_ANSWERS in self._quirks:
            await self._machine.end_of(run.id)
            raise BrokenError

    async def _ended(self, run: Run) -> Run:
        return await self._machine.end_of(run.id) or run

    async def _outputs(self, run: Run, order: _Order) -> Response:
        ended = await self._ended(run)
        if ended.status != "success" and Quirk.EMPTY_SYNC not in self._quirks:
            raise HTTPException(400, f"Run {ended.id} ended as {ended.status}")
        return Json([quirky_times(output.shown(order.base), self._quirks) for output in reversed(ended.outputs)])

    def _streamed(self, order: _Order) -> Response:
        events = EventQueue()
        run = self._begin(order, quirky_tell(events.put_nowait, self._quirks))
        cancel = partial(self._machine.cancel, run.id, order.base) if Quirk.ABANDONED_RUN in self._quirks else None
        return EventStream(events, self._streams, cancel)

    async def _first_result(self, order: _Order) -> Response:
        for output in (await self._ended(self._begin(order))).outputs:
            for file in output.files:
                try:
                    content = await asyncio.to_thread(self._store.file(output.run_id, file.filename).read_bytes)
                except FileNotFoundError:
                    # Only so many runs are kept.
                    raise HTTPException(400, f"Run {output.run_id} is not kept any more") from None
                return Response(content, media_type=media_type(file.filename))
        raise HTTPException(
            400, "No output found is matching, please check the workflow or disable output_first_result"
        )

    def _native(self, order: _Order) -> Response:
        (run,) = new_runs(order.form, order.deployment, self._clock.now(), self._ids, own_call=False)
        self._store.save(run)
        return Json(native_description(run, order.form, order.deployment, order.base, self._ids.word(32)))
