"""A watch yields the items of its follower to one reader at a time, up to the end of the run; without a connection."""

import asyncio
from types import SimpleNamespace

import pytest

from comfydeploy.errors import UnexpectedClientError
from comfydeploy.models import WorkflowRunModel
from comfydeploy.result import Success
from comfydeploy.watching import AsyncRunWatch, RunWatch

RUNNING, ENDED = (Success(WorkflowRunModel(id="r", status=status)) for status in ("running", "success"))


class Watched:
    """A watch, blocking or async, whose items are these; an exception among them is raised."""

    def __init__(self, color, *items):
        self.follower = SimpleNamespace(run_id="r", run=None, result=None)
        self.left, self.inside, self._items = 0, None, list(items)
        if color == "blocking":
            self.watch = RunWatch(self.follower, self._take, self._leave)
        else:
            self.watch = AsyncRunWatch(self.follower, self._take_async, self._leave)

    def next(self):
        """Return the next item, or ``None`` after the last one."""
        if isinstance(self.watch, RunWatch):
            return next(self.watch, None)
        return asyncio.run(self._next_async())

    def close(self):
        if isinstance(self.watch, RunWatch):
            self.watch.close()
        else:
            asyncio.run(self.watch.aclose())

    def enter(self):
        if isinstance(self.watch, RunWatch):
            with self.watch as entered:
                return entered
        return asyncio.run(self._enter_async())

    async def _enter_async(self):
        async with self.watch as entered:
            return entered

    async def _next_async(self):
        return await anext(self.watch, None)

    def _take(self):
        item = self._items.pop(0)
        if isinstance(item, BaseException):
            raise item
        self.follower.run = item.unwrap()
        self.follower.result = item if item is ENDED else None
        return item

    async def _take_async(self):
        self.inside = await anext(self.watch)
        return self._take()

    def _leave(self):
        self.left += 1


@pytest.fixture(params=["blocking", "async"])
def watched(request):
    """Return a watch with these items."""
    return lambda *items: Watched(request.param, *items)


def test_watch_ends_with_run(watched):
    found = watched(RUNNING, ENDED, RUNNING)
    assert [found.next(), found.watch.result, found.watch.run.status] == [RUNNING, None, "running"]
    assert [found.next(), found.watch.result, found.next(), found.next()] == [ENDED, ENDED, None, None]


def test_closed_watch_is_over(watched):
    found = watched(RUNNING, RUNNING)
    assert found.next() is RUNNING
    found.close()
    assert (found.next(), found.left) == (None, 1)


def test_left_block_closes_watch(watched):
    found = watched(RUNNING)
    assert found.enter() is found.watch
    assert (found.next(), found.left) == (None, 1)


def test_interrupted_read_goes_on(watched):
    found = watched(KeyError("interrupted"), RUNNING)
    with pytest.raises(KeyError):
        found.next()
    assert found.next() is RUNNING


def test_second_reader_gets_error():
    found = Watched("blocking", RUNNING, RUNNING)
    found.watch._next_item = lambda: (found.next(), found._take())
    refused, item = found.next()
    assert item is RUNNING
    check_refused(refused.failure())


def test_second_async_reader_gets_error():
    found = Watched("async", RUNNING)
    assert found.next() is RUNNING
    check_refused(found.inside.failure())


def check_refused(error):
    assert isinstance(error, UnexpectedClientError)
    assert (error.fate, error.run_id) == ("answered", "r")
    assert "watched already" in error.message


def test_watch_prints_its_run(watched):
    found = watched(RUNNING)
    name = type(found.watch).__name__
    assert repr(found.watch) == f"{name}(run_id='r', status=None)"
    found.next()
    assert repr(found.watch) == f"{name}(run_id='r', status='running')"
    assert "running" in str(found.watch._repr_mimebundle_())
