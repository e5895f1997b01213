"""The routes of the page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.page.guard import Answer, Guard
from comfydeploy._emulator.page.reasons import reason
from comfydeploy._emulator.page.thumbnails import SIZES, thumbnail
from comfydeploy._emulator.page.views import RunView, templates
from comfydeploy._emulator.runs.events import Event
from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.web import requests

RUNS_PER_PAGE: Final = 50
# Real seconds, whatever the pace of the runs: browsers do not follow it.
PAUSE_SECONDS: Final = 0.2
LONGEST_SILENCE: Final = 10.0

_ASSETS: Final = {"style.css": "text/css", "script.js": "text/javascript", "icon.svg": "image/svg+xml"}


@dataclass(frozen=True)
class _View:
    """The content of the page at one moment, and the address of its stream."""

    title: str
    content: str
    events: str
    status: int = 200


_Viewed: TypeAlias = Callable[[Request], _View]


class PageRoutes:
    """Shows the runs, and streams the new content of the page whenever they have changed."""

    def __init__(self, backend: Backend, bearer: str, example_key: str) -> None:
        self._backend: Final = backend
        self._guard: Final = Guard(bearer)
        self._example_key: Final = example_key
        self._templates: Final = templates()
        folder = files("comfydeploy._emulator.page") / "assets"
        self._assets: Final = {name: (folder / name).read_bytes() for name in _ASSETS}

    def routes(self) -> list[Route]:
        """List the routes of the page."""
        answers: dict[str, Answer] = {
            "/": partial(self.page, self._overview),
            "/runs/{run_id}": partial(self.page, self._run),
            "/page/events": partial(self.events, self._overview),
            "/page/events/{run_id}": partial(self.events, self._run),
            "/page/{asset}": self.asset,
            "/page/thumbnails/{size}/{run_id}/{filename}": self.thumbnail,
        }
        return [Route(path, partial(self._guard.answer, answer), methods=["GET"]) for path, answer in answers.items()]

    async def page(self, viewed: _Viewed, request: Request) -> Response:
        """Answer ``GET /`` (the runs, newest first; ``?page=2`` the next fifty) and ``GET /runs/{run_id}``."""
        view = viewed(request)
        return HTMLResponse(self._render("layout.html", view=view, base=requests.base(request)), view.status)

    async def events(self, viewed: _Viewed, request: Request) -> Response:
        """Answer ``GET /page/events`` and ``GET /page/events/{run_id}``: the page at once, and after every change.

        The events have no name; their data are a JSON object of ``title`` (text) and ``content`` (HTML).
        """
        return StreamingResponse(self._updates(viewed, request), media_type="text/event-stream")

    async def asset(self, request: Request) -> Response:
        """Answer the addresses of scripts and styles of the page."""
        name = request.path_params["asset"]
        if media_type := _ASSETS.get(name):
            return Response(self._assets[name], media_type=media_type)
        return PlainTextResponse("Not Found", 404)

    async def thumbnail(self, request: Request) -> Response:
        """Answer the address of a small copy of a picture."""
        run_id, filename, size = (request.path_params[name] for name in ("run_id", "filename", "size"))
        path = self._backend.output_file(run_id, filename)
        content = await asyncio.to_thread(thumbnail, path, size) if path and size in SIZES else None
        return Response(content, media_type="image/png") if content else PlainTextResponse("Not Found", 404)

    async def _updates(self, viewed: _Viewed, request: Request) -> AsyncIterator[bytes]:
        feed = self._backend.feed
        # After how many milliseconds a browser reconnects when the connection is lost.
        yield b"retry: 1000\n\n"
        with feed.watch(_run_id(request)) as happened:
            while not feed.has_ended:
                happened.clear()
                view = viewed(request)
                yield Event(None, {"title": view.title, "content": view.content}).encoded()
                # A pause limits how often a busy page is rendered.
                await asyncio.sleep(PAUSE_SECONDS)
                with suppress(TimeoutError):
                    # Because ages grow even when nothing happens, and a client that left is noticed by sending.
                    await asyncio.wait_for(happened.wait(), LONGEST_SILENCE)

    def _overview(self, request: Request) -> _View:
        store = self._backend.store
        number = _page_number(request)
        total = store.count()
        runs = store.find_runs(RUNS_PER_PAGE, (number - 1) * RUNS_PER_PAGE)
        content = self._render(
            "overview.html",
            runs=[self._seen(run) for run in runs],
            total=total,
            page=number,
            pages=max(1, -(-total // RUNS_PER_PAGE)),
            deployments=self._backend.catalogue.all(),
            url=f"{requests.base(request)}api",
            key=self._example_key,
        )
        return _View("Runs \N{MIDDLE DOT} comfydeploy", content, f"/page/events?page={number}")

    def _run(self, request: Request) -> _View:
        run_id = _run_id(request) or ""
        events = f"/page/events/{quote(run_id, safe='')}"
        run = self._backend.store.run(run_id)
        if not run:
            return _View("No such run", self._render("missing.html", run_id=run_id), events, 404)
        live = self._backend.machine.log(run_id)
        lines = live.lines if live else self._backend.store.log(run_id)
        history = self._backend.feed.history(run_id)
        view = self._seen(run)
        content = self._render(
            "run.html",
            view=view,
            run=run,
            history=history,
            lines=lines,
            reason=reason(run, lines),
            deliveries=[one for one in self._backend.deliveries.all() if one.run_id == run_id],
        )
        return _View(f"{run.status} \N{MIDDLE DOT} {view.name}", content, events)

    def _seen(self, run: Run) -> RunView:
        names = {one.workflow_id: one.name for one in self._backend.catalogue.all()}
        # A kept run may be of a deployment that this server does not have.
        name = names.get(run.workflow_id, "unknown")
        return RunView(run, name, self._backend.clock.now(), self._backend.feed.history(run.id))

    def _render(self, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(values)


def _run_id(request: Request) -> str | None:
    """Return the id of the run that a page is about, if it is about one."""
    run_id = request.path_params.get("run_id")
    return run_id and requests.uuid_or_text(run_id)


def _page_number(request: Request) -> int:
    number = request.query_params.get("page", "1")
    # Text, or a number beyond SQLite's integers, is the first page.
    return max(1, int(number)) if number.isdecimal() and len(number) < 10 else 1  # noqa: PLR2004 - digits
