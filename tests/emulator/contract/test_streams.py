"""The event streams have the recorded heads, the recorded kinds of events in the recorded order, and their shapes."""

import itertools
import json
from contextlib import suppress

import httpx
import pytest

from comfydeploy.emulator import Emulator, Quirk

GRAPH = {"1": {"class_type": "NoSuchNode", "inputs": {}}}


@pytest.fixture(scope="module")
def ask():
    """Send requests to the server as it was recorded."""
    with Emulator(pace=0, quirks=set(Quirk) - {Quirk.CORRUPTED_EVENTS}) as emulator, httpx.Client() as client:
        client.base_url = emulator.url
        client.headers["authorization"] = f"Bearer {emulator.bearer}"
        rows = {row["workflow"]["name"]: row for row in client.get("/deployments").json()}
        client.rows = rows
        yield client


def read(text):
    """Return the kind and the data of each event of a stream."""
    for block in text.split("\n\n"):
        name, _, line = block.partition("\n")
        with suppress(ValueError):  # the recordings have an event with another one inside it
            data = json.loads(line.removeprefix("data: "))
            yield ("log" if "log_update" in name else data.get("event", ""), data)


def recorded_events(streams):
    return [event for one in streams.values() for event in read("".join(one["chunks"]))]


def story(events):
    """Return the kinds in order, without repetitions, and without logs, whose order is not fixed."""
    return [kind for kind, _ in itertools.groupby(kind for kind, _ in events if kind != "log")]


def test_head_is_as_recorded(ask, streams):
    body = {"deployment_id": ask.rows["picture"]["id"], "execution_mode": "stream"}
    for path in ("/run/stream", "/run/deployment/stream", "/run", "/run/queue"):
        answer = ask.post(path, json=body)
        assert answer.status_code == 200
        assert streams["stream-old"]["headers"].items() <= dict(answer.headers).items()


@pytest.mark.parametrize("inputs", [{"width": 16}, {"text": "hello"}, {"fail": "no"}])
@pytest.mark.parametrize("name", ["picture", "slow"])
def test_every_event_has_recorded_shape(ask, streams, like, name, inputs):
    recorded = recorded_events(streams)
    answer = ask.post("/run/stream", json={"deployment_id": ask.rows[name]["id"], "inputs": inputs})
    for kind, data in read(answer.text):
        if is_unrecorded(data):
            continue
        alike = [other for known, other in recorded if known == kind]
        assert alike, kind
        assert not like(envelope(data), *map(envelope, alike))
        payloads = [one["data"] for one in alike if "data" in one]
        assert "data" not in data or not like(data["data"], *payloads)


def is_unrecorded(data):
    """Check for what no recording has complete: the end of a run that fails, and texts as outputs."""
    made = data["data"] if isinstance(data.get("data"), dict) else {}
    return data.get("event") == "execution_error" or made.get("status") == "failed" or "text" in made.get("output", {})


def envelope(data):
    return {key: value for key, value in data.items() if key != "data"}


def test_events_are_in_recorded_order(ask, streams):
    found = story(read(ask.post("/run/stream", json={"deployment_id": ask.rows["picture"]["id"]}).text))
    recorded = story(read("".join(streams["stream-deployment"]["chunks"])))
    beginning = recorded.index("execution_cached") + 1
    assert found[:beginning] == recorded[:beginning]
    assert found[-3:] == recorded[-3:] == ["execution_success", "executing", "status"]
    assert set(found) <= {kind for kind, _ in recorded_events(streams)}


def test_stream_of_invalid_graph_is_as_recorded(ask, streams, like):
    row = ask.rows["picture"]
    body = {"workflow_id": row["workflow_id"], "machine_id": row["machine_id"], "workflow_api_json": GRAPH}
    recorded = list(read("".join(streams["stream-invalid-graph"]["chunks"])))
    with ask.stream("POST", "/run/workflow/stream", json=body) as answer:
        lines = answer.iter_lines()
        text = "\n".join(itertools.islice(lines, 3 * len(recorded)))
    found = list(read(text))
    assert story(found) == story(recorded)
    assert found[-1] == recorded[-1]


def test_stream_of_logs_is_as_recorded(ask, recordings, like):
    body = {"deployment_id": ask.rows["picture"]["id"]}
    run_id = ask.post("/run/sync", json=body).json()[0]["run_id"]
    recorded = recordings["stream-logs"]
    answer = ask.get("/v2/stream-logs", params={"run_id": run_id})
    assert (answer.status_code, answer.headers["content-type"]) == (200, recorded.headers["content-type"])
    assert "event:" not in recorded.text
    assert "event:" not in answer.text
    found, known = (
        [json.loads(block.removeprefix("data: ")) for block in text.split("\n\n") if block]
        for text in (answer.text, recorded.text)
    )
    assert found[-1] == known[-1]
    for one in found[:-1]:
        assert not like({**one, "message": ""}, *[{**each, "message": ""} for each in known[:-1]])
