"""Any bytes of a stream, in any chunks, are the events of the standard, and each is an item with its text."""

import json

import pytest
from documents import CORPUS, FEWER, VALUES
from hypothesis import given
from hypothesis import strategies as st
from whatwg import standard_events

from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy._wire.server_sent_events import SSEDecoder
from comfydeploy.errors import MalformedEvent
from comfydeploy.models import EventUpdateEvent, LogUpdateEvent, UnknownEvent
from comfydeploy.result import Failure, Success

pytestmark = pytest.mark.usefixtures("each_parser")

INSERTED = b"event: log_update"
WORDS = st.sampled_from(
    [
        b"data:",
        b"data: ",
        b"event: ",
        b"event_update",
        b"log_update",
        b"id: 1",
        b"retry: 1",
        b":",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
    ]
    + [b"{}", b'{"event": "executing", "data": {"prompt_id": "r"}}', b'{"logs": "a", "timestamp": 1}', b"\xef\xbb\xbf"]
    + ["\u2028\x85é🐍".encode(), b"\xff", b"\xe2\x80", b"\0", b"[" * 2000, b"9" * 5000]
)
BLOCKS = st.builds(
    lambda name, value: f"event: {name}\ndata: {json.dumps(value)}\n\n".encode("utf-8", "surrogatepass"),
    st.sampled_from(["event_update", "log_update", "new", ""]),
    VALUES,
)
STREAMS = st.lists(WORDS | st.binary(max_size=4) | BLOCKS, max_size=25).map(b"".join)


def chunks(stream, cuts):
    places = sorted(cut % (len(stream) + 1) for cut in cuts)
    return [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]


def decoded(decoder, parts):
    return [item for part in parts for item in decoder.feed(part)] + decoder.finish()


def check(stream, cuts):
    parts = chunks(stream + b"\n\n", cuts)
    events = decoded(SSEDecoder(), parts)
    expected = standard_events(stream + b"\n\n")
    named = [event for event in events if event[0]]
    # The service breaks events in two; only then the name of the event after it is taken out of the rest.
    assert [data for _, data in named] == [data for _, data in expected]
    if not any(data.endswith(INSERTED.decode()) for _, text in expected for data in text.split("\n")):
        assert named == expected
    decoder = RunStreamDecoder()
    items = decoded(decoder, parts)
    assert len(items) <= len(events)
    for item in items:
        match item:
            case Failure(MalformedEvent(raw=raw)):
                assert raw in [data for _, data in events]
            case Success(UnknownEvent() | EventUpdateEvent() | LogUpdateEvent()):
                repr(item)
            case other:
                pytest.fail(str(other))
    # Each text of an event is in an item; only end marks of logs are left out.
    kept = sum(isinstance(item, Failure) or not isinstance(item.unwrap(), LogUpdateEvent) for item in items)
    assert kept >= sum(name != "log_update" for name, _ in events)


@FEWER
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_any_stream(stream, cuts):
    check(stream, cuts)


@pytest.mark.parametrize("one", CORPUS["events"], ids=lambda one: one["why"].replace(" ", "-"))
def test_kept_stream(one):
    stream = one["text"].encode("latin-1")
    for cuts in ([], range(len(stream) + 2)):
        check(stream, cuts)
