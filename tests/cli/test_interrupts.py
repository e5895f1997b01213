"""A signal at each stage of a command: the last words name all runs of the server.

A signal is sent once the server has received the request of the stage.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from comfydeploy.emulator import Emulator

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
if hasattr(signal, "SIGHUP"):
    CODES[signal.SIGHUP] = 129


@pytest.fixture
def server():
    with Emulator(clock="manual") as running:
        yield running


def until(condition):
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0)


@pytest.fixture
def signalled(server, shell):
    """Run a command in this process, and send a signal to it once a condition holds."""

    def run(number, condition, *arguments):
        def send():
            until(condition)
            signal.pthread_kill(threading.main_thread().ident, number)

        sender = threading.Thread(target=send)
        sender.start()
        done = shell(server, *arguments)
        sender.join()
        return done

    return run


@pytest.mark.parametrize("number", CODES)
def test_before_the_run_is_created(server, signalled, number):
    server.fail("deployments_list", times=1, hang=True)
    done = signalled(number, lambda: not server.faults, "run", "picture")
    assert (done.code, done.out, done.err) == (CODES[number], "", "Interrupted. No run was created.\n")
    assert server.runs == ()


def test_while_a_file_is_uploaded(server, signalled, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"png")
    server.fail("file_upload", times=1, hang=True)
    arguments = ("run", "picture", "--no-check", "-i", "image=@cat.png", "--json")
    done = signalled(signal.SIGINT, lambda: not server.faults, *arguments)
    assert done.result["error"]["message"] == "Interrupted. No run was created."
    assert server.runs == ()


@pytest.mark.parametrize("key", [(), ("--key", "job 1")])
def test_while_the_run_is_created(server, signalled, shell, key):
    server.fail("run_queue", times=1, hang=True, execute=True)
    done = signalled(signal.SIGINT, lambda: server.runs, "run", "picture", "--json", *key)
    assert done.code == 130
    facts = done.result["data"]
    assert done.result["outcome"] == "interrupted"
    assert "a run may exist, and be billed. To find it: comfydeploy find " in done.err
    found = shell(server, "find", facts["key"], "--deployment", facts["deployment_id"])
    assert found.out.split("\t")[0] == server.runs[0].id
    assert len(server.runs) == 1


@pytest.mark.parametrize("command", ["run", "wait", "watch"])
def test_while_the_run_goes_on(server, signalled, shell, command):
    arguments = ["run", "picture"]
    if command != "run":
        arguments = [command, shell(server, "run", "picture", "--detach").out.strip()]
    received = len(server.requests)

    def polls():
        return [one for one in server.requests[received:] if one.operation == "run_get"]

    done = signalled(signal.SIGINT, polls, *arguments)
    run_id = server.runs[-1].id
    assert done.code == 130
    assert f"Run {run_id} goes on and is billed. To wait on: comfydeploy wait {run_id}." in done.err
    assert [run.status for run in server.runs] == ["not-started"]


def test_json_names_the_run(server, signalled):
    done = signalled(signal.SIGINT, lambda: server.runs, "run", "picture", "--json")
    known = done.result["data"]["run_ids"] or [done.result["data"]["key"]]
    assert known[0] in (server.runs[0].id, server.runs[0].workflow_inputs["comfydeploy_key"])


def test_cancels_on_interrupt(server, signalled):

    def polled():
        return [one for one in server.requests if one.operation == "run_get"]

    done = signalled(signal.SIGINT, polled, "run", "picture", "--cancel-on-interrupt")
    run_id = server.runs[0].id
    assert done.code == 130
    assert f"Run {run_id} was cancelled" in done.err
    assert [run.status for run in server.runs] == ["cancelled"]


def test_unconfirmed_cancellation(server, signalled):
    server.fail("run_cancel", status=502)

    def polled():
        return [one for one in server.requests if one.operation == "run_get"]

    done = signalled(signal.SIGINT, polled, "run", "picture", "--cancel-on-interrupt")
    assert f"Run {server.runs[0].id} was to be cancelled, which is not confirmed" in done.err


def test_while_files_are_saved(signalled, server, shell, tmp_path):
    run_id = shell(server, "run", "picture", "--detach", "--key", "k").out.strip()
    server.advance(60)
    server.fail("output_file", times=1, hang=True)
    done = signalled(signal.SIGINT, lambda: not server.faults, "run", "picture", "--key", "k", "-o", "out")
    assert done.code == 130
    assert list((tmp_path / "out").glob("*")) == []
    assert f"Run {run_id} has ended: success. To save its files: comfydeploy download {run_id}" in done.err


class Process:
    """A command in its own process."""

    def __init__(self, server, *arguments, options=()):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # one that is ignored would stay so in the process
        environment = {"COMFYDEPLOY_API_KEY": server.bearer, "COMFYDEPLOY_SERVER_URL": server.url}
        self.process = subprocess.Popen(
            [sys.executable, *options, "-m", "comfydeploy", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | environment,
            text=True,
        )

    def read_until(self, pattern):
        while not re.search(pattern, line := self.process.stderr.readline()):
            assert line

    def send(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def end(self):
        out, err = self.process.communicate(timeout=60)
        assert "Traceback" not in err
        assert "Exception ignored" not in err
        return self.process.returncode, out, err


@pytest.fixture
def process(server):
    started = []

    def start(*arguments, **options):
        started.append(Process(server, *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
class TestProcess:
    def test_during_the_imports(self, server, process):
        server.fail("deployments_list", hang=True)
        started = process("run", "picture", options=("-X", "importtime"))
        started.read_until(r"click\.globals")
        started.send()
        assert started.end()[:2] == (130, "")
        assert server.runs == ()

    def test_second_signal_names_the_run(self, server, process):
        server.fail("run_cancel", times=1, hang=True)
        started = process("run", "picture", "--cancel-on-interrupt")
        run_id = started.process.stdout.readline().strip()
        started.send()
        until(lambda: not server.faults)
        started.send(signal.SIGTERM)
        code, _, err = started.end()
        assert code == 143
        assert f"Run {run_id} was to be cancelled, which is not confirmed" in err
