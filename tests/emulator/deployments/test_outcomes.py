import json
from collections.abc import Callable

import httpx
import pytest

from comfydeploy.emulator import (
    CannotStart,
    Crashes,
    Emulator,
    Fails,
    IsCancelled,
    IsRefused,
    LosesOutputs,
    NodeOutput,
    OnlyPreviews,
    Succeeds,
    TimesOut,
)

GLB = b"glTF" + bytes(range(256))


@pytest.fixture
def client(connect, by_hand):
    return connect(by_hand)


@pytest.fixture
def ended(by_hand, client) -> Callable[..., dict]:
    """Run a deployment with an outcome; return the ended run."""

    def end(outcome, **fields) -> dict:
        by_hand.script("picture", outcome)
        order = {"deployment_id": by_hand.deployments["picture"], **fields}
        run_id = client.post("/run/queue", json=order).json()["run_id"]
        by_hand.advance(60)
        return client.get(f"/run/{run_id}").json()

    return end


@pytest.fixture
def streamed(by_hand, client) -> Callable[..., list[dict]]:
    """Stream a run with an outcome; return its events that have a kind."""

    def stream(outcome) -> list[dict]:
        by_hand.script("picture", outcome)
        order = {"deployment_id": by_hand.deployments["picture"]}
        with client.stream("POST", "/run/stream", json=order) as answer:
            by_hand.advance(60)
            data = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
        return [one for one in data if "event" in one]

    return stream


def test_run_succeeds_with_given_files_and_texts(ended):
    outputs = [
        NodeOutput("result", files={"cat.png": b"a cat", "cat.webp": b"the same cat"}),
        NodeOutput("clip", files={"cat.mp4": b"it moves"}, kind="gifs"),
        NodeOutput("sound", files={"cat.flac": b"it purrs"}),
        NodeOutput("model", files={"cat #1.glb": GLB}),
        NodeOutput("caption", files={"cat.txt": "eine Kätzin".encode()}),
        NodeOutput("words", texts=["a cat", "on a mat"]),
    ]
    run = ended(Succeeds(outputs))
    assert run["status"] == "success"
    shown = {output["output_id"]: output["data"] for output in run["outputs"]}
    assert {name: list(data) for name, data in shown.items()} == {
        "result": ["images"],
        "clip": ["gifs"],
        "sound": ["audio"],
        "model": ["mesh"],
        "caption": ["files"],
        "words": ["text"],
    }
    assert shown["words"]["text"] == ["a cat", "on a mat"]
    assert [item["filename"] for item in shown["result"]["images"]] == ["cat.png", "cat.webp"]
    loaded = [httpx.get(shown[name][kind][0]["url"]) for name, kind in (("model", "mesh"), ("caption", "files"))]
    assert [answer.content for answer in loaded] == [GLB, "eine Kätzin".encode()]
    assert [answer.headers["content-type"] for answer in loaded] == ["model/gltf-binary", "text/plain; charset=utf-8"]


def test_given_outputs_are_in_stream_and_webhook(by_hand, streamed, ended, sink):
    outcome = Succeeds([NodeOutput("result", files={"cat.png": b"a cat"}), NodeOutput(texts=["a cat"])])
    executed = [one["data"]["output"] for one in streamed(outcome) if one["event"] == "executed"]
    assert (executed[0]["images"][0]["filename"], executed[1]) == ("cat.png", {"text": ["a cat"]})
    ended(outcome, webhook=sink.url)
    outputs = sink.until_end()[-1]["outputs"]
    assert [(output["output_id"], list(output["data"])) for output in outputs] == [
        ("result", ["images"]),
        (None, ["text"]),
    ]


def test_run_may_succeed_without_outputs(ended):
    run = ended(Succeeds([]))
    assert (run["status"], run["outputs"]) == ("success", [])


def test_several_pictures_have_different_names(ended):
    outputs = ended(Succeeds([NodeOutput("first"), NodeOutput("second")]))["outputs"]
    assert [output["data"]["images"][0]["filename"] for output in outputs] == ["cd_00001_.png", "cd_00002_.png"]


@pytest.mark.parametrize(
    "outcome", [Succeeds(seconds=7.5), Fails(seconds=7.5), TimesOut(seconds=7.5), IsCancelled(seconds=7.5)]
)
def test_outcome_decides_how_long_run_takes(ended, outcome):
    assert ended(outcome)["run_duration"] == pytest.approx(7.5, abs=0.001)


def test_reason_of_failure_is_in_stream_and_log(streamed, by_hand, client):
    events = streamed(Fails("CUDA out of memory.", exception_type="torch.OutOfMemoryError"))
    (error,) = [one["data"] for one in events if one["event"] == "execution_error"]
    assert (error["exception_message"], error["exception_type"]) == ("CUDA out of memory.\n", "torch.OutOfMemoryError")
    assert (error["node_id"], error["node_type"], error["executed"]) == ("5", "KSampler", ["2", "3", "4"])
    assert events[-1] == {"event": "status", "data": {"prompt_id": by_hand.runs[0].id, "status": "failed"}}
    run = client.get(f"/run/{by_hand.runs[0].id}").json()
    assert (run["status"], run["outputs"]) == ("failed", [])
    lines = [line["log"] for line in client.get(f"/v2/clickhouse-run-logs/{run['id']}").json()]
    assert "!!! Exception during processing !!! CUDA out of memory." in lines
    assert lines[-1] == "torch.OutOfMemoryError: CUDA out of memory."


@pytest.mark.parametrize(("outcome", "status"), [(TimesOut(), "timeout"), (IsCancelled(), "cancelled")])
def test_run_ended_from_outside_sends_webhook(outcome, status, ended, streamed, sink):
    run = ended(outcome, webhook=sink.url)
    assert (run["status"], run["outputs"], run["live_status"]) == (status, [], "Executing KSampler")
    assert run["ended_at"] == run["updated_at"] > run["started_at"]
    messages = [sink.next() for _ in range(4)]
    assert [body["status"] for body in messages] == ["queued", "started", "running", status]
    assert messages[-1]["progress"] == run["progress"] < 1
    kinds = [one["event"] for one in streamed(outcome)]
    assert kinds[-1] == "progress"
    assert not {"execution_error", "execution_success"} & set(kinds)


def test_outcomes_are_used_in_order(by_hand, client):
    by_hand.script("picture", Fails(), times=2)
    by_hand.script("picture", TimesOut())
    by_hand.script("slow", IsCancelled(), times=None)
    for name in ("picture", "slow") * 4:
        client.post("/run/queue", json={"deployment_id": by_hand.deployments[name]})
    by_hand.advance(60)
    statuses = [run.status for run in by_hand.runs]
    assert statuses[::2] == ["failed", "failed", "timeout", "success"]
    assert statuses[1::2] == ["cancelled"] * 4


def test_script_wins_over_fail_input(ended):
    assert ended(Succeeds(), inputs={"fail": True})["status"] == "success"


@pytest.mark.parametrize(("outcome", "status"), [(Succeeds(), "success"), (TimesOut(), "timeout")])
@pytest.mark.parametrize("inputs", [{"fail": True}, {"text": "a"}])
def test_script_for_all_runs_wins_as_well(by_hand, client, outcome, status, inputs):
    by_hand.script("picture", outcome, times=None)
    client.post("/run/queue", json={"deployment_id": by_hand.deployments["picture"], "inputs": inputs})
    by_hand.advance(60)
    assert [(run.status, run.files != []) for run in by_hand.runs] == [(status, status == "success")]


def test_run_can_fail_in_no_time(ended):
    run = ended(Fails(seconds=0))
    assert (run["status"], run["run_duration"], run["live_status"]) == ("failed", 0, "Executing KSampler")


def test_batch_is_scripted_run_by_run(by_hand, client):
    by_hand.script("picture", Fails(), times=2)
    client.post("/run", json={"deployment_id": by_hand.deployments["picture"], "batch_number": 3})
    by_hand.advance(60)
    assert [run.status for run in by_hand.runs] == ["failed", "failed", "success"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NodeOutput(files={"../a.png": b""}), "plain name"),
        (lambda: NodeOutput(files={"a.txt": "text"}), "files: a.txt must be bytes, not 'text'"),
        (lambda: Emulator().script("picture", Fails(), times=0), "times must be a number of runs"),
        (lambda: NodeOutput(texts="not a list"), "texts must be a list"),
        (lambda: Fails(seconds=-1), "seconds must be a number, 0 or more"),
        (lambda: Succeeds(seconds=float("inf")), "seconds must be a number, 0 or more"),
    ],
)
def test_invalid_outcome_is_refused(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_scripts_are_for_known_deployments_only():
    with pytest.raises(ValueError, match="deployment must be one of picture, slow, failing, not 'pictures'"):
        Emulator().script("pictures", Fails())


NODE_ERRORS = {"8": {"errors": [{"type": "t", "message": "m", "details": "d"}], "class_type": "LoadImage"}}


@pytest.fixture
def results_of(by_hand, client, streamed):
    """Run an outcome queued and streamed; return status, rows, log lines, and the events of the stream."""

    def run(outcome):
        by_hand.script("picture", outcome)
        order = {"deployment_id": by_hand.deployments["picture"], "inputs": {"prompt": "a cat"}}
        run_id = client.post("/run/queue", json=order).json()["run_id"]
        by_hand.advance(60)
        shown = client.get(f"/run/{run_id}").json()
        (row,) = client.get(f"/workflow/{shown['workflow_id']}/runs").json()
        assert row["id"] == run_id
        lines = [line["log"] for line in client.get(f"/v2/clickhouse-run-logs/{run_id}").json()]
        return shown, [output["data"] for output in row["outputs"]], lines

    return run


def is_times(data):
    return isinstance(data, list) and all({"id", "time", "vram_used", "class_type"} == set(one) for one in data)


def test_node_that_raises_leaves_its_error_as_row(results_of):
    shown, (times, error), _ = results_of(Fails("out of memory", "torch.OutOfMemoryError"))
    assert (shown["status"], shown["outputs"]) == ("failed", [])
    assert is_times(times)
    assert [one["class_type"] for one in times][-1] == error["node_type"] == "KSampler"
    assert (error["exception_type"], error["exception_message"]) == ("torch.OutOfMemoryError", "out of memory\n")
    assert error["current_inputs"] == {"prompt": ["a cat"]}
    assert error["traceback"][0].startswith('  File "')


def test_raising_node_keeps_earlier_output(results_of):
    shown, rows, _ = results_of(Fails("late", outputs=[NodeOutput("result")]))
    assert (shown["status"], len(shown["outputs"])) == ("failed", 1)
    assert [row.get("exception_message") for row in rows if isinstance(row, dict)] == ["late\n", None]


def test_node_errors_of_refused_graph_are_row(results_of):
    shown, rows, lines = results_of(IsRefused(NODE_ERRORS))
    assert (shown["status"], shown["outputs"], lines) == ("failed", [], [])
    assert [row["error"]["node_errors"] for row in rows] == [NODE_ERRORS]


def test_refusal_without_node_errors_adds_no_row(results_of):
    shown, rows, lines = results_of(IsRefused({}, {"type": "prompt_no_outputs", "message": "Prompt has no outputs"}))
    assert (shown["status"], rows, lines) == ("failed", [], [])


def test_machine_that_cannot_start_says_so_in_log(results_of):
    shown, rows, lines = results_of(CannotStart(["Session crashed in startup", "Error in x: ImportError: no y"]))
    assert (shown["status"], shown["queued_at"], rows) == ("failed", None, [])
    assert lines == ["Session crashed in startup", "Error in x: ImportError: no y"]


def test_failed_start_breaks_request(by_hand, client):
    by_hand.script("picture", CannotStart(["no"], at_once=True))
    answer = client.post("/run/queue", json={"deployment_id": by_hand.deployments["picture"]})
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    (run,) = by_hand.runs
    assert (run.status, run.ended_at) == ("failed", None)
    assert client.get(f"/v2/clickhouse-run-logs/{run.id}").json()[0]["log"] == "no"


def test_crash_of_comfyui_leaves_no_reason(results_of, by_hand, streamed):
    shown, rows, lines = results_of(Crashes())
    assert (shown["status"], rows) == ("failed", [])
    assert not [line for line in lines if "Error" in line or "Exception" in line]
    assert streamed(Crashes())[-1]["event"] != "status"
    assert by_hand.runs[-1].status == "running"


def test_lost_outputs_are_success_without_outputs(results_of):
    shown, rows, lines = results_of(LosesOutputs("no route to host"))
    assert (shown["status"], shown["outputs"], len(rows), is_times(rows[0])) == ("success", [], 1, True)
    assert "Upload failed for cd_00001_.png: no route to host" in lines


def test_previews_only_run_until_limit(by_hand, client):
    by_hand.script("picture", OnlyPreviews(limit=8))
    run_id = client.post("/run/queue", json={"deployment_id": by_hand.deployments["picture"]}).json()["run_id"]
    by_hand.advance(6)
    assert client.get(f"/run/{run_id}").json()["status"] == "running"
    by_hand.advance(10)
    run = client.get(f"/run/{run_id}").json()
    assert (run["status"], run["outputs"], run["live_status"]) == ("timeout", [], "Executing PreviewImage")
    (row,) = client.get(f"/workflow/{run['workflow_id']}/runs").json()
    assert [is_times(output["data"]) for output in row["outputs"]] == [True]


def test_one_of_two_outputs_may_be_refused(results_of):
    shown, (times, output, refused), _ = results_of(Succeeds(node_errors=NODE_ERRORS))
    assert (shown["status"], len(shown["outputs"])) == ("success", 1)
    assert is_times(times)
    assert list(output) == ["images"]
    assert (refused["error"]["prompt_id"], refused["error"]["node_errors"]) == (shown["id"], NODE_ERRORS)


@pytest.mark.parametrize("outcome", [TimesOut(), IsCancelled()])
def test_run_ended_from_outside_has_no_reason(results_of, outcome):
    _, rows, lines = results_of(outcome)
    assert (rows, [line for line in lines if "Error" in line]) == ([], [])
