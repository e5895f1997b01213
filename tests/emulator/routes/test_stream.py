import itertools
import json
import time

import httpx
import pytest


def events(body: str) -> list[tuple[str, dict]]:
    blocks = [block.split("\n") for block in body.split("\n\n") if block]
    assert all(len(lines) == 2 for lines in blocks)
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def kinds(found: list[tuple[str, dict]]) -> list[str]:
    """Return the kinds in order, without logs and repetitions."""
    return [
        kind for kind, _ in itertools.groupby(data.get("event", "") for name, data in found if name != "log_update")
    ]


@pytest.fixture
def streamed(client, order):
    return lambda *args, **fields: events(client.post("/run/stream", json=order(*args, **fields)).text)


def test_events_of_successful_run(streamed):
    story = kinds(streamed())
    assert story[:10] == [
        "queuing",
        "function_call_id",
        "gpu_ready",
        "gpu_event_id",
        "comfyui_api_ready",
        "comfyui_ready",
        "",
        "execution_start",
        "execution_cached",
        "progress_state",
    ]
    assert story[10:13] == ["executing", "live_status", "status"]
    assert story[-5:] == ["output_ready", "progress_state", "execution_success", "executing", "status"]
    assert story.index("executed") < story.index("output_ready")


def test_run_id_is_prompt_id(streamed, client):
    found = [data for _, data in streamed()]
    (nameless,) = [data for data in found if "node_errors" in data]
    assert nameless["node_errors"] == {}
    assert client.get(f"/run/{nameless['prompt_id']}").json()["status"] == "success"
    ids = {data["data"]["prompt_id"] for data in found if isinstance(data.get("data"), dict)}
    assert ids == {nameless["prompt_id"]}


def test_statuses_run_and_then_end(streamed):
    values = [data["data"]["status"] for _, data in streamed() if data.get("event") == "status"]
    assert values == ["running", "success"]


def test_progress_counts_steps_of_node(streamed):
    values = [data["data"] for _, data in streamed("slow") if data.get("event") == "progress"]
    assert [one["value"] for one in values if one["node"] == "5"] == list(range(1, 21))
    assert {one["max"] for one in values if one["node"] == "5"} == {20}


def test_failing_run_gives_reason_and_ends(streamed):
    found = streamed(inputs={"fail": "The paint has run out."})
    assert kinds(found)[-2:] == ["execution_error", "status"]
    error = next(data["data"] for _, data in found if data.get("event") == "execution_error")
    assert error["exception_message"] == "The paint has run out.\n"
    assert found[-1][1]["data"]["status"] == "failed"


def test_event_carries_address_of_output(streamed):
    made = next(data["data"] for _, data in streamed() if data.get("event") == "output_ready")
    assert httpx.get(made["output"]["images"][0]["url"]).content.startswith(b"\x89PNG")


def test_leaving_stream_closes_it_and_run_goes_on(connect, standing):
    client = connect(standing)
    with client.stream("POST", "/run/stream", json={"deployment_id": standing.deployments["picture"]}) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: event_update"
        assert standing.open_streams == 1
    deadline = time.monotonic() + 5
    while standing.open_streams:
        assert time.monotonic() < deadline


def test_run_goes_on_without_its_listener(client, order, ended):
    with client.stream("POST", "/run/stream", json=order("slow")) as answer:
        for line in answer.iter_lines():
            if '"prompt_id"' in line:
                run_id = json.loads(line.removeprefix("data: "))["prompt_id"]
                break
    assert ended(run_id)["status"] == "success"
