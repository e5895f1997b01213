"""The recipes of docs/scale.md, each with its engine.

Some of these are too large to be installed for all tests. For them install ray, prefect or temporalio, and run this
file with ``pytest -W ignore``, since they leave files open.
"""

import asyncio
import re
import time
from pathlib import Path

import pytest

from comfydeploy import ComfyDeployCore, Failure, RequestOptions, Success
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.map_step import map_step
from comfydeploy.mapping import Job, JobHeld, MapItem

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
KNOWN = {
    "Failure": Failure,
    "JobHeld": JobHeld,
    "MapItem": MapItem,
    "RequestOptions": RequestOptions,
    "Success": Success,
    "map_step": map_step,
}


def recipe(heading):
    """Return the program below a heading."""
    return re.search(
        rf"^## {heading}\n.*?```py(?:thon)?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )[1]


@pytest.fixture
def server():
    with Emulator(pace=0) as running:
        yield running


@pytest.fixture
def module(server, tmp_path):
    """The names of the program before the recipes."""
    request = {"deployment_id": server.deployments["picture"], "inputs": {"width": 16, "height": 16}}
    pictures = [Job(key, {**request, "inputs": {"seed": seed}}) for seed, key in enumerate("abc")]
    with ComfyDeployCore(bearer=server.bearer, server_url=server.url) as core:
        yield {**KNOWN, "core": core, "JOURNAL": str(tmp_path / "map.sqlite"), "pictures": pictures, "__name__": "page"}


def carried_out(heading, module, tmp_path):
    source = recipe(heading).replace("/shared/", f"{tmp_path}/").replace('"herons"', f'"{tmp_path}/herons"')
    exec(compile(source, str(PAGE), "exec"), module)


@pytest.mark.filterwarnings("ignore")
def test_celery(module, server, tmp_path):
    """A task that is delivered three times has one run."""
    testing = pytest.importorskip("celery.contrib.testing.worker")
    carried_out("Celery", module, tmp_path)
    app, job = module["app"], module["pictures"][0]
    app.conf.update(result_backend="cache+memory://", worker_hijack_root_logger=False)
    with testing.start_worker(app, pool="threads", concurrency=3, perform_ping_check=False, loglevel="critical"):
        tasks = [module["step"].delay(job.key, job.request) for _ in range(3)]
        wait(lambda: any(task.state == "SUCCESS" for task in tasks))
        (path,) = next(task.result for task in tasks if task.state == "SUCCESS")
    assert Path(path).exists()
    assert len(server.runs) == 1


def wait(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.filterwarnings("ignore")
def test_ray(module, server, tmp_path, capsys):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        carried_out("Ray", module, tmp_path)
    finally:
        ray.shutdown()
    assert capsys.readouterr().out.count("<Success: WorkflowRunModel(") == len(server.runs) == 3


@pytest.mark.filterwarnings("ignore")
def test_prefect(module, server, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "300")
    pytest.importorskip("prefect")
    carried_out("Prefect", module, tmp_path)
    assert len(module["herons"]()) == len(server.runs) == 3
    assert len(module["herons"]()) == len(server.runs)


@pytest.mark.filterwarnings("ignore")
def test_temporal(module, server, tmp_path):
    """The activity alone: a workflow needs a server of Temporal."""
    testing = pytest.importorskip("temporalio.testing")
    carried_out("Temporal", module, tmp_path)
    job = module["pictures"][0]
    for _ in range(2):
        (path,) = testing.ActivityEnvironment().run(module["draw_picture"], job.key, job.request)
        assert Path(path).exists()
    assert len(server.runs) == 1
    assert asyncio.iscoroutinefunction(module["Herons"].run)
