"""The headers and limits of an attempt, and how its response is read."""

import pytest


@pytest.mark.parametrize(
    ("status", "content_type", "handling"),
    [
        (200, "text/event-stream", "keep_open"),
        (200, "Text/Event-Stream; charset=utf-8", "keep_open"),
        (500, "text/event-stream", "discard"),
        (299, "text/event-stream", "keep_open"),
        (300, "text/event-stream", "discard"),
        (302, "text/event-stream", "discard"),
        (200, "application/json", "read"),
        (500, "text/plain", "read"),
        (200, "", "read"),
        (200, "text/event-streams", "read"),
    ],
)
def test_stream_is_kept_open(following, status, content_type, handling):
    assert following().prepare().body_handling(status, content_type) == handling


@pytest.mark.parametrize(("content_type", "handling"), [("text/event-stream", "discard"), ("text/html", "read")])
def test_unexpected_stream_is_discarded(reading, content_type, handling):
    assert reading().prepare().body_handling(200, content_type) == handling


@pytest.mark.parametrize(("status", "handling"), [(200, "keep_open"), (400, "read")])
def test_file_is_kept_open(calling, changed, status, handling):
    assert calling(changed(accept="*/*"), None).prepare().body_handling(status, "image/png") == handling
