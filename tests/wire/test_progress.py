"""The changes of the runs of a workflow, decoded from bytes."""

import json

import pytest

from comfydeploy._wire.progress import RunProgressDecoder
from comfydeploy.result import Success

CHANGE = {"run_id": "r", "workflow_id": "w", "status": "running", "progress": 0.5, "node_class": "KSampler"}
ROW = {"id": "r", "status": "failed", "progress": 1, "updated_at": "2026-11-23T18:55Z", "outputs": [{"data": []}]}
ROW |= {"workflow_id": "w", "machine_id": "m", "live_status": "Executing K"}


def event(value):
    return f"data: {json.dumps(value)}\n\n".encode()


def decoded(*events):
    decoder = RunProgressDecoder()
    return [*decoder.feed(b"".join(events)), *decoder.finish()]


def test_change_is_read():
    (item,) = decoded(event({**CHANGE, "timestamp": "2026-11-23T18:55:18.608000+00:00", "new": 5}))
    change = item.unwrap()
    assert (change.run_id, change.status, change.progress, change.node_class) == ("r", "running", 0.5, "KSampler")
    assert (change.timestamp.second, change.run, change.raw["new"]) == (18, None, 5)


def test_whole_run_is_read():
    (item,) = decoded(event(ROW))
    change = item.unwrap()
    assert change.raw == ROW
    assert (change.workflow_id, change.machine_id, change.node_class, change.progress) == ("w", "m", "Executing K", 1)
    assert (change.run_id, change.status, change.run.is_ended) == ("r", "failed", True)
    assert (change.timestamp, change.raw["outputs"]) == (change.run.updated_at, [{"data": []}])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_bytes_may_come_in_any_pieces(size):
    sent, decoder = event(CHANGE) + event({"type": "keepalive"}) + event(ROW), RunProgressDecoder()
    items = [item for start in range(0, len(sent), size) for item in decoder.feed(sent[start : start + size])]
    assert [item.unwrap().status for item in items] == ["running", "failed"]
    assert decoder.is_complete is False


def test_begin_of_stream_is_no_change():
    types = ({"type": "connection_established", "channels": ["c"]}, {"type": "subscribed", "channel": "c"})
    assert decoded(*map(event, types)) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("broken", "A change of a run cannot be read"),
        ("[1]", "A change of a run cannot be read"),
        ("[" * 100_000, "A change of a run cannot be read"),
        ('{"type": "error", "message": "redis is gone"}', "The service reports an error: redis is gone"),
        ('{"run_id": 5}', "A change of a run: $.run_id: expected a string, got int"),
        ('{"id": "r"}', "A change of a run: $.status: required, but missing"),
        ("{}", "A change of a run: $.id: required, but missing"),
    ],
)
def test_unreadable_event_does_not_end_stream(text, reason):
    first, last = decoded(f"data: {text}\n\n".encode(), event(CHANGE))
    assert first.failure().message.startswith(reason)
    assert first.failure().raw == text
    assert isinstance(last, Success)


def test_unfinished_change_is_read_at_end():
    assert [item.unwrap().run_id for item in decoded(event(CHANGE)[:-1])] == ["r"]
