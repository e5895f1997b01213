"""The routes that create runs."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.forms import ANY_FORM, DEPLOYMENT_FORM, WORKFLOW_FORM, RunRequest
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.orders import Order, order_of
from comfydeploy._emulator.quirks.answers import is_answerable, quirky_json
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.quirks.streams import quirky_listener
from comfydeploy._emulator.routes.native import native_json
from comfydeploy._emulator.runs.events import EventQueue
from comfydeploy._emulator.runs.run import Run, new_runs
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.event_stream import EventStream
from comfydeploy._emulator.web.responses import BrokenError, Json


async def queue(form: TypeAdapter[RunRequest], backend: Backend, request: Request) -> Response:
    """Answer ``POST /run/queue``: start the run and do not wait for it."""
    order = await _order(form, backend, request)
    if order.form.execution_mode == "stream" and Quirk.STREAMING_QUEUE in backend.quirks:
        return _stream(order)
    run = order.start()
    if not is_answerable(order.form, backend.quirks):
        raise BrokenError
    if order.form.execution_mode == "sync":
        await _break_at_end(backend, run)
    return Json({"run_id": run.id})


async def sync(form: TypeAdapter[RunRequest], backend: Backend, request: Request) -> Response:
    """Answer ``POST /run/sync``: start the run, wait for its end, and list the outputs, newest first."""
    order = await _order(form, backend, request)
    run = order.start()
    if not is_answerable(order.form, backend.quirks):
        raise BrokenError
    return await _outputs(order, run)


async def stream(form: TypeAdapter[RunRequest], backend: Backend, request: Request) -> Response:
    """Answer ``POST /run/stream``: start the run and send its events."""
    order = await _order(form, backend, request)
    if order.form.is_batch and Quirk.BROKEN_ANSWERS in backend.quirks:
        raise BrokenError
    return _stream(order)


async def run(backend: Backend, request: Request) -> Response:
    """Answer ``POST /run``, where the body decides how."""
    order = await _order(ANY_FORM, backend, request)
    form = order.form
    if form.is_batch and form.execution_mode == "sync_first_result":
        raise HTTPException(400, "Batch number is not supported for sync_first_result execution mode")
    if form.is_batch:
        return Json({"batch_id": order.start().batch_id})
    if form.is_native_run:
        return _native(order)
    match form.execution_mode:
        case "stream":
            return _stream(order)
        case "sync":
            started = order.start()
            await _break_at_end(backend, started)
            return await _outputs(order, started)
        case "sync_first_result":
            return await _first_result(order)
        case _:
            return Json({"run_id": order.start().id})


async def _order(form: TypeAdapter[RunRequest], backend: Backend, request: Request) -> Order:
    return order_of(await requests.body(request, form), backend, requests.base(request))


async def _break_at_end(backend: Backend, run: Run) -> None:
    if Quirk.BROKEN_ANSWERS in backend.quirks:
        await backend.machine.end_of(run.id)
        raise BrokenError


async def _outputs(order: Order, run: Run) -> Response:
    ended = await order.backend.machine.end_of(run.id) or run
    quirks, now = order.backend.quirks, order.backend.clock.now()
    if ended.status != "success" and Quirk.EMPTY_SYNC not in quirks:
        raise HTTPException(400, f"Run {ended.id} ended as {ended.status}")
    return Json([quirky_json(output.output_json(order.base), quirks, now) for output in reversed(ended.outputs)])


def _stream(order: Order) -> Response:
    backend = order.backend
    events = EventQueue()
    run = order.start(quirky_listener(events.put_nowait, backend.quirks, backend.clock.now))
    cancel = partial(backend.machine.cancel, run.id, order.base) if Quirk.ABANDONED_RUN in backend.quirks else None
    return EventStream(events, backend.streams, cancel)


async def _first_result(order: Order) -> Response:
    run = order.start()
    ended = await order.backend.machine.end_of(run.id) or run
    outputs = ended.outputs
    if Quirk.BLIND_FIRST_RESULT in order.backend.quirks and ended.status == "success":
        outputs = ended.outputs[-1:]
        if not outputs or not outputs[0].data.get("images"):
            raise BrokenError
    for output in outputs:
        for file in output.files:
            path = order.backend.store.file(output.run_id, file.filename)
            try:
                content = await asyncio.to_thread(path.read_bytes)
            except FileNotFoundError:
                # Removed by the retention.
                raise HTTPException(400, f"Run {output.run_id} is not kept any more") from None
            return Response(content, media_type=media_type(file.filename))
    raise HTTPException(400, "No output found is matching, please check the workflow or disable output_first_result")


def _native(order: Order) -> Response:
    backend = order.backend
    (native,) = new_runs(order.form, order.deployment, backend.clock.now(), backend.ids, own_call=False)
    backend.store.save(native)
    return Json(native_json(native, order.form, order.deployment, order.base, backend.ids.word(32)))


def _operation_of(body: Any) -> str | None:
    """Return the name of the operation that sends this body to ``POST /run``."""
    match body:
        case {"batch_input_params": params} if params is not None:
            return "run_batch"
        case {"batch_number": int(number)} if number > 1:
            return "run_batch"
        case {"is_native_run": native} if native:
            return "run_native"
        case {"execution_mode": "sync_first_result"}:
            return "run_first_result"
        case _:
            return None


_OF_ANY_FORM: Final = ("run_batch", "run_first_result", "run_native")
_MODES: Final = {"queue": queue, "sync": sync, "stream": stream}
_FORMS: Final[Mapping[str, TypeAdapter[RunRequest]]] = {
    "run": ANY_FORM,
    "run/deployment": DEPLOYMENT_FORM,
    "run/workflow": WORKFLOW_FORM,
}

ENDPOINTS: Final = (
    Endpoint[Backend]("POST", "/api/run", run, _OF_ANY_FORM, _operation_of),
    *(
        Endpoint[Backend]("POST", f"/api/{path}/{mode}", partial(handler, form), (f"{path.replace('/', '_')}_{mode}",))
        for path, form in _FORMS.items()
        for mode, handler in _MODES.items()
    ),
)
