"""Lines of a log, streamed and archived, without the marks of the server."""

import json

import pytest

from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy._wire.logs import RunLogDecoder, archived_log
from comfydeploy._wire.reply import Reply
from comfydeploy.errors import SDKValidationError
from comfydeploy.result import Failure

MARKS = ["__END__", " __END__ ", "__END__\n", "__END__\n__END__"]


def archived(*rows):
    return archived_log(Reply(200, {}, json.dumps(rows).encode()))


def streamed(*values):
    decoder = RunLogDecoder()
    items = decoder.feed("".join(f"data: {json.dumps(value)}\n\n" for value in values).encode())
    return items, decoder.is_complete


@pytest.mark.parametrize("mark", MARKS)
def test_end_mark_is_no_line(mark):
    found = archived({"log": "a"}, {"log": mark}, {"log": "b"})
    assert [entry.log for entry in found] == ["a", "b"]
    assert found.raw[1] == {"log": mark}
    items, is_complete = streamed({"message": mark}, {"message": "a"}, {"message": mark})
    assert [item.unwrap().message for item in items] == ["a"]
    assert not is_complete
    run = RunStreamDecoder()
    events = run.feed(f"event: log_update\ndata: {json.dumps({'logs': mark})}\n\n".encode())
    events += run.feed(b'event: log_update\ndata: {"logs": "a"}\n\nevent: log_update\ndata: {"logs": "__END__"}')
    assert [event.unwrap().data.logs for event in [*events, *run.finish()]] == ["a"]


def test_end_mark_among_other_lines_is_left_out():
    (entry,) = archived({"log": "a\n__END__\nb", "level": None})
    assert (entry.log, entry.raw["log"]) == ("a\nb", "a\n__END__\nb")
    ((item,), _) = streamed({"message": "a\n __END__"})
    assert (item.unwrap().message, item.unwrap().raw) == ("a", {"message": "a\n __END__"})
    decoder = RunStreamDecoder()
    (event,) = decoder.feed(b'event: log_update\ndata: {"logs": "a\\n__END__"}\n\n')
    assert event.unwrap().data.logs == "a"


@pytest.mark.parametrize("text", ["", "\n", "a\r\nb\n"])
def test_other_text_is_unchanged(text):
    assert [entry.log for entry in archived({"log": text})] == [text]
    assert [item.unwrap().message for item in streamed({"message": text})[0]] == [text]


@pytest.mark.parametrize(("level", "read"), [("info", "info"), (5, None), (None, None)])
def test_level_is_text(level, read):
    ((item,), _) = streamed({"message": "a", "level": level})
    assert item.unwrap().level == read


def test_text_about_mark_is_line():
    assert [entry.log for entry in archived({"log": "no __END__ yet"})] == ["no __END__ yet"]


@pytest.mark.parametrize("kind", ["stream_complete", "stream_unavailable"])
def test_server_ends_stream(kind):
    assert streamed({"type": kind, "reason": "x"}) == ([], True)


def test_event_without_line_is_malformed():
    ((item,), is_complete) = streamed({"type": "new"})
    assert isinstance(item, Failure)
    assert str(item.failure()) == "An event of the log has no line"
    assert not is_complete


def test_odd_row_sinks_no_log():
    found = archived({"log": "a"}, {"log": None}, 5)
    assert [entry.log for entry in found] == ["a"]
    assert found.raw == [{"log": "a"}, {"log": None}, 5]
    with pytest.raises(SDKValidationError):
        archived({"log": None})
