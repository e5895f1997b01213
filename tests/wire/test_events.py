"""The events of a stream are values; unreadable ones are failures with their text."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy.errors import MalformedEvent
from comfydeploy.models import EventUpdateEvent, LogUpdateEvent, UnknownEvent
from comfydeploy.result import Failure, Success

pytestmark = pytest.mark.usefixtures("each_parser")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def items(*blocks):
    decoder = RunStreamDecoder()
    return decoder.feed("".join(f"{block}\n\n" for block in blocks).encode("utf-8", "surrogatepass"))


def item(name, data):
    (found,) = items(f"event: {name}\ndata: {data if isinstance(data, str) else json.dumps(data)}")
    return found


def update(payload):
    return item("event_update", payload).unwrap()


def test_step_of_run_has_kind_and_data():
    match item("event_update", {"event": "executing", "data": {"node": "3"}, "new": 1}):
        case Success(EventUpdateEvent(event="event_update", data=step)):
            assert (step.event, step.data) == ("executing", {"node": "3"})
            assert step.raw == {"event": "executing", "data": {"node": "3"}, "new": 1}
        case other:
            pytest.fail(str(other))


def test_step_may_have_no_data():
    assert (update({"event": "queuing"}).data.event, update({"event": "queuing"}).data.data) == ("queuing", None)


@pytest.mark.parametrize(
    "payload", [{"prompt_id": "r"}, {"error": {"type": "x"}, "node_errors": {}}, {"event": 5, "x": 1}]
)
def test_payload_without_kind_is_its_own_data(payload):
    step = update(payload).data
    assert (step.event, step.data, step.raw) == (None, payload, payload)


@pytest.mark.parametrize("payload", [{"data": [1]}, {"event": None, "data": [1]}, {"event": 5, "data": [1]}])
def test_payload_with_nothing_but_data_gives_data(payload):
    step = update(payload).data
    assert (step.event, step.data, step.raw) == (None, [1], payload)


def test_payload_may_be_empty():
    assert (update({}).data.event, update({}).data.data) == (None, None)


@pytest.mark.parametrize(
    "payload", [{"prompt_id": "r", "number": 1}, {"event": "execution_start", "data": {"prompt_id": "r"}}]
)
def test_run_id_is_first_prompt_id(payload):
    decoder = RunStreamDecoder()
    later = {"event": "executing", "data": {"prompt_id": "another"}}
    decoder.feed(b'event: event_update\ndata: {"event": "queuing"}\n\n')
    assert decoder.run_id is None
    for sent in (payload, later):
        decoder.feed(f"event: event_update\ndata: {json.dumps(sent)}\n\n".encode())
    assert decoder.run_id == "r"


@pytest.mark.parametrize("data", [None, 5, "r", ["prompt_id"], {"prompt_id": 5}, {"prompt_id": None}, {}])
def test_run_id_must_be_text(data):
    decoder = RunStreamDecoder()
    decoder.feed(f"event: event_update\ndata: {json.dumps({'event': 'x', 'data': data})}\n\n".encode())
    assert decoder.run_id is None


def test_line_of_log_has_text_and_time():
    for stamp in ("2026-11-23T19:12:32.500Z", 1_795_461_152.5, 1_795_461_152_500):
        match item("log_update", {"logs": "hello", "timestamp": stamp}):
            case Success(LogUpdateEvent(event="log_update", data=line)):
                assert (line.logs, line.timestamp.isoformat()) == ("hello", "2026-11-23T19:12:32.500000+00:00")
                assert line.raw == {"logs": "hello", "timestamp": stamp}
            case other:
                pytest.fail(str(other))


@pytest.mark.parametrize("stamp", [None, "soon", [], True])
def test_log_line_with_unreadable_time_is_kept(stamp):
    assert item("log_update", {"logs": "hello", "timestamp": stamp}).unwrap().data.timestamp is None


@pytest.mark.parametrize(("name", "data"), [("log_update", {"logs": 5}), ("log_update", []), ("event_update", [1])])
def test_known_event_of_other_shape_is_unknown(name, data):
    assert item(name, data) == Success(UnknownEvent(event=name, data=data))


def test_new_event_is_unknown_with_its_value():
    assert item("new", {"x": [1]}) == Success(UnknownEvent(event="new", data={"x": [1]}))
    assert item("new", "no json") == Success(UnknownEvent(event="new", data="no json"))


@pytest.mark.parametrize("name", ["new", "event_update"])
def test_only_log_events_are_log_lines(name):
    assert not isinstance(item(name, {"logs": "hello"}).unwrap(), LogUpdateEvent)


ERROR = {"message": "no"}
RAISED = {"event": "execution_error", "data": ERROR}


@pytest.mark.parametrize(
    ("payloads", "is_failure", "is_complete"),
    [
        ([{"prompt_id": "r", "node_errors": {}}], False, False),
        ([{"error": {}, "node_errors": {}}], False, False),
        ([{"error": ERROR}], True, True),
        ([{"error": ERROR, "node_errors": {}}], True, True),
        ([{"error": ERROR, "node_errors": {"4": ERROR}}], True, False),
        ([RAISED], True, False),
        ([{"event": "execution_error"}], True, False),
        ([{"event": "execution_error", "data": {"error": ERROR}}], True, False),
        ([{"event": "executing", "data": {"error": ERROR}}], False, False),
        ([{"error": ERROR, "node_errors": {"4": ERROR}}, RAISED], True, False),
        ([RAISED, {"error": ERROR}], True, True),
    ],
)
def test_first_failure_is_kept(payloads, is_failure, is_complete):
    decoder = RunStreamDecoder()
    for payload in payloads:
        decoder.feed(f"event: event_update\ndata: {json.dumps(payload)}\n\n".encode())
    assert (decoder.failure and decoder.failure.raw) == (payloads[0] if is_failure else None)
    assert decoder.is_complete is is_complete


@pytest.mark.parametrize("name", ["event_update", "log_update"])
@pytest.mark.parametrize("text", ["{", "", '{"x": yyy}', "[" * 100_000, "1" * 5000])
def test_known_event_must_be_json(name, text):
    match item(name, text):
        case Failure(MalformedEvent(raw=raw, fate="answered") as error):
            assert raw == text
            assert name in str(error)
        case other:
            pytest.fail(str(other))


def test_rest_of_broken_event_is_failure():
    first, second = items('yyy"]}', 'event: event_update\ndata: {"event": "status"}')
    assert first.failure().raw == 'yyy"]}'
    assert "without a name" in str(first.failure())
    assert second.unwrap().data.event == "status"


def test_unfinished_event_is_read_at_end():
    decoder = RunStreamDecoder()
    assert decoder.feed(b'event: event_update\ndata: {"prompt_id": "r"}') == []
    (last,) = decoder.finish()
    assert (last.unwrap().data.data, decoder.run_id) == ({"prompt_id": "r"}, "r")
    assert decoder.finish() == []


@given(payload=st.dictionaries(st.text(), JSON), name=st.sampled_from(["event_update", "log_update", "new"]))
def test_every_payload_reaches_reader_untouched(payload, name):
    event = item(name, payload).unwrap()
    match event:
        case UnknownEvent(data=data):
            assert data == payload
        case EventUpdateEvent() | LogUpdateEvent():
            assert event.data.raw == payload


@given(data=JSON)
def test_data_of_step_reaches_reader_untouched(data):
    assert update({"event": "x", "data": data}).data.data == data


FAILURES = json.loads((Path(__file__).parent.parent / "samples" / "failures.json").read_text())["streams"]


@pytest.mark.parametrize("sample", FAILURES, ids=lambda sample: sample["name"])
def test_event_that_says_why_run_failed_is_kept(sample):
    value = {"event": sample["event"], "data": sample["data"]} if sample["event"] else sample["data"]
    decoder = RunStreamDecoder()
    (item,) = decoder.feed(f"event: event_update\ndata: {json.dumps(value)}\n\n".encode())
    assert decoder.is_complete is sample["ends"]
    assert (decoder.failure is not None) is (sample["kind"] is not None)
    assert decoder.failure in (None, item.unwrap().data)
