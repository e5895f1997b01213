"""The types of lists in pages, of deployments, assets and progress: checked by mypy and pyright, never run."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import assert_type

from comfydeploy import ComfyDeploy, ComfyDeployCore, Result, unwrap
from comfydeploy.errors import Error, StreamError
from comfydeploy.funcs.asset_upload import asset_upload, asset_upload_async
from comfydeploy.funcs.assets_list import assets_list
from comfydeploy.funcs.deployment_create import deployment_create
from comfydeploy.funcs.deployment_runs import deployment_runs
from comfydeploy.funcs.machines_list import machines_list, machines_list_async
from comfydeploy.funcs.progress_stream import progress_stream, progress_stream_async
from comfydeploy.funcs.runs_list import runs_list, runs_list_async
from comfydeploy.funcs.usage import usage
from comfydeploy.models import Asset, DeploymentModel, MachineModel, RunProgress, Usage, WorkflowRunRow
from comfydeploy.paging import AsyncPages, Pages
from comfydeploy.streaming import AsyncProgressStream, ProgressStream

core = ComfyDeployCore(bearer="k")
client = ComfyDeploy(bearer="k")

assert_type(runs_list(core, "w"), Pages[WorkflowRunRow])
assert_type(next(runs_list(core, "w")), Result[list[WorkflowRunRow], Error])
assert_type(runs_list(core, "w").rows(), Iterator[Result[WorkflowRunRow, Error]])
assert_type(deployment_runs(core, "d").rows(), Iterator[Result[WorkflowRunRow, Error]])
assert_type(machines_list(core), Pages[MachineModel])
assert_type(deployment_create(core, {"workflow_id": "w"}), Result[DeploymentModel, Error])
assert_type(assets_list(core), Result[list[Asset], Error])
assert_type(asset_upload(core, Path("cat.png")), Result[Asset, Error])
assert_type(usage(core), Result[Usage, Error])
assert_type(progress_stream(core, "w"), Result[ProgressStream, Error])
assert_type(next(unwrap(progress_stream(core, "w"))), Result[RunProgress, StreamError])

assert_type(next(client.runs.list("w")), list[WorkflowRunRow])
assert_type(client.runs.list("w").rows(), Iterator[WorkflowRunRow])
assert_type(client.machines.list().rows(), Iterator[MachineModel])
assert_type(client.asset.upload(b"x", name="a.png"), Asset)
assert_type(client.usage(), Usage)
assert_type(next(client.progress.stream("w")), RunProgress)


async def awaited() -> None:
    assert_type(machines_list_async(core), AsyncPages[MachineModel])
    assert_type(runs_list_async(core, "w").rows(), AsyncIterator[Result[WorkflowRunRow, Error]])
    assert_type(client.workflow.runs_async("w").rows(), AsyncIterator[WorkflowRunRow])
    assert_type(await asset_upload_async(core, b"x", name="a.png"), Result[Asset, Error])
    assert_type(await progress_stream_async(core, "w"), Result[AsyncProgressStream, Error])
    assert_type(await client.usage_async(), Usage)
    async for change in await client.progress.stream_async("w"):
        assert_type(change, RunProgress)
