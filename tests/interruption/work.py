"""Each kind of work of the client, blocking and async, on the quick server."""

import asyncio
import importlib
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from quick_server import FILE

from comfydeploy import ComfyDeployCore, RequestOptions, Success
from comfydeploy.options import BackoffStrategy, RetryConfig

RUN = {"deployment_id": "d"}
ENDLESS = {"deployment_id": "endless"}
RETRIES = RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(initial_interval=1, max_interval=1)))
ONE_PLACE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


@contextmanager
def quick_client():
    """Leave out the pauses of the client, and give each of its pools room for one connection, so that none is spare."""
    real_sleep = asyncio.sleep

    async def sleep(_, result=None):
        return await real_sleep(0, result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("comfydeploy._http.connections._limits", lambda **_: ONE_PLACE)
        for module in ("call", "steps", "storage"):
            patch.setattr(f"comfydeploy._drivers.{module}.time", SimpleNamespace(sleep=lambda _: None))
        patch.setattr(asyncio, "sleep", sleep)
        for name in ("listing.FIRST", "schedule._FIRST", "protocol.FIRST", "followed._FIRST"):
            patch.setattr(f"comfydeploy._mapping.{name}", 0.001)
        patch.setattr("comfydeploy._drivers.maps.in_work._LOOK", 0.002)
        yield


class World:
    """A core for the quick server, and a folder."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        self.core = ComfyDeployCore(bearer="key", server_url=server.url)

    @property
    def files(self):
        """The names of the files of the folder, and their sizes."""
        return {path.name: path.stat().st_size for path in self.folder.iterdir()}

    def clear(self):
        """Remove all files but the one to upload."""
        for path in self.folder.iterdir():
            path.unlink()
        self.given.write_bytes(FILE)

    @property
    def given(self):
        """A file to upload."""
        return self.folder / "given.png"


class Work:
    """A function of the client, called until its result is there, or its items are read.

    ``creates`` is whether it creates runs; then ``follows`` is whether an interrupt of it names them.
    """

    def __init__(self, name, /, *given, creates=False, follows=False, count=None, **named):
        self.name = name
        self.creates = creates
        self.follows = follows
        self.given = given
        self._named = named
        self._count = count

    def __repr__(self):
        return " ".join([self.name, *(key for key in self._named), *([] if self._count is None else ["left"])])

    def do(self, world):
        """Do it, and return its result or items."""
        found = self._called(world, self.name)
        if not hasattr(found, "unwrap"):
            return self._read(found)
        value = _value(found)
        return self._read(value) if hasattr(value, "__next__") else value

    async def do_async(self, world):
        """Do it, async."""
        found = self._called(world, f"{self.name}_async")
        if hasattr(found, "__aiter__"):
            return await self._read_async(found)
        value = _value(await found)
        return await self._read_async(value) if hasattr(value, "__aiter__") else value

    def begin(self, world):
        """Read the first item of what it returns, and drop it."""
        next(iter(self.source(world)))

    def source(self, world):
        """Return what has the items."""
        found = self._called(world, self.name)
        return _value(found) if hasattr(found, "unwrap") else found

    async def begin_async(self, world):
        """Read the first item of what it returns, and drop it, async."""
        await anext(aiter(await self.source_async(world)))

    async def source_async(self, world):
        """Return what has the items, async."""
        found = self._called(world, f"{self.name}_async")
        return found if hasattr(found, "__aiter__") else _value(await found)

    def _called(self, world, name):
        function = getattr(importlib.import_module(f"comfydeploy.funcs.{self.name}"), name)
        given = [one(world) if callable(one) else one for one in self.given]
        named = {key: one(world) if callable(one) else one for key, one in self._named.items()}
        return function(world.core, *given, **named)

    def _read(self, source):
        with source if hasattr(source, "__enter__") else NotClosed():
            items = []
            for item in source:
                items.append(_value(getattr(item, "result", item)))
                if len(items) == self._count:
                    break
            return items

    async def _read_async(self, source):
        async with source if hasattr(source, "__aenter__") else NotClosed():
            items = []
            async for item in source:
                items.append(_value(getattr(item, "result", item)))
                if len(items) == self._count:
                    break
            return items


class NotClosed:
    """A context of an iterator that has none."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


def _value(result):
    """Return the value of a result; a failure is raised. None of its lines are those of the client."""
    if not isinstance(result, Success):
        raise result.failure()
    return result.unwrap()


def _url(world):
    return f"{world.server.url}/a.png"


def _given(world):
    return world.given


WORK = [
    Work("run_get", "made"),
    Work("run_get", "busy", options=RETRIES),
    Work("run_get", "made", options=RequestOptions(deadline=60)),
    Work("run_queue", RUN, creates=True),
    Work("run_sync", RUN, creates=True),
    Work("run_stream", RUN, creates=True),
    Work("run_stream", ENDLESS, creates=True, count=1),
    Work("run_logs_stream", "made"),
    Work("run_wait", "made"),
    Work("run_watch", "made"),
    Work("run_watch", "made", count=1),
    Work("run_queue_and_wait", RUN, creates=True, follows=True),
    Work("run_queue_and_wait", RUN, creates=True, follows=True, on_abandon="cancel"),
    Work("run_queue_once", RUN, "the-key", creates=True),
    Work("run_find", "the-key", workflow_id="w"),
    Work("runs_list", "w", limit=2),
    Work("runs_list", "w", limit=2, count=1),
    Work("file_upload", FILE, name="a.png"),
    Work("file_upload", _given),
    Work("inputs_upload", lambda world: {"picture": world.given}),
    Work("file_download", _url),
    Work("file_download", _url, to=lambda world: world.folder / "b.png"),
    Work("run_download", "made", to=lambda world: world.folder),
    Work("run_map", [RUN, RUN], creates=True, to=lambda world: f"{world.folder}/{{key}}{{suffix}}"),
    Work("run_map", [RUN, RUN], creates=True, count=1, journal=lambda world: world.folder / "map.journal"),
]
