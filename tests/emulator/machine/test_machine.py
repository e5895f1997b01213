import asyncio

import pytest

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.deployment import DEPLOYMENTS
from comfydeploy._emulator.deployments.forms import DEPLOYMENT_FORM
from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.machine import Machine
from comfydeploy._emulator.runs.feed import Feed
from comfydeploy._emulator.runs.run import new_runs
from comfydeploy._emulator.runs.store import Store


@pytest.mark.parametrize("again", ["cancel", "stop"])
def test_cancelled_run_can_clean_up(again):
    async def ended() -> list[str]:
        begun, may_end, done = asyncio.Event(), asyncio.Event(), []

        async def life(*_):
            try:
                begun.set()
                await asyncio.Event().wait()
                yield
            finally:
                await may_end.wait()
                done.append("cleaned up")

        clock = Clock(0)
        feed, store = Feed(clock), Store(Folder(None), None)
        machine = Machine(store, clock, life, lambda _run, _base: None, feed)
        form = DEPLOYMENT_FORM.validate_python({"deployment_id": DEPLOYMENTS[0].id})
        (run,) = new_runs(form, DEPLOYMENTS[0], clock.now(), Ids(1))
        machine.start(run, DEPLOYMENTS[0], "http://emulator/")
        await begun.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(machine.cancel(run.id, ""))
            await asyncio.sleep(0)
            tasks.create_task(machine.cancel(run.id, "") if again == "cancel" else machine.stop())
            await asyncio.sleep(0)
            may_end.set()
        store.close()
        return done

    assert asyncio.run(ended()) == ["cleaned up"]
