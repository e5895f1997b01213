"""The packages here patch httpx, not httpx2."""

import os
from functools import partial

import pytest
from ways import WAYS, call

collect_ignore_glob = ["test_*.py"] if os.environ.get("COMFYDEPLOY_TEST_HTTPX2") else []


@pytest.fixture(params=WAYS)
def way(request):
    """Call an operation in one way: ``way({"bearer": ..., "server_url": ...}, "run_get", run_id)``."""
    return partial(call, request.param)


@pytest.fixture
def local(emulator):
    """Return the arguments that connect a core to the local server, over a socket."""
    return {"bearer": emulator.bearer, "server_url": emulator.url}


@pytest.fixture
def picture(emulator):
    return {"deployment_id": emulator.deployments["picture"]}
