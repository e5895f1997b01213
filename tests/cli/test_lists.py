"""The commands that list, find, upload, cancel, save and print logs."""

import time
from pathlib import Path

import pytest

from comfydeploy.emulator import Emulator, NodeOutput, Succeeds

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def server():
    with Emulator(pace=0) as running:
        yield running


def run(server, shell, *arguments):
    """Create a run and return its id once it has ended."""
    run_id = shell(server, "run", *arguments, "--detach").out.strip()
    while not server.runs[-1].ended_at:
        time.sleep(0)
    return run_id


def test_list_is_newest_first_over_all_workflows(server, shell):
    first, second = run(server, shell, "picture"), run(server, shell, "failing")
    done = shell(server, "list")
    assert [line.split("\t")[0] for line in done.out.splitlines()] == [second, first]
    rows = shell(server, "list", "--json").result["data"]["runs"]
    assert [(row["id"], row["status"], row["workflow"]) for row in rows] == [
        (second, "failed", "failing"),
        (first, "success", "picture"),
    ]


def test_unknown_status_is_refused(server, shell):
    done = shell(server, "list", "--status", "fail")
    assert done.code == 2
    assert "expected one of not-started, " in done.err
    assert "got 'fail'" in done.err


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--status", "failed"), ["failing"]),
        (("--deployment", "picture"), ["picture", "picture"]),
        (("--limit", "1"), ["failing"]),
        (("--since", "1h"), ["failing", "picture", "picture"]),
        (("--since", "2100-01-01"), []),
    ],
)
def test_list_is_filtered(server, shell, options, found):
    for name in ("picture", "picture", "failing"):
        run(server, shell, name)
    rows = shell(server, "list", *options, "--json").result["data"]["runs"]
    assert [row["workflow"] for row in rows] == found


def test_find_over_all_workflows(server, shell):
    run_id = run(server, shell, "failing", "--key", "mine")
    assert shell(server, "find", "mine").out.split("\t")[0] == run_id
    rows = shell(server, "find", "mine", "other", "--json").result["data"]["runs"]
    assert [(row["id"], row["key"]) for row in rows] == [(run_id, "mine")]
    nothing = shell(server, "find", "other", "--json")
    assert (nothing.code, nothing.result["outcome"], nothing.result["data"]) == (9, "not-found", {"runs": []})


def test_deployments(server, shell):
    rows = shell(server, "deployments", "--json").result["data"]["deployments"]
    assert {row["name"]: row["id"] for row in rows} == dict(server.deployments)
    (row,) = shell(server, "deployments", server.deployments["slow"], "--json").result["data"]["deployments"]
    assert [one["input_id"] for one in row["inputs"]][:2] == ["prompt", "width"]
    assert shell(server, "deployments", "--environment", "staging").out == ""


def test_ambiguous_name_lists_candidates(server, shell, monkeypatch):
    before = len(server.runs)
    same = [{"id": one, "workflow": {"name": "film"}, "environment": "staging"} for one in ("a", "b")]
    server.fail("deployments_list", body=same)
    done = shell(server, "run", "film")
    assert done.code == 2
    assert "Error: 2 deployments are called 'film'; give an id:\n  a  staging\n  b  staging\n" in done.err
    assert len(server.runs) == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [("pictur", "did you mean 'picture'?"), ("zzz", "there are failing, picture, slow"), (UNKNOWN, "most likely")],
)
def test_unknown_deployment(server, shell, name, reason):
    done = shell(server, "run", name)
    assert done.code == (1 if name == UNKNOWN else 2)
    assert reason in done.err


def test_no_deployment_at_all(server, shell):
    server.fail("deployments_list", body=[])
    assert "the server lists none" in shell(server, "run", "picture").err


@pytest.mark.parametrize("command", ["wait", "watch", "cancel", "download", "logs"])
def test_unknown_run_is_named_others_go_on(server, shell, command):
    known = run(server, shell, "picture")
    done = shell(server, command, UNKNOWN, known, "--json")
    assert done.code == 1
    assert done.result["data"]["exit_codes"] == {UNKNOWN: 1, known: 0}
    assert shell(server, command, UNKNOWN).err.startswith("Error: ")


@pytest.mark.parametrize("operation", ["deployments_list", "workflow_runs", "runs_list"])
@pytest.mark.parametrize("command", [("list",), ("find", "k"), ("deployments",)])
def test_error_of_a_list(server, shell, command, operation):
    server.fail(operation, status=403, body={"detail": "no"})
    done = shell(server, *command, "--json")
    is_sent = operation == "deployments_list" or (operation, command[0]) in (
        ("workflow_runs", "list"),
        ("runs_list", "find"),
    )
    assert done.code == (1 if is_sent else {"find": 9}.get(command[0], 0))
    assert (done.result["error"] is not None) == is_sent


def test_cancel(emulator_at_rest, shell):
    run_id = shell(emulator_at_rest, "run", "picture", "--detach").out.strip()
    assert shell(emulator_at_rest, "cancel", run_id).out == f"{run_id}\tcancelled, unless it had ended\n"
    assert emulator_at_rest.runs[-1].status == "cancelled"


def test_download(server, shell, tmp_path):
    run_id = run(server, shell, "picture")
    done = shell(server, "download", run_id, "-o", "out", "--name", "{kind}{suffix}")
    assert done.out == f"{Path('out') / 'images.png'}\n"
    assert (tmp_path / "out" / "images.png").read_bytes().startswith(b"\x89PNG")
    saved = shell(server, "download", run_id, "--json").records[0]
    assert saved["data"]["paths"] == [f"{run_id}-0.png"]


def test_incomplete_download(server, shell):
    outputs = [NodeOutput("film", files={"a.mp4": b"a", "b.mp4": b"b"})]
    server.script("picture", Succeeds(outputs), times=3)
    run_id = run(server, shell, "picture")
    for arguments in (("download", run_id), ("run", "picture", "-o", "out")):
        server.fail("output_file", after=1, status=404)
        done = shell(server, *arguments, "--json")
        assert (done.code, done.result["outcome"]) == (8, "incomplete")
        error = next(record["error"] for record in done.records if record["error"])
        assert (len(error["details"]["saved"]), len(error["details"]["missing"])) == (1, 1)
        server.clear_faults()


def test_run_without_files(server, shell):
    server.script("picture", Succeeds([NodeOutput("words", texts=["a cat", "a dog"])]))
    done = shell(server, "run", "picture")
    assert done.out.splitlines()[1:] == ["a cat", "a dog"]
    run_id = done.out.splitlines()[0]
    assert f"Run {run_id} has no files" in shell(server, "download", run_id).err
    values = shell(server, "watch", run_id, "--json").records[-2]["data"]["values"]
    assert [(one["output_id"], one["value"]) for one in values] == [("words", "a cat"), ("words", "a dog")]


def test_upload(server, shell, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"png")
    done = shell(server, "upload", "cat.png", "none.png")
    assert done.code == 2
    assert done.out.startswith(server.url.removesuffix("/api"))
    assert "none.png" in done.err
    records = shell(server, "upload", "cat.png", "none.png", "--json").records
    assert [record["type"] for record in records] == ["uploaded", "problem", "result"]


def test_file_of_an_input_is_uploaded_first(server, shell, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"png")
    shell(server, "run", "picture", "--no-check", "-i", "image=@cat.png")
    assert server.runs[-1].workflow_inputs["image"].startswith(server.url.removesuffix("/api"))
    server.fail("file_upload", status=500)
    done = shell(server, "run", "picture", "--no-check", "-i", "image=@cat.png", "--json")
    assert (done.code, done.result["error"]["fate"]) == (1, "not_sent")


def test_logs(server, shell):
    run_id = run(server, shell, "picture")
    archived, followed = shell(server, "logs", run_id), shell(server, "logs", "-f", run_id)
    assert archived.out.startswith("Executing prompt: ")
    assert archived.out == followed.out
    records = shell(server, "logs", "-f", run_id, "--json").records
    assert records[0]["data"]["line"] == archived.out.splitlines()[0]
    assert records[0]["data"]["timestamp"]


def test_log_that_does_not_exist_yet(emulator_at_rest, shell):
    run_id = shell(emulator_at_rest, "run", "picture", "--detach").out.strip()
    done = shell(emulator_at_rest, "logs", run_id)
    assert (done.code, done.out) == (0, "")
    assert "archived up to 30 s after the end" in done.err


def test_log_line_that_cannot_be_read(server, shell):
    run_id = run(server, shell, "picture")
    body = 'data: nonsense\n\ndata: {"message": "a line", "level": "info"}\n\n'
    server.fail("run_logs_stream", body=body, content_type="text/event-stream")
    done = shell(server, "logs", "-f", run_id)
    assert (done.out, done.err.startswith("Error: A line of the log cannot be read")) == ("a line\n", True)
    server.clear_faults()
    server.fail("run_logs_stream", reset_after=10)
    assert shell(server, "logs", "-f", run_id).code == 1


def test_several_logs_have_heads(server, shell):
    run_ids = [run(server, shell, "picture") for _ in range(2)]
    assert [line for line in shell(server, "logs", *run_ids).out.splitlines() if line.startswith("==>")] == [
        f"==> {run_id} <==" for run_id in run_ids
    ]


def test_poll_that_failed_is_shown(server, shell):
    run_id = run(server, shell, "picture")
    server.fail("run_get", times=1, status=502)
    done = shell(server, "watch", run_id)
    assert done.code == 0
    assert "A poll failed and is tried again" in done.err
    server.fail("run_get", times=1, status=502)
    assert shell(server, "watch", run_id, "--json").records[0]["type"] == "problem"


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion(server, shell, name, monkeypatch):
    script = shell(server, "completion", name).out
    assert f"_COMFYDEPLOY_COMPLETE={name}_complete" in script
    assert shell(server, "completion", name, "--json").result["data"]["script"] in script
    monkeypatch.setenv("_COMFYDEPLOY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "comfydeploy run --ca")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert "--cancel-on-interrupt" in shell(server).out
