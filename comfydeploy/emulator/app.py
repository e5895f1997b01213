"""The routes."""

from typing import Any, Final, Literal
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .bodies import UnprocessableError, checked, problem, run_request
from .clock import Clock
from .deployments import DEPLOYMENTS, ENVIRONMENT, chosen
from .events import EventQueue, EventStream
from .machine import Machine
from .runs import Run, new_runs
from .store import Store

_RUN_ID: Final = TypeAdapter(UUID)
_YES_OR_NO: Final = TypeAdapter(bool)
_ENVIRONMENT: Final[TypeAdapter[str]] = TypeAdapter(
    Literal["staging", "production", "public-share", "private-share", "community-share", "preview"]
)


class Json(Response):
    """A JSON answer; what JSON cannot say (an infinite number) becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the content without spaces, as the real server does."""
        return to_json(content, inf_nan_mode="null")


class Api:
    """What the server answers."""

    def __init__(self, store: Store, machine: Machine, clock: Clock, streams: set[EventStream]) -> None:
        self._store: Final = store
        self._machine: Final = machine
        self._clock: Final = clock
        self._streams: Final = streams

    async def get_run(self, request: Request) -> Response:
        """Answer ``GET /run/{run_id}`` and ``GET /run?run_id=``."""
        where = "path" if "run_id" in request.path_params else "query"
        given = request.path_params.get("run_id", request.query_params.get("run_id"))
        if given is None:
            raise UnprocessableError([problem("missing", ("query", "run_id"), "Field required", None)])
        run = self._run(str(checked(_RUN_ID, given, (where, "run_id"))))
        asked = request.query_params.get("queue_position", "false")
        wanted = checked(_YES_OR_NO, asked, ("query", "queue_position"))
        return Json(run.shown(_base(request), self._store.queue_position(run) if wanted else None))

    async def queue(self, request: Request) -> Response:
        """Answer ``POST /run/queue``: begin, and do not wait."""
        return Json({"run_id": await self._begin(request)})

    async def sync(self, request: Request) -> Response:
        """Answer ``POST /run/sync``: begin, wait for the end, and list the outputs, newest first."""
        run_id = await self._begin(request)
        await self._machine.end_of(run_id)
        return Json([output.shown(_base(request)) for output in reversed(self._run(run_id).outputs)])

    async def stream(self, request: Request) -> Response:
        """Answer ``POST /run/stream``: begin, and tell what happens."""
        events = EventQueue()
        await self._begin(request, events)
        return EventStream(events, self._streams)

    async def deployments(self, request: Request) -> Response:
        """Answer ``GET /deployments``."""
        environment = request.query_params.get("environment", ENVIRONMENT)
        wanted = checked(_ENVIRONMENT, environment, ("query", "environment"))
        return Json([deployment.shown() for deployment in DEPLOYMENTS if wanted == ENVIRONMENT])

    async def output_file(self, request: Request) -> Response:
        """Answer the address of an output; only names that a run lists exist."""
        run = self._store.run(request.path_params["run_id"])
        for output in run.outputs if run else ():
            if output.filename == request.path_params["filename"]:
                return FileResponse(self._store.file(output.run_id, output.filename))
        raise HTTPException(404)

    def _run(self, run_id: str) -> Run:
        if run := self._store.run(run_id):
            return run
        raise HTTPException(404, "Run not found")

    async def _begin(self, request: Request, listener: EventQueue | None = None) -> str:
        form = run_request(await request.body(), request.headers.get("content-type", ""))
        deployment = chosen(form)
        first, *others = new_runs(form, deployment, self._clock.now())
        base = _base(request)
        self._machine.begin(first, deployment, base, listener)
        for run in others:
            self._machine.begin(run, deployment, base)
        return first.id


def application(api: Api, bearer: str) -> ASGIApp:
    """Make the server of an API, closed to all who do not know ``bearer``."""
    routes = [
        Route("/api/run", api.get_run, methods=["GET"]),
        Route("/api/run/queue", api.queue, methods=["POST"]),
        Route("/api/run/sync", api.sync, methods=["POST"]),
        Route("/api/run/stream", api.stream, methods=["POST"]),
        Route("/api/run/{run_id}", api.get_run, methods=["GET"]),
        Route("/api/deployments", api.deployments, methods=["GET"]),
        Route("/outputs/runs/{run_id}/{filename}", api.output_file, methods=["GET"]),
    ]
    for route in routes:
        # Starlette answers HEAD wherever GET is; the real server does not.
        (route.methods or set()).discard("HEAD")
    return BearerGate(
        Starlette(
            routes=routes,
            exception_handlers=dict.fromkeys((HTTPException, UnprocessableError, ClientDisconnect), _refusal),
        ),
        bearer,
    )


class BearerGate:
    """Lets requests below ``/api`` pass that carry the key."""

    def __init__(self, app: ASGIApp, bearer: str) -> None:
        self._app: Final = app
        self._bearer: Final = bearer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the application answer."""
        await (self._refusal(scope) or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if not (scope["path"] + "/").startswith("/api/"):
            return None
        scheme, space, key = Request(scope).headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not space:
            return Json({"detail": "Invalid or missing token"}, 401)
        if key != self._bearer:
            return Json({"detail": "Invalid or expired token"}, 401)
        return None


def _base(request: Request) -> str:
    return str(request.base_url)


def _refusal(_: Request, error: Exception) -> Response:
    match error:
        case HTTPException():
            return Json({"detail": error.detail}, error.status_code, error.headers)
        case UnprocessableError():
            return Json({"detail": error.problems}, 422)
        case _:
            # The client left while it was sending: nobody reads this.
            return Response(status_code=400)
