"""The events of a stream are those that httpx-sse reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.server_sent_events import SSEDecoder

httpx = pytest.importorskip("httpx")
httpx_sse = pytest.importorskip("httpx_sse")

TEXTS = st.text(st.characters(exclude_characters="\r\n\ufeff", exclude_categories=["Cs"]), max_size=6)
LINES = st.lists(
    st.just("")
    | st.builds("{}{}".format, st.sampled_from(["data:", "data: ", "data", "event: ", "id: ", ": ", "x: "]), TEXTS),
    max_size=15,
)


def pieces(stream, cuts):
    places = sorted(cut % (len(stream) + 1) for cut in cuts)
    return [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True) if start < end]


@given(lines=LINES, end=st.sampled_from(["\n", "\r", "\r\n"]), cuts=st.lists(st.integers(0, 999), max_size=6))
def test_events_are_those_of_httpx_sse(lines, end, cuts):
    parts = pieces(end.join([*lines, "", ""]).encode(), cuts)
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=iter(parts))
    decoder = SSEDecoder()
    ours = [event for part in parts for event in decoder.feed(part)]
    # It also returns blocks without data, which the standard does not.
    theirs = [(event.event, event.data) for event in httpx_sse.EventSource(response).iter_sse()]
    assert [event for event in ours if event[0] and event[1]] == [event for event in theirs if event[1]]
