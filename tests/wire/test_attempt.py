"""The headers and limits of an attempt, and how its response is read."""

import httpx
import pytest

from comfydeploy._wire.attempt import ANYTHING, Attempt, is_requested, too_large
from comfydeploy._wire.deadline import Deadline
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.models.secret import Secret
from comfydeploy.options import RequestOptions

TOKEN = "key-of-the-test"
LIMITS = {"connect": 60.0, "read": 60.0, "write": 60.0, "pool": 60.0}
OWN = {"connect": 1.0, "read": 2.0, "write": None, "pool": 4.0}


def attempt(url="https://h/a", **fields):
    sent = Request("GET", url, {"accept": "*/*"})
    return Attempt(sent, Secret(TOKEN), LIMITS, None, ANYTHING, is_lasting=False, **fields)


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


@pytest.mark.parametrize(
    ("url", "call", "server"),
    [
        ("https://h/api/run?x=1?y=2", "https://h/api/run", "https://h"),
        ("https://user:word@h:1/api?at=http://x@y/z", "https://user:word@h:1/api", "https://h:1"),
        ("https://h?x=a@b", "https://h", "https://h"),
        (f"https://h/api/{TOKEN}/x", "https://h/api/[redacted]/x", "https://h"),
    ],
)
def test_address_in_messages_has_no_query(url, call, server):
    assert (attempt(url).call, attempt(url).server) == (f"GET {call}", server)
    assert attempt(url, is_for_storage=True).call == f"GET {server}"


def test_token_is_never_sent_to_storage():
    assert attempt().headers == {"authorization": f"Bearer {TOKEN}", "accept": "*/*"}
    assert attempt(is_for_storage=True).headers == {"accept": "*/*"}


def test_attempt_by_default():
    sent = attempt()
    assert (sent.is_for_storage, sent.has_default_limits, sent.deadline) == (False, False, None)
    assert sent.max_size == RequestOptions().max_response_size


def test_own_limits_of_client_hold():
    default = httpx.Client().timeout.as_dict()
    assert attempt(has_default_limits=True).limits_beside(OWN, 0.0) == OWN
    assert attempt(has_default_limits=True).limits_beside(default, 0.0) == LIMITS
    assert attempt(has_default_limits=False).limits_beside(OWN, 0.0) == LIMITS


def test_limits_of_client_end_at_deadline():
    limits = attempt(has_default_limits=True, deadline=Deadline(0.0, 5.0)).limits_beside(OWN, 2.0)
    assert limits == {"connect": 1.0, "read": 2.0, "write": 3.0, "pool": 3.0}
    assert {limit.at for limit in limits.values()} == {5.0}


@pytest.mark.parametrize(
    ("encoding", "requested", "is_known"),
    [
        ("gzip", "", True),
        (" GZip ", "", True),
        ("deflate", "", True),
        ("identity", "", True),
        ("br", "", False),
        ("br", "gzip, BR ;q=0.5 , zstd", True),
        ("zstd", "br,zstd", True),
        ("gzip, gzip", "", False),
        ("gzip,deflate", "", False),
    ],
)
def test_requested_encoding_is_known(encoding, requested, is_known):
    assert is_requested(encoding, requested) is is_known


def test_too_large_body_names_limit():
    error = too_large(Reply(200, {}), 64 * 1024 * 1024)
    assert str(error) == (
        "The body of the response is larger than 67,108,864 bytes (options.max_response_size) (status 200)"
    )
