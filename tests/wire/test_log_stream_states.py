"""A log stream has the same items for any cuts of its bytes, up to its end."""

import json

from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.logs import RunLogDecoder
from comfydeploy._wire.stream_state import StreamState
from comfydeploy.result import Success

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
EVENTS = st.one_of(
    st.builds(
        lambda text: ("line", {"message": text, "level": "info"}), TEXT.filter(lambda text: "__END__" not in text)
    ),
    st.just(("nothing", {"type": "keepalive"})),
    st.just(("nothing", {"message": "__END__"})),
    st.just(("error", {"type": "new"})),
    st.just(("error", "not an object")),
    st.sampled_from(["stream_complete", "stream_unavailable"]).map(lambda kind: ("end", {"type": kind})),
)


@given(st.lists(EVENTS, max_size=8), st.lists(st.integers(1, 40), min_size=1), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_cuts(events, cuts, newline):
    kinds = [kind for kind, _ in events]
    end = kinds.index("end") if "end" in kinds else len(kinds)
    data = "".join(f"data: {json.dumps(value)}{newline}{newline}" for _, value in events).encode()
    state = StreamState(RunLogDecoder(), None)
    is_over = False
    while data and not is_over:
        cut = cuts[len(data) % len(cuts)]
        is_over = state.take(data[:cut])
        data = data[cut:]
    assert is_over == ("end" in kinds)
    is_over = is_over or state.take(None)
    assert is_over
    assert state.has_ended
    shown = [value.get("message") for kind, value in events[:end] if kind == "line"]
    items = list(state.ready)
    # What comes in one piece with the end is not lost.
    assert [item.unwrap().message for item in items if isinstance(item, Success)][: len(shown)] == shown
    assert sum(not isinstance(item, Success) for item in items) >= kinds[:end].count("error")


@given(st.lists(EVENTS, max_size=4), st.binary(max_size=30))
def test_stream_that_breaks_keeps_its_lines(events, rest):
    state = StreamState(RunLogDecoder(), None)
    whole = "".join(f"data: {json.dumps(value)}\n\n" for kind, value in events if kind != "end").encode()
    state.take(whole + b"data: " + rest.replace(b"\n", b"").replace(b"\r", b""))
    state.fail(OSError("reset"), 0.0, closed=False)
    lines = [value["message"] for kind, value in events if kind == "line"]
    *items, last = state.ready
    assert [item.unwrap().message for item in items if isinstance(item, Success)][: len(lines)] == lines
    assert last.failure().fate == "answered"
    assert state.abort("late") is False
