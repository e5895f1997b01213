"""Server-sent events follow the standard, in any chunks, and no bytes are lost."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatwg import standard_events

from comfydeploy._wire import server_sent_events
from comfydeploy._wire.server_sent_events import SSEDecoder

BOM = b"\xef\xbb\xbf"
# The parts of a stream, including broken ones.
PIECES = st.lists(
    st.sampled_from(
        [b"data:", b"data", b"event:", b"event", b"id:", b"retry:", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"{}"]
        + ["\u2028\x85é€🐍".encode(), b"\x0b\x0c\x1c\x85", b"\xff", b"\xe2\x80", BOM, b"x" * 50]
    ),
    max_size=60,
).map(b"".join)


def events(*chunks):
    decoder = SSEDecoder()
    found = [tuple(event) for chunk in chunks for event in decoder.feed(chunk)]
    return found + [tuple(event) for event in decoder.finish()]


def test_event_has_name_and_data():
    assert events(b"event: a\ndata: b\n\n") == [("a", "b")]


def test_event_without_name_is_message():
    assert events(b"data: b\n\n") == [("message", "b")]


def test_event_ends_with_its_blank_line():
    decoder = SSEDecoder()
    assert decoder.feed(b"event: a\ndata: b\n") == []
    assert decoder.feed(b"\n") == [("a", "b")]
    assert decoder.finish() == []


def test_name_of_one_event_is_not_name_of_next():
    assert events(b"event: a\ndata: b\n\ndata: c\n\nevent: d\n\ndata: e\n\n") == [
        ("a", "b"),
        ("message", "c"),
        ("message", "e"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_with_any_of_three_line_ends(end):
    assert events(b"event: a" + end + b"data: b" + end + b"data: c" + end * 2) == [("a", "b\nc")]


@pytest.mark.parametrize("text", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
def test_other_separators_end_no_line(text):
    assert events(f"data: b{text}data: c\n\n".encode()) == [("message", f"b{text}data: c")]


def test_line_end_may_come_in_two_chunks():
    assert events(b"data: a\r", b"\n", b"data: b\r", b"\n\r", b"\n") == [("message", "a\nb")]


def test_event_with_cr_does_not_wait_for_lf():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r\r") == [("message", "a")]
    assert decoder.feed(b"\ndata: b\r\r") == [("message", "b")]


def test_empty_chunk_within_line_end():
    assert events(b"data: a\r", b"", b"\ndata: b\n\n") == [("message", "a\nb")]


def test_lf_is_dropped_right_after_cr_only():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r") == decoder.feed(b"\ndata: b\n") == []
    assert decoder.feed(b"\n") == [("message", "a\nb")]


def test_byte_order_mark_of_later_chunk():
    assert events(b"data: a\n\n", BOM + b"data: b\n\n") == [("message", "a"), ("", "\ufeffdata: b")]


def test_empty_chunk_changes_nothing():
    assert events(b"", b"data: a\r", b"", b"\n\r\n", b"") == [("message", "a")]


@given(cut=st.integers(0, 20))
def test_bom_in_pieces_is_removed(cut):
    body = BOM + b"data: a\n\ndata: " + BOM + b"b\n\n"
    assert events(body[:cut], body[cut:]) == [("message", "a"), ("message", "\ufeffb")]


def test_bom_without_line_end_is_removed():
    assert events(BOM[:1], BOM[1:] + b"data: a") == [("message", "a")]


def test_only_first_byte_order_mark_is_taken_off():
    assert events(BOM + BOM + b"data: a\n\n") == [("", "\ufeffdata: a")]


def test_comments_are_no_events():
    assert events(b": hello\n\n:\n\n:data: a\ndata: b\n\n") == [("message", "b")]


@pytest.mark.parametrize("field", [b"id: 7", b"retry: 10", b"id", b"retry", b"event: a", b"event"])
def test_block_without_data_is_no_event(field):
    assert events(field + b"\n\ndata: b\n\n") == [("message", "b")]


def test_id_beside_data_changes_nothing():
    assert events(b"id: 7\ndata: b\nretry: 3\n\n") == [("message", "b")]


def test_data_may_have_many_lines_also_empty_ones():
    assert events(b"data: a\ndata:\ndata\ndata: b\n\n") == [("message", "a\n\n\nb")]


def test_one_blank_after_colon_belongs_to_form():
    assert events(b"event:a\ndata:b\ndata: c\ndata:  d\n\n") == [("a", "b\nc\n d")]


def test_empty_name_is_no_name():
    assert events(b"event:\ndata: b\n\nevent: \ndata: c\n\n") == [("message", "b"), ("message", "c")]


def test_name_without_colon_is_empty_name():
    assert events(b"event: a\nevent\ndata: b\n\n") == [("message", "b")]


def test_character_may_come_in_pieces():
    body = "data: é€🐍\n\n".encode()
    assert events(*(body[place : place + 1] for place in range(len(body)))) == [("message", "é€🐍")]


def test_bytes_that_are_no_text_are_replaced():
    assert events(b"event: \xff\ndata: a\xe2\x80b\n\n") == [("\ufffd", "a\ufffdb")]


def test_unfinished_event_is_returned_at_end():
    assert events(b"event: a\ndata: b") == [("a", "b")]
    assert events(b"event: a\ndata: b\n") == [("a", "b")]
    assert events(b"event: a\n") == []
    assert events(b"") == []


def test_text_without_field_has_no_name():
    assert events(b'yyy"]}\nz{: 1\n\ndata: b\n\n') == [("", 'yyy"]}\nz{: 1'), ("message", "b")]


def test_unknown_field_is_ignored():
    assert events(b"trace: 1\n\ntrace: 2\nevent: a\ndata: b\n\n") == [("a", "b")]


@pytest.mark.parametrize("beside", [b"event: a\n", b"id: 1\n", b"retry: 1\n"])
def test_unknown_field_is_not_event(beside):
    assert events(beside + b"new: 1\n\n") == []
    assert events(beside + b"new: 1\ndata: b\n\n")[0][1] == "b"


BROKEN = b'event: a\ndata: {"x": "yyyevent: log_update\ndata: {}\n\n'
READ = ("a", '{"x": "yyyevent: log_update\n{}')


@pytest.mark.parametrize("name", ["event_update", "log_update"])
@pytest.mark.parametrize("rest", ["yyy", 'yyy"]}', "y: y "])
def test_rest_of_broken_event_is_separated(name, rest):
    body = f"{rest}event: {name}\ndata: {{}}\n\n".encode()
    assert events(BROKEN + body) == [READ, ("", rest), (name, "{}")]


@pytest.mark.parametrize("line", ["yyyevent: event_update", "trace: an event: log_update"])
def test_no_name_is_separated_in_sound_stream(line):
    assert events(f"{line}\ndata: {{}}\n\n".encode()) == [("message", "{}")]


@pytest.mark.parametrize("line", [": event: log_update", "id: event: log_update", "retry: event: log_update"])
@pytest.mark.parametrize("before", [b"", BROKEN], ids=["sound", "broken"])
def test_comment_or_id_names_no_event(before, line):
    body = f"event: a\n{line}\ndata: b\n\n".encode()
    assert events(before + body)[-1:] == [("a", "b")]
    assert len(events(before + body)) == len(events(before)) + 1


def test_another_word_is_no_name_of_event():
    assert events(BROKEN + b"yyyevent: word\ndata: b\n\n") == [READ, ("message", "b")]


@pytest.mark.parametrize("more", [b"", b"event: b\n"])
def test_line_put_in_is_seen_whatever_follows(more):
    body = b"data: yevent: log_update\n" + more + b"data: c\n\nyevent: event_update\ndata: d\n\n"
    assert events(body)[-2:] == [("", "y"), ("event_update", "d")]


LINES = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["", "data", "event", "id", "retry", "trace", "y"]),
            st.sampled_from([":", ": ", ":  ", ""]),
            st.sampled_from(["", "a", "{}", "log_update", "a comment event: word", "yyyevent: event_update", ": b"]),
        ).map("".join),
        st.just(""),
        st.sampled_from(['yyy"]}', "event: event_update", 'data: {"x": "yevent: log_update', "data: {}"]),
    ),
    max_size=30,
)


@given(lines=LINES, end=st.sampled_from(["\n", "\r", "\r\n"]))
def test_names_and_data_are_those_of_standard(lines, end):
    body = end.join([*lines, "", ""]).encode()
    found = [event for event in events(body) if event[0]]
    if any(line.startswith("data") and line.endswith("event: log_update") for line in lines):
        assert [data for _, data in found] == [data for _, data in standard_events(body)]
    else:
        assert found == standard_events(body)


@given(body=PIECES)
def test_pieces_are_read_as_standard_reads_them(body):
    assert [event for event in events(body + b"\n\n") if event[0]] == standard_events(body + b"\n\n")


def test_inserted_event_keeps_outer_data():
    assert events(b"data: a\nevent: b\ndata: c\n\ndata: d\n\n") == [("b", "a\nc"), ("message", "d")]
    assert events(b"yyy: {}\nevent: b\ndata: c\n\n") == [("b", "c")]
    assert events(b"y{y: {}\nevent: b\ndata: c\n\n") == [("", "y{y: {}"), ("b", "c")]


def test_inserted_line_stays_in_data():
    body = b'event: a\ndata: {"x": "yyyevent: log_update\ndata: {}\n\nevent: b\ndata: c\n\n'
    assert events(body) == [("a", '{"x": "yyyevent: log_update\n{}'), ("b", "c")]


@given(body=PIECES, data=st.data())
def test_any_chunks_give_same_events(body, data):
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=20))), len(body)]
    assert events(*(body[start:end] for start, end in zip(cuts, cuts[1:], strict=False))) == events(body)


@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_also_one_by_one(body):
    assert events(*(body[place : place + 1] for place in range(len(body)))) == events(body)


@given(lines=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))))
def test_data_comes_out_as_it_went_in(lines):
    body = "".join(f"data: {line}\n" for line in lines) + "\n"
    assert events(body.encode()) == ([("message", "\n".join(lines))] if lines else [])


class Counted(bytes):
    """Bytes that count how many of them were searched for line ends, for each kind of search."""

    looked_at: dict[str, int] = {}  # noqa: RUF012 - one for all
    __slots__ = ()

    def _look(self, way):
        Counted.looked_at[way] = Counted.looked_at.get(way, 0) + len(self)
        return getattr(super(), way)

    def __contains__(self, part):
        return self._look("__contains__")(part)

    def rfind(self, part):
        return self._look("rfind")(part)

    def replace(self, old, new):
        return self._look("replace")(old, new)

    def splitlines(self, keepends=False):
        return self._look("splitlines")(keepends)


def test_each_byte_is_read_once():
    Counted.looked_at.clear()
    chunks = [b"data: ", *[b"x" * 100] * 1000, b"\n\n"]
    ((_, data),) = events(*map(Counted, chunks))
    assert len(data) == 100_000
    # Once for CR, and once for LF.
    assert Counted.looked_at == dict.fromkeys(("__contains__", "rfind"), sum(map(len, chunks)))


def test_unfinished_line_takes_its_bytes_alone():
    decoder = SSEDecoder()
    for _ in range(5000):
        decoder.feed(b"xy")
    assert bytes(decoder._unfinished) == b"xy" * 5000
    assert sys.getsizeof(decoder._unfinished) < 12_000  # parts would take 200,000


def test_name_without_data_names_no_later_event():
    assert events(b"event: a\nevent: b\ndata: 1\n\ndata: 2\n\n") == [("b", "1"), ("message", "2")]


def test_two_lines_of_data_break_no_event():
    sent = b"data: a\ndata: b\n\n{x event: event_update\n\n"
    assert events(sent) == [("message", "a\nb"), ("", "{x event: event_update")]


def test_broken_stream_stays_broken():
    broken = b'event: event_update\ndata: {"aevent: log_update\ndata: {}\n\n'
    glued = b'b"}event: event_update\ndata: 1\n\n'
    assert events(broken, b"data: 1\ndata: 2\n\n", glued)[-2:] == [("", 'b"}'), ("event_update", "1")]


def test_limit_is_the_documented_one():
    assert server_sent_events.LIMIT == 64 * 2**20


class TestLimit:
    """What is kept until an event ends is limited, however it comes."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(server_sent_events, "LIMIT", 100)

    @pytest.mark.parametrize("chunk", [b"-" * 10, b"data: 123456\n", b"data\n", b"a stray\n", b"data: 12\n-"])
    def test_endless_event_comes_in_parts(self, chunk):
        decoder, parts, kept = SSEDecoder(), [], 0
        for _ in range(110):
            parts += decoder.feed(chunk)
            kept = max(kept, len(decoder._unfinished) + len("\n".join(decoder._data + decoder._strays)))
        assert 90 < kept <= 100
        assert parts

    def test_event_of_this_size_is_whole(self):
        decoder = SSEDecoder()
        assert decoder.feed(b"data: " + b"x" * 94) == []
        assert decoder.feed(b"\n") == []
        assert decoder.feed(b"\n") == [("message", "x" * 94)]

    def test_events_after_it_are_whole(self):
        decoder = SSEDecoder()
        (part,) = decoder.feed(b"event: a\ndata: " + b"x" * 101)
        assert part == ("a", "x" * 101)
        assert decoder.feed(b'"x"}\n\nevent: b\ndata: 1\n\n') == [("", '"x"}'), ("b", "1")]

    def test_many_events_are_not_one(self):
        decoder = SSEDecoder()
        events = [event for _ in range(50) for event in decoder.feed(b"data: 1\n\ndata: 2\n")]
        assert events == [("message", "1"), *[("message", "2\n1")] * 49]
