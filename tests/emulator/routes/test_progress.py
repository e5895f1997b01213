import json
from uuid import uuid4

import pytest


@pytest.fixture
def follow(by_hand, connect):
    """Read the changes of a run of the first deployment, which is started once the stream is open."""
    client = connect(by_hand)
    listed = client.get("/deployments").json()

    def read(count, **params):
        params = {"workflow_id": listed[0]["workflow_id"], **params}
        with client.stream("GET", "/v2/stream-progress", params=params) as answer:
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            lines = (json.loads(line[6:]) for line in answer.iter_lines() if line)
            first = [next(lines), next(lines)]
            for one in (listed[2], listed[0]):
                client.post("/run/queue", json={"deployment_id": one["id"], "inputs": {"width": 16}})
            by_hand.advance(60)
            return first, [next(lines) for _ in range(count)]

    return read


def test_changes_of_workflow_are_pushed(follow, by_hand):
    first, events = follow(4)
    assert first == [{"type": "connection_established"}, {"type": "subscribed"}]
    assert {event["run_id"] for event in events} == {by_hand.runs[1].id}
    assert [event["status"] for event in events] == ["not-started", "queued", "started", "running"]


def test_changes_can_have_whole_run(follow):
    _, events = follow(12, return_run=True, run_id=str(uuid4()))
    assert (events[-1]["status"], events[-1]["progress"]) == ("success", 1.0)
    assert [type(output["data"]) for output in events[-1]["outputs"]] == [list, dict]
    assert not events[-1].keys() & {"version", "workflow", "workflow_api"}


def test_stream_needs_known_workflow(client):
    assert client.get("/v2/stream-progress").json()["detail"][0]["loc"] == ["query", "workflow_id"]
    assert client.get("/v2/stream-progress", params={"workflow_id": str(uuid4())}).status_code == 404
