"""A task that is cancelled at some suspensions of each kind of work leaves nothing, whatever cancels it."""

import pytest
import trio
from cancel_points import WAYS
from trials import Trial
from work import WORK, World

_TRIED = 3


@pytest.mark.parametrize("work", WORK, ids=repr)
def test_cancellation_leaves_nothing(work, server, tmp_path):
    for index, way in enumerate(WAYS[WORK.index(work) % 2 :: 2]):  # half of the ways each
        number = passed = 1 + index % _TRIED
        while passed >= number:
            trial = Trial(work, server, tmp_path)
            passed = trial.cancel(way, number)
            assert trial.faults == [], (way, number)
            number += 2 * _TRIED


@pytest.mark.parametrize("work", WORK, ids=repr)
def test_trio_is_refused_without_a_trace(work, server, tmp_path):
    world = World(server, tmp_path)
    world.clear()
    server.forget()

    async def refused():
        with pytest.raises(Exception, match="asyncio"):
            await work.do_async(world)

    trio.run(refused)
    assert server.requests == []
    assert set(world.files) == {"given.png"}
