"""The imports and the requests of a command."""

import json
import subprocess
import sys

import pytest

from comfydeploy.core import ComfyDeployCore
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.result import unwrap

LISTING = """
import json, sys
from comfydeploy._cli.process import run_command
code = run_command(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def test_help_loads_click_alone():
    done = subprocess.run([sys.executable, "-c", LISTING, "run", "--help"], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    heads = {name.partition(".")[0] for name in modules}
    assert code == 0
    assert "click" in heads
    assert not heads & {
        "attr",
        "attrs",
        "cattrs",
        "httpx",
        "returns",
        "rich",
        "asyncio",
        "starlette",
        "pydantic",
        "PIL",
    }


@pytest.mark.parametrize(("arguments", "more"), [((), 2), (("--key", "k"), 3), (("-o", "out"), 2)])
def test_run_sends_few_requests_more_than_code(shell, arguments, more):
    def polls(server):
        return sum(request.operation == "run_get" for request in server.requests)

    with Emulator(pace=0) as server:
        with ComfyDeployCore(bearer=server.bearer, server_url=server.url) as core:
            unwrap(run_queue_and_wait(core, {"deployment_id": server.deployments["picture"]}))
        by_code = len(server.requests) - polls(server)
        server.clear_requests()
        assert shell(server, "run", "picture", *arguments).code == 0
        by_shell = [request.operation for request in server.requests if request.operation != "run_get"]
        downloads = by_shell.count("output_file")
        assert len(by_shell) - downloads - by_code <= more
        assert polls(server) <= 8 + more
