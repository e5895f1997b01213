import pkgutil
from importlib import import_module

import pytest

from comfydeploy import ComfyDeployCore, funcs
from comfydeploy._emulator.routes.service import OPERATIONS
from comfydeploy.emulator import Emulator


@pytest.fixture
def emulator():
    with Emulator(port=None, pace=0) as emulator:
        yield emulator


def test_every_operation_has_endpoint():
    """Composite functions have no ``OPERATION`` and no endpoint of their own."""
    names = {one.name for one in pkgutil.iter_modules(funcs.__path__)} - {"run_get_run_run_run_id_get"}
    modules = {name: import_module(f"comfydeploy.funcs.{name}") for name in names}
    operations = {name for name, module in modules.items() if hasattr(module, "OPERATION")}
    assert operations <= set(OPERATIONS.names)


UNKNOWN = "00000000-0000-4000-8000-000000000000"
GRAPH = {"workflow_id": UNKNOWN, "workflow_api_json": {"1": {}}}
DEPLOYMENT = {"deployment_id": UNKNOWN}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("run_get", (UNKNOWN,)),
        ("run_cancel", (UNKNOWN,)),
        *((f"run_{mode}", (DEPLOYMENT,)) for mode in ("queue", "sync", "stream")),
        *((f"run_deployment_{mode}", (DEPLOYMENT,)) for mode in ("queue", "sync", "stream")),
        *((f"run_workflow_{mode}", (GRAPH,)) for mode in ("queue", "sync", "stream")),
        ("run_batch", ({**DEPLOYMENT, "batch_number": 2},)),
        ("run_first_result", (DEPLOYMENT,)),
        ("run_native", (DEPLOYMENT,)),
        ("run_logs", (UNKNOWN,)),
        ("run_logs_stream", (UNKNOWN,)),
        ("deployments_list", ()),
        ("session_create", ({"machine_id": UNKNOWN},)),
        ("session_get", (UNKNOWN,)),
        ("session_list", ()),
        ("session_cancel", (UNKNOWN,)),
        ("session_increase_timeout", (UNKNOWN, 5)),
        ("file_upload", (b"x",)),
        ("progress_stream", (UNKNOWN,)),
        ("deployment_get", (UNKNOWN,)),
        ("deployment_update", (UNKNOWN, {})),
        ("workflow_get", (UNKNOWN,)),
        ("workflow_version_get", (UNKNOWN,)),
        ("machine_get", (UNKNOWN,)),
        ("models_list", ()),
        ("models_search", ("picture",)),
        ("deployments_featured", ()),
        ("share_get", ("user", "picture")),
        ("usage", ()),
        ("assets_list", ()),
        ("assets_folder", ("pictures",)),
        ("asset_get", ("img_0",)),
        ("asset_delete", ("img_0",)),
    ],
)
def test_operation_matches_its_function(emulator, calls, name, arguments):
    ways = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **ways)
    calls(name, core, *arguments, **({"name": "a.png"} if name == "file_upload" else {}))
    assert [one.operation for one in emulator.requests] == [name]


@pytest.mark.parametrize(
    ("name", "arguments"), [("runs_list", (UNKNOWN,)), ("deployment_runs", (UNKNOWN,)), ("machines_list", ())]
)
def test_lists_are_operations_too(emulator, calls, name, arguments):
    ways = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **ways)
    calls.pages(name, core, *arguments)
    assert [one.operation for one in emulator.requests] == [name]


def test_each_request_of_asset_has_a_name(emulator, calls):
    ways = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **ways)
    calls("asset_upload", core, b"x", name="a.png")
    assert [one.operation for one in emulator.requests] == ["asset_upload", "asset_file", "asset_upload"]
