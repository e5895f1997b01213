"""The control routes: the methods of an ``Emulator`` for tests in other processes and languages."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, TypeAdapter
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.clock import to_milliseconds
from comfydeploy._emulator.faults.faults import Faults
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.recorder import Recorder
from comfydeploy._emulator.web.responses import Json

CONTROL: Final = "/_emulator/"
_OPTIONS: Final = TypeAdapter(dict[str, Any])


class _Advance(BaseModel):
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


_ADVANCE: Final = TypeAdapter(_Advance)


class ControlRoutes:
    """Adds faults, advances the clock, and lists requests, runs and deliveries."""

    def __init__(self, backend: Backend, faults: Faults, recorder: Recorder) -> None:
        self._backend: Final = backend
        self._faults: Final = faults
        self._recorder: Final = recorder

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{CONTROL}faults", self.fail, methods=["POST"]),
            Route(f"{CONTROL}faults", self.faults, methods=["GET"]),
            Route(f"{CONTROL}faults", self.clear_faults, methods=["DELETE"]),
            Route(f"{CONTROL}requests", self.requests, methods=["GET"]),
            Route(f"{CONTROL}requests", self.clear_requests, methods=["DELETE"]),
            Route(f"{CONTROL}runs", self.runs, methods=["GET"]),
            Route(f"{CONTROL}deliveries", self.deliveries, methods=["GET"]),
            Route(f"{CONTROL}clock/advance", self.advance, methods=["POST"]),
        ]

    async def fail(self, request: Request) -> Response:
        """Answer ``POST /_emulator/faults``: add the fault whose fields the body has."""
        options = await requests.body(request, _OPTIONS)
        return _json(self._faults.add(options, "body"), 201)

    async def faults(self, _: Request) -> Response:
        """Answer ``GET /_emulator/faults``: the faults that are not used up."""
        return _json(self._faults.pending)

    async def clear_faults(self, _: Request) -> Response:
        """Answer ``DELETE /_emulator/faults``: remove all faults."""
        self._faults.clear()
        return Response(status_code=204)

    async def requests(self, _: Request) -> Response:
        """Answer ``GET /_emulator/requests``: the received requests, oldest first."""
        return _json(self._recorder.requests)

    async def clear_requests(self, _: Request) -> Response:
        """Answer ``DELETE /_emulator/requests``: remove the recorded requests."""
        self._recorder.clear()
        return Response(status_code=204)

    async def runs(self, _: Request) -> Response:
        """Answer ``GET /_emulator/runs``: all runs as they are now, oldest first."""
        return _json(await self._backend.runs())

    async def deliveries(self, _: Request) -> Response:
        """Answer ``GET /_emulator/deliveries``: the webhook deliveries, oldest first."""
        return _json(self._backend.deliveries.all())

    async def advance(self, request: Request) -> Response:
        """Answer ``POST /_emulator/clock/advance`` once the ``seconds`` have passed on the manual clock."""
        body = await requests.body(request, _ADVANCE)
        try:
            await self._backend.advance(body.seconds)
        except RuntimeError as error:
            raise HTTPException(409, str(error)) from None
        return Json({"now": to_milliseconds(self._backend.clock.now())})


def _json(content: object, status: int = 200) -> Response:
    return Json(to_jsonable_python(content, bytes_mode="base64"), status)
