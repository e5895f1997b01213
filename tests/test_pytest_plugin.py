"""The fixtures for pytest, in this process and in other runs of pytest."""

import json
import os
import socket
import subprocess
import sys

import httpx
import pytest

from comfydeploy import ComfyDeployCore, Failure, Success, unwrap
from comfydeploy.funcs.deployments_list import deployments_list
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_queue import run_queue

VARIABLES = ("COMFYDEPLOY_API_KEY", "COMFYDEPLOY_SERVER_URL")
EVERYTHING = {"attr", "attrs", "cattrs", "httpx", "pydantic", "starlette", "uvicorn", "PIL"}


@pytest.fixture
def run_pytest(tmp_path):
    """Run pytest on a file in a new process: ``run_pytest("def test_...")``."""

    def run(tests, conftest="", *options):
        (tmp_path / "test_it.py").write_text(tests)
        (tmp_path / "conftest.py").write_text(conftest)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            "-p",
            "no:anyio",
            *options,
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_core_runs_runs_on_server_of_this_test(comfydeploy_core, comfydeploy_emulator):
    request = {"deployment_id": comfydeploy_emulator.deployments["picture"]}
    run_id = unwrap(run_queue(comfydeploy_core, request)).run_id
    assert unwrap(run_get(comfydeploy_core, run_id)).id == run_id
    assert [one.operation for one in comfydeploy_emulator.requests] == ["run_queue", "run_get"]


def test_nothing_is_left_of_another_test(comfydeploy_emulator):
    assert comfydeploy_emulator.requests == ()


def test_client_is_connected_as_well(comfydeploy_client, comfydeploy_emulator):
    comfydeploy_emulator.fail("deployments_list", status=503, times=1)
    with pytest.raises(Exception, match="503"):
        comfydeploy_client.deployments.list()
    assert comfydeploy_client.deployments.list()


@pytest.mark.parametrize("is_requested", [True, False])
def test_environment_is_set_on_request_only(request, monkeypatch, is_requested):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    emulator = request.getfixturevalue("comfydeploy_environment" if is_requested else "comfydeploy_emulator")
    request.getfixturevalue("comfydeploy_client")
    found = [os.environ.get(name) for name in VARIABLES]
    assert found == ([emulator.bearer, emulator.url] if is_requested else [None, None])
    with ComfyDeployCore() as core:
        assert isinstance(deployments_list(core), Success if is_requested else Failure)


def test_environment_has_the_address(comfydeploy_emulator):
    assert httpx.get(comfydeploy_emulator.url).status_code == 401


@pytest.mark.comfydeploy_emulator(bearer="another's", port=None)
@pytest.mark.comfydeploy_emulator(bearer="mine")
def test_marks_set_arguments_nearest_last(comfydeploy_emulator):
    assert (comfydeploy_emulator.bearer, comfydeploy_emulator.url) == ("mine", "http://emulator/api")


def test_unused_fixtures_load_nothing(run_pytest):
    conftest = "import json, sys\ndef pytest_unconfigure(): print('LOADED', json.dumps(sorted(sys.modules)))"
    done = run_pytest("def test_nothing(): pass", conftest, "-s", "-p", "no:anyio")  # which loads trio
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("LOADED ")]
    modules = json.loads(line.removeprefix("LOADED "))
    assert "comfydeploy._pytest_plugin" in modules
    assert {name.partition(".")[0] for name in modules} & EVERYTHING == set()
    assert [name for name in modules if name.startswith("comfydeploy")] == ["comfydeploy", "comfydeploy._pytest_plugin"]


def test_missing_extra_fails_its_users_only(run_pytest):
    tests = "def test_other(): pass\ndef test_asks(comfydeploy_core): pass"
    done = run_pytest(tests, "import sys\nsys.modules['starlette'] = None")
    assert "1 passed, 1 error" in done.stdout
    assert "pip install '.[emulator]'" in done.stdout


def test_mark_is_known_to_strict_runs(run_pytest):
    tests = "import pytest\n@pytest.mark.comfydeploy_emulator(pace=1)\ndef test_it(): pass"
    assert run_pytest(tests, "", "--strict-markers").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("clok='manual'", "unexpected keyword argument 'clok'"),
        ("quirks='slow'", "quirks: unknown 'slow'; known are broken-answers"),
    ],
)
def test_mark_that_cannot_be_is_error_of_its_test(run_pytest, arguments, error):
    mark = f"import pytest\n@pytest.mark.comfydeploy_emulator({arguments})\n"
    done = run_pytest(f"{mark}def test_it(comfydeploy_emulator): pass\ndef test_other(): pass")
    assert "1 passed, 1 error" in done.stdout
    assert error in done.stdout


def test_mark_gives_arguments_by_their_names_only(request):
    request.applymarker(pytest.mark.comfydeploy_emulator("manual"))
    with pytest.raises(TypeError, match="takes arguments of Emulator by their names, not 'manual'"):
        request.getfixturevalue("comfydeploy_emulator")


def test_blocked_sockets_need_no_port(request, monkeypatch):
    """pytest-socket blocks them so: with a class that allows only Unix sockets."""

    class GuardedSocket(socket.socket):
        __module__ = "pytest_socket"

        def __new__(cls, family=-1, type=-1, proto=-1, fileno=None):  # noqa: A002 - the names of socket.socket
            if fileno is None and family != getattr(socket, "AF_UNIX", None):
                raise RuntimeError("A test tried to use socket.socket.")
            return super().__new__(cls, family, type, proto, fileno)

    monkeypatch.setattr(socket, "socket", GuardedSocket)
    emulator = request.getfixturevalue("comfydeploy_emulator")
    core = request.getfixturevalue("comfydeploy_core")
    assert emulator.url == "http://emulator/api"
    assert unwrap(run_queue(core, {"deployment_id": emulator.deployments["picture"]}))
