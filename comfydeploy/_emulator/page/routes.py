"""The routes of the page."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import PurePath
from typing import Final, TypeAlias

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.faults.faults import Faults
from comfydeploy._emulator.page.actions import Actions
from comfydeploy._emulator.page.contents import Contents, View
from comfydeploy._emulator.page.guard import Answer, Guard, RefusedFormError
from comfydeploy._emulator.page.thumbnails import SIZES, thumbnail
from comfydeploy._emulator.runs.events import Event
from comfydeploy._emulator.web import requests

# Real seconds, whatever the pace of the runs: browsers do not follow it.
PAUSE_SECONDS: Final = 0.2
LONGEST_SILENCE: Final = 10.0

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STYLES: Final = ("style.css", "runs.css", "forms.css")
_SEE_OTHER: Final = 303

_Viewed: TypeAlias = Callable[[Request], View]
_Action: TypeAlias = Callable[[Request, FormData], Awaitable[str | View]]


class PageRoutes:
    """Shows the runs and what can be run, streams the new content when it has changed, and takes forms."""

    def __init__(self, backend: Backend, faults: Faults, bearer: str, example_key: str) -> None:
        self._backend: Final = backend
        self._guard: Final = Guard(bearer)
        self._contents: Final = Contents(backend, faults, self._guard.token, example_key)
        self._actions: Final = Actions(backend, faults, self._contents)
        folder = files("comfydeploy._emulator.page") / "assets"
        self._assets: Final = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}
        # One request is faster than three, and nothing is painted before the last one.
        self._assets["style.css"] = b"\n".join(self._assets.pop(name) for name in _STYLES)

    def routes(self) -> list[Route]:
        """List the routes of the page."""
        contents, actions = self._contents, self._actions
        views: dict[str, _Viewed] = {
            "/": contents.overview,
            "/runs/{run_id}": contents.run,
            "/comparison": contents.comparison,
            "/deployments": contents.deployments,
            "/deployments/{deployment_id}": contents.deployment,
            "/switches": contents.switches,
        }
        streams: dict[str, _Viewed] = {
            "/page/events": contents.overview,
            "/page/events/comparison": contents.comparison,
            "/page/events/{run_id}": contents.run,
        }
        forms: dict[str, _Action] = {
            "/deployments/{deployment_id}/run": actions.run,
            "/runs/{run_id}/again": actions.again,
            "/runs/{run_id}/cancel": actions.cancel,
            "/switches/quirks": actions.switch_quirks,
            "/switches/faults": actions.add_fault,
            "/switches/faults/clear": actions.clear_faults,
        }
        answers: dict[str, Answer] = {
            **{path: partial(self.page, viewed) for path, viewed in views.items()},
            **{path: partial(self.events, viewed) for path, viewed in streams.items()},
            "/page/{asset}": self.asset,
            "/page/thumbnails/{size}/{run_id}/{filename}": self.thumbnail,
        }
        return [
            *(self._route(path, answer, "GET") for path, answer in answers.items()),
            *(self._route(path, partial(self.form, action), "POST") for path, action in forms.items()),
        ]

    async def page(self, viewed: _Viewed, request: Request) -> Response:
        """Answer the address of a page."""
        return self._document(viewed(request), request)

    async def form(self, action: _Action, request: Request) -> Response:
        """Answer a form: go to where its result is shown, or say why it was not accepted."""
        try:
            async with self._guard.form(request) as form:
                result = await action(request, form)
        except RefusedFormError as error:
            result = self._contents.refused("This form was not accepted", str(error), error.status)
        if isinstance(result, View):
            return self._document(result, request)
        return RedirectResponse(result, _SEE_OTHER)

    async def events(self, viewed: _Viewed, request: Request) -> Response:
        """Answer the address of the stream of a page: its content at once, and after every change.

        The events have no name; their data are a JSON object of ``title`` (text) and ``content`` (HTML).
        """
        return StreamingResponse(self._updates(viewed, request), media_type="text/event-stream")

    async def asset(self, request: Request) -> Response:
        """Answer the addresses of scripts and styles of the page."""
        name = request.path_params["asset"]
        if content := self._assets.get(name):
            return Response(content, media_type=_TYPES.get(PurePath(name).suffix, "text/plain"))
        return PlainTextResponse("Not Found", 404)

    async def thumbnail(self, request: Request) -> Response:
        """Answer the address of a small copy of a picture."""
        run_id, filename, size = (request.path_params[name] for name in ("run_id", "filename", "size"))
        path = self._backend.output_file(run_id, filename)
        content = await asyncio.to_thread(thumbnail, path, size) if path and size in SIZES else None
        return Response(content, media_type="image/png") if content else PlainTextResponse("Not Found", 404)

    async def _updates(self, viewed: _Viewed, request: Request) -> AsyncIterator[bytes]:
        feed = self._backend.feed
        run_id = request.path_params.get("run_id")
        shown: View | None = None
        # After how many milliseconds a browser reconnects when the connection is lost.
        yield b"retry: 1000\n\n"
        with feed.watch(run_id and requests.uuid_or_text(run_id)) as happened:
            while not feed.has_ended:
                happened.clear()
                view = viewed(request)
                # A comment, because a client that left is noticed by sending.
                yield (
                    Event(None, {"title": view.title, "content": view.content}).encoded() if view != shown else b":\n\n"
                )
                shown = view
                # A pause limits how often a busy page is rendered.
                await asyncio.sleep(PAUSE_SECONDS)
                with suppress(TimeoutError):
                    # Because ages grow even when nothing happens.
                    await asyncio.wait_for(happened.wait(), LONGEST_SILENCE)

    def _document(self, view: View, request: Request) -> Response:
        return HTMLResponse(self._contents.document(view, request), view.status)

    def _route(self, path: str, answer: Answer, method: str) -> Route:
        return Route(path, partial(self._guard.answer, answer), methods=[method])
