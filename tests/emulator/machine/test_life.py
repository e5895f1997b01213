import asyncio
from uuid import UUID

import pytest

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.deployments.catalogue import Catalogue
from comfydeploy._emulator.deployments.forms import DeploymentRunRequest
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.life import Change, Pause, Upload
from comfydeploy._emulator.machine.simulation import Simulation
from comfydeploy._emulator.runs.run import new_runs


def acts(name: str, **inputs) -> list:
    catalogue, clock, ids = Catalogue(), Clock(0), Ids()
    deployment = catalogue.find("name", name, "no")
    form = DeploymentRunRequest(deployment_id=UUID(deployment.id), inputs=inputs)
    (run,) = new_runs(form, deployment, clock.now(), ids)
    life = Simulation(clock, ids, cold_start=0.3).life(run, catalogue.next(deployment, inputs), 1, "http://here/")

    async def collected() -> list:
        return [act async for act in life]

    return asyncio.run(collected())


def statuses(story: list) -> list:
    return [act.fields["status"] for act in story if isinstance(act, Change) and "status" in act.fields]


@pytest.mark.parametrize(("name", "end"), [("picture", "success"), ("slow", "success"), ("failing", "failed")])
def test_run_passes_through_every_status_once(name, end):
    assert statuses(acts(name)) == ["queued", "started", "running", end]


@pytest.mark.parametrize(("name", "least", "most"), [("picture", 1, 3), ("slow", 6, 15), ("failing", 0.5, 3)])
def test_run_takes_time_of_its_deployment(name, least, most):
    assert least < sum(act.seconds for act in acts(name) if isinstance(act, Pause)) < most


def test_progress_only_rises_and_reaches_one():
    progress = [act.fields["progress"] for act in acts("slow") if isinstance(act, Change) and "progress" in act.fields]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


@pytest.mark.parametrize("fail", [True, "reason", 1, [0]])
def test_fail_input_fails_any_run(fail):
    story = acts("picture", fail=fail)
    assert statuses(story)[-1] == "failed"
    assert not [act for act in story if isinstance(act, Upload)]


@pytest.mark.parametrize("fail", [False, "", 0, []])
def test_asking_not_to_fail_changes_nothing(fail):
    assert statuses(acts("picture", fail=fail))[-1] == "success"
