"""The outcomes of runs as exit code, text and JSON, for each command that follows a run."""

import pytest

from comfydeploy._cli import time_left
from comfydeploy.emulator import Emulator, Fails, IsCancelled, IsRefused, Succeeds, TimesOut

OUTCOMES = {
    "success": (Succeeds(), 0, "ok", "success"),
    "failed": (Fails("out of memory"), 3, "failed", "out of memory"),
    "refused": (IsRefused({"5": {"class_type": "K", "errors": []}}), 3, "failed", "refused"),
    "cancelled": (IsCancelled(), 4, "cancelled", "cancelled"),
    "timeout": (TimesOut(), 5, "timed-out", "time limit"),
}


@pytest.fixture
def server():
    with Emulator(pace=0) as running:
        yield running


def queued(server, shell, outcome):
    server.script("picture", outcome)
    return shell(server, "run", "picture", "--detach").out.strip()


@pytest.mark.parametrize("name", OUTCOMES)
def test_run(server, shell, name):
    outcome, code, word, text = OUTCOMES[name]
    server.script("picture", outcome, times=2)
    done = shell(server, "run", "picture", "-i", "seed=1")
    assert done.code == code
    assert done.out.splitlines()[0] == server.runs[-1].id
    assert text in done.err
    as_json = shell(server, "run", "picture", "-i", "seed=1", "--json")
    assert (as_json.code, as_json.result["outcome"]) == (code, word)
    assert as_json.records[0]["type"] == "created"
    assert {record["run_id"] for record in as_json.records} == {server.runs[-1].id}
    assert as_json.result["data"]["run"]["status"] == server.runs[-1].status
    assert as_json.err == ""


@pytest.mark.parametrize("command", ["wait", "watch"])
@pytest.mark.parametrize("name", OUTCOMES)
def test_wait_and_watch(server, shell, name, command):
    outcome, code, word, text = OUTCOMES[name]
    run_id = queued(server, shell, outcome)
    done = shell(server, command, run_id)
    assert done.code == code
    assert done.out.splitlines()[-1].split("\t")[:2] == [run_id, server.runs[-1].status]
    assert text in done.out + done.err
    as_json = shell(server, command, run_id, "--json")
    assert (as_json.code, as_json.result["outcome"]) == (code, word)
    assert as_json.result["data"]["exit_codes"] == {run_id: code}
    end = next(record for record in as_json.records if record["type"] == "end")
    assert (end["error"] is None) == (code == 0)


@pytest.mark.parametrize("command", ["wait", "watch"])
def test_highest_code_of_several_counts(server, shell, command):
    run_ids = [queued(server, shell, outcome) for outcome in (IsCancelled(), Succeeds(), Fails("no"))]
    done = shell(server, command, *run_ids, run_ids[0])
    assert done.code == 4
    assert all(run_id in done.out for run_id in run_ids)


@pytest.fixture
def late(emulator_at_rest, monkeypatch):
    """Let the deadline of a command pass as soon as its run exists."""
    known = len(emulator_at_rest.runs)
    monkeypatch.setattr(time_left, "monotonic", lambda: 1e9 if len(emulator_at_rest.runs) > known else 0.0)


def test_deadline_of_a_new_run(emulator_at_rest, shell, late):
    done = shell(emulator_at_rest, "run", "picture", "--deadline", "60")
    run_id = emulator_at_rest.runs[-1].id
    assert (done.code, done.out) == (6, f"{run_id}\n")
    assert f"To wait on: comfydeploy wait {run_id}. To end it: comfydeploy cancel {run_id}" in done.err


@pytest.mark.parametrize("command", ["wait", "watch"])
def test_deadline_of_a_wait(emulator_at_rest, shell, command):
    run_id = shell(emulator_at_rest, "run", "picture", "--detach").out.strip()
    done = shell(emulator_at_rest, command, run_id, "--deadline", "0.001")
    assert done.code == 6
    assert f"comfydeploy wait {run_id}" in done.err
    assert shell(emulator_at_rest, command, run_id, "--deadline", "0.001", "--json").result["outcome"] == "deadline"


def test_deadline_cancels(emulator_at_rest, shell, late):
    done = shell(emulator_at_rest, "run", "picture", "--deadline", "60", "--cancel-on-interrupt", "--json")
    assert done.code == 6
    assert done.result["error"]["hint"] is None
    assert emulator_at_rest.runs[-1].status == "cancelled"


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"status": 500, "execute": True}, "unknown"),
        ({"status": 504}, "unknown"),
        ({"reset": True, "execute": True}, "unknown"),
        ({"status": 200, "body": "{}"}, "unknown"),
        ({"status": 403}, "error"),
        ({"status": 422, "body": '{"detail": []}'}, "error"),
    ],
)
def test_lost_response_of_the_request(server, shell, fault, word):
    server.fail("run_queue", times=2, **fault)
    before = len(server.runs)
    done = shell(server, "run", "picture", "--json")
    assert done.result["outcome"] == word
    key = done.result["data"]["key"]
    text = shell(server, "run", "picture")
    assert text.out == ""
    if word == "error":
        assert "A run may exist" not in text.err
        return
    place = server.deployments["picture"]
    assert done.result["error"]["hint"].endswith(f"comfydeploy find {key} --deployment {place}")
    found = shell(server, "find", key, "--deployment", place)
    assert found.code == (0 if "execute" in fault else 9)
    assert len(server.runs) == before + (2 if "execute" in fault else 0)


def test_key_creates_one_run(server, shell):
    before = len(server.runs)
    first = shell(server, "run", "picture", "--key", "job-1", "--json")
    again = shell(server, "run", "picture", "--key", "job-1", "--json")
    assert len(server.runs) == before + 1
    assert first.result["run_id"] == again.result["run_id"]
    assert [done.records[0]["data"]["found"] for done in (first, again)] == [False, True]
