import json
from collections.abc import Callable

import httpx
import pytest

from comfydeploy.emulator import Emulator, Fails, IsCancelled, NodeOutput, Succeeds, TimesOut

GLB = b"glTF" + bytes(range(256))


@pytest.fixture
def client(connect, by_hand):
    return connect(by_hand)


@pytest.fixture
def ended(by_hand, client) -> Callable[..., dict]:
    """Lets a run of a deployment end with an outcome, and tells how it is then."""

    def end(outcome, **fields) -> dict:
        by_hand.script("picture", outcome)
        order = {"deployment_id": by_hand.deployments["picture"], **fields}
        run_id = client.post("/run/queue", json=order).json()["run_id"]
        by_hand.advance(60)
        return client.get(f"/run/{run_id}").json()

    return end


@pytest.fixture
def streamed(by_hand, client) -> Callable[..., list[dict]]:
    """Lets a streamed run end with an outcome, and tells its events that have a kind."""

    def stream(outcome) -> list[dict]:
        by_hand.script("picture", outcome)
        order = {"deployment_id": by_hand.deployments["picture"]}
        with client.stream("POST", "/run/stream", json=order) as answer:
            by_hand.advance(60)
            data = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
        return [one for one in data if "event" in one]

    return stream


def test_a_run_succeeds_with_the_given_files_and_texts(ended):
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


def test_the_stream_and_the_webhook_tell_of_given_outputs(by_hand, streamed, ended, sink):
    outcome = Succeeds([NodeOutput("result", files={"cat.png": b"a cat"}), NodeOutput(texts=["a cat"])])
    executed = [one["data"]["output"] for one in streamed(outcome) if one["event"] == "executed"]
    assert (executed[0]["images"][0]["filename"], executed[1]) == ("cat.png", {"text": ["a cat"]})
    ended(outcome, webhook=sink.url)
    told = sink.until_end()[-1]["outputs"]
    assert [(output["output_id"], list(output["data"])) for output in told] == [
        ("result", ["images"]),
        (None, ["text"]),
    ]


def test_a_run_may_succeed_without_outputs(ended):
    run = ended(Succeeds([]))
    assert (run["status"], run["outputs"]) == ("success", [])


def test_several_pictures_of_a_run_have_names_of_their_own(ended):
    outputs = ended(Succeeds([NodeOutput("first"), NodeOutput("second")]))["outputs"]
    assert [output["data"]["images"][0]["filename"] for output in outputs] == ["cd_00001_.png", "cd_00002_.png"]


@pytest.mark.parametrize(
    "outcome", [Succeeds(seconds=7.5), Fails(seconds=7.5), TimesOut(seconds=7.5), IsCancelled(seconds=7.5)]
)
def test_the_outcome_decides_how_long_a_run_takes(ended, outcome):
    assert ended(outcome)["run_duration"] == pytest.approx(7.5, abs=0.001)


def test_a_failed_run_tells_its_reason_in_its_stream_and_its_log(streamed, by_hand, client):
    told = streamed(Fails("CUDA out of memory.", exception_type="torch.OutOfMemoryError"))
    (error,) = [one["data"] for one in told if one["event"] == "execution_error"]
    assert (error["exception_message"], error["exception_type"]) == ("CUDA out of memory.", "torch.OutOfMemoryError")
    assert (error["node_id"], error["node_type"], error["executed"]) == ("5", "KSampler", ["2", "3", "4"])
    assert told[-1] == {"event": "status", "data": {"prompt_id": by_hand.runs[0].id, "status": "failed"}}
    run = client.get(f"/run/{by_hand.runs[0].id}").json()
    assert (run["status"], run["outputs"]) == ("failed", [])
    line = client.get(f"/v2/clickhouse-run-logs/{run['id']}").json()[-1]["log"]
    assert line == "torch.OutOfMemoryError: CUDA out of memory."


@pytest.mark.parametrize(("outcome", "status"), [(TimesOut(), "timeout"), (IsCancelled(), "cancelled")])
def test_a_run_that_is_ended_from_outside_tells_its_webhook_and_its_stream_just_ends(
    outcome, status, ended, streamed, sink
):
    run = ended(outcome, webhook=sink.url)
    assert (run["status"], run["outputs"], run["live_status"]) == (status, [], "Executing KSampler")
    assert run["ended_at"] == run["updated_at"] > run["started_at"]
    told = [sink.next() for _ in range(4)]
    assert [body["status"] for body in told] == ["queued", "started", "running", status]
    assert told[-1]["progress"] == run["progress"] < 1
    kinds = [one["event"] for one in streamed(outcome)]
    assert kinds[-1] == "progress"
    assert not {"execution_error", "execution_success"} & set(kinds)


def test_outcomes_wait_in_a_line_and_then_all_is_as_usual(by_hand, client):
    by_hand.script("picture", Fails(), times=2)
    by_hand.script("picture", TimesOut())
    by_hand.script("slow", IsCancelled(), times=None)
    for name in ("picture", "slow") * 4:
        client.post("/run/queue", json={"deployment_id": by_hand.deployments[name]})
    by_hand.advance(60)
    statuses = [run.status for run in by_hand.runs]
    assert statuses[::2] == ["failed", "failed", "timeout", "success"]
    assert statuses[1::2] == ["cancelled"] * 4


def test_the_script_wins_over_the_input_that_asks_to_fail(ended):
    assert ended(Succeeds(), inputs={"fail": True})["status"] == "success"


@pytest.mark.parametrize(("outcome", "status"), [(Succeeds(), "success"), (TimesOut(), "timeout")])
@pytest.mark.parametrize("inputs", [{"fail": True}, {"text": "a"}])
def test_a_script_for_all_runs_wins_as_well(by_hand, client, outcome, status, inputs):
    by_hand.script("picture", outcome, times=None)
    client.post("/run/queue", json={"deployment_id": by_hand.deployments["picture"], "inputs": inputs})
    by_hand.advance(60)
    assert [(run.status, run.files != []) for run in by_hand.runs] == [(status, status == "success")]


def test_a_run_can_fail_in_no_time(ended):
    run = ended(Fails(seconds=0))
    assert (run["status"], run["run_duration"], run["live_status"]) == ("failed", 0, "Executing KSampler")


def test_a_batch_is_scripted_run_by_run(by_hand, client):
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
def test_an_outcome_that_makes_no_sense_is_refused_where_it_is_made(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_scripts_are_for_known_deployments_only():
    with pytest.raises(ValueError, match="deployment must be one of picture, slow, failing, not 'pictures'"):
        Emulator().script("pictures", Fails())
