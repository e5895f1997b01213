"""Downloads from storage and uploads to it, step by step: what is sent, and what each outcome leads to."""

import pytest

from comfydeploy import __version__
from comfydeploy._wire.exchange import Pause
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.storage import StorageExchange, StorageUploadExchange, checked_address, is_expired
from comfydeploy._wire.upload import checked_storage_upload
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import ConnectionError, InvalidRequestError, RequestTimeoutError, SDKError, SDKValidationError
from comfydeploy.models import MediaItem, OutputFile
from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig
from comfydeploy.result import Failure, Success

ADDRESS = "https://bucket.test/a.png?sig=s"
STEADY = RetryConfig("backoff", BackoffStrategy(2.0, 2.0, 1.0, 9.0))
AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))
LOST = ConnectionError("lost", "unknown")
SIGNED = "https://bucket.test/a.png?X-Amz-SignedHeaders="
UPLOAD = checked_storage_upload(b"PNG", "a.png", None)


def download(address=ADDRESS, options=None, now=0.0, **core):
    return StorageExchange(ComfyDeployCore(bearer="k", **core), address, options, now)


def upload(address=ADDRESS, options=None, now=0.0, **core):
    return StorageUploadExchange(ComfyDeployCore(bearer="k", **core), address, UPLOAD, options, now)


def redirect(location, status=302):
    return Reply(status, {"location": location})


@pytest.mark.parametrize("make", [download, upload])
def test_attempt_has_nothing_of_the_caller(make):
    attempt = make(options=RequestOptions(headers={"x-secret": "1"})).prepare(0.0)
    assert attempt.headers == {"accept": "*/*", "user-agent": f"comfydeploy-python/{__version__}"}
    assert (attempt.is_for_storage, attempt.is_lasting, attempt.token.reveal()) == (True, True, "")
    assert attempt.request.url == ADDRESS


def test_methods_and_accepted_types():
    got, put = download().prepare(0.0), upload().prepare(0.0)
    assert (got.request.method, got.accept, got.request.upload) == ("GET", "*/*", None)
    assert (put.request.method, put.accept, put.request.upload) == ("PUT", "", UPLOAD)


@pytest.mark.parametrize(
    ("core", "call", "limits", "idle", "is_default"),
    [
        (None, None, {"connect": 10.0, "read": 60.0, "write": 60.0, "pool": None}, 60.0, True),
        (5.0, None, {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": None}, 5.0, False),
        (5.0, 7.0, {"connect": 7.0, "read": 7.0, "write": 7.0, "pool": None}, 7.0, False),
        (None, 7.0, {"connect": 7.0, "read": 7.0, "write": 7.0, "pool": None}, 7.0, False),
    ],
)
def test_limits_are_those_of_call_or_core(core, call, limits, idle, is_default):
    attempt = download(options=RequestOptions(timeout=call), timeout=core).prepare(0.0)
    assert (attempt.limits, attempt.idle_limit, attempt.has_default_limits) == (limits, idle, is_default)
    named = download(options=RequestOptions(timeout=call, idle_timeout=3.0), timeout=core).prepare(0.0)
    assert (named.limits, named.idle_limit) == (limits, 3.0)


def test_deadline_limits_every_phase():
    exchange = download(options=RequestOptions(deadline=8.0, idle_timeout=60.0), now=100.0)
    attempt = exchange.prepare(103.0)
    assert attempt.limits == {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}
    assert (attempt.idle_limit, attempt.deadline.at) == (5.0, 108.0)
    assert exchange.settle(LOST, 104.0) is LOST
    with pytest.raises(RequestTimeoutError) as caught:
        exchange.prepare(108.0)
    assert str(caught.value) == "The deadline of 8 s passed before the request was sent"
    assert caught.value.fate == "not_sent"
    assert download().prepare(0.0).deadline is None


@pytest.mark.parametrize("deadline", [2.1, 2.0])
def test_pause_ends_before_deadline(deadline):
    exchange = download(options=RequestOptions(deadline=deadline), retry_config=STEADY)
    assert (exchange.settle(LOST, 0.0) == Pause(2.0)) is (deadline > 2.0)


@pytest.mark.parametrize("make", [download, upload])
@pytest.mark.parametrize(("status", "is_retried"), [(503, True), (500, True), (429, True), (403, False), (404, False)])
def test_statuses_are_retried_as_reads_are(make, status, is_retried):
    assert (make(retry_config=STEADY).settle(Reply(status), 0.0) == Pause(2.0)) is is_retried


def test_pauses_grow_and_end():
    config = RetryConfig("backoff", BackoffStrategy(2.0, 9.0, 3.0, 30.0))
    exchange = download(retry_config=config, now=100.0)
    first, second = exchange.settle(LOST, 100.0), exchange.settle_body(LOST, 103.0)
    assert 2.0 <= first.seconds <= 3.0
    assert 6.0 <= second.seconds <= 7.0
    assert exchange.settle(LOST, 124.0) is exchange.settle_body(LOST, 124.0) is LOST


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed_at_once(status):
    exchange = download("https://bucket.test/folder/a.png")
    assert exchange.settle(redirect("b.png", status), 0.0) == Pause(0.0)
    assert exchange.prepare(0.0).request.url == "https://bucket.test/folder/b.png"


def test_retry_begins_at_first_address():
    exchange = download(retry_config=AT_ONCE)
    for number in range(5):
        assert exchange.settle(redirect(f"/{number}"), 0.0) == Pause(0.0)
    assert exchange.settle(Reply(503), 0.0) == Pause(0.0)
    assert exchange.prepare(0.0).request.url == ADDRESS
    for number in range(5):
        assert exchange.settle(redirect(f"/{number}"), 0.0) == Pause(0.0)
    assert "redirects more than 5 times" in exchange.settle(redirect("/6"), 0.0).message


@pytest.mark.parametrize(
    ("first", "location", "is_followed"),
    [
        ("https://a.test/x", "https://b.test/y", True),
        ("http://a.test/x", "http://b.test/y", True),
        ("http://a.test/x", "https://b.test/y", True),
        ("https://a.test/x", "http://b.test/y", False),
        ("https://a.test/x", "//b.test/y", True),
        ("https://a.test/x", "", False),
        ("https://a.test/x", "ftp://b.test/y", False),
        ("https://a.test/x", "http://[", False),
    ],
)
def test_redirect_keeps_protection(first, location, is_followed):
    found = download(first).settle(redirect(location), 0.0)
    assert (found == Pause(0.0)) is is_followed
    assert is_followed or (isinstance(found, SDKError) and found.status_code == 302)


def test_good_download_is_its_response():
    reply = Reply(200)
    assert download().settle(reply, 0.0) is reply


EXPIRES = "The address of a private file expires after about an hour: read the run again (run_get) for a new one."
NOTHING, ERROR = "The storage answered without the file", "The storage answered with an error"


@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        *((status, NOTHING, None) for status in (201, 204, 206, 300, 304, 399)),
        *((status, "The server answered with an error", EXPIRES) for status in (400, 401, 403, 404, 410)),
        *((status, "The server answered with an error", None) for status in (402, 416, 500)),
        (422, ERROR, None),
    ],
)
def test_refused_download(status, message, hint):
    body = b'{"detail": [{"loc": [], "msg": "x", "type": "y"}]}'
    error = download().settle(Reply(status, {"content-type": "application/json"}, body), 0.0)
    assert isinstance(error, SDKError)
    assert error.message.startswith(f"{message} (status {status})")
    assert error.hint == hint
    assert is_expired(error) is (hint is not None)
    assert not is_expired(LOST)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        *((status, "The storage redirects an upload, which is not followed") for status in (300, 307, 399)),
        *((status, "The server answered with an error") for status in (400, 403, 404)),
        (422, ERROR),
    ],
)
def test_refused_upload(status, message):
    body = b'{"detail": [{"loc": [], "msg": "x", "type": "y"}]}'
    error = upload().settle(Reply(status, {"location": "/"}, body), 0.0).failure()
    assert isinstance(error, SDKError)
    assert error.message.startswith(f"{message} (status {status})")
    assert error.hint is None


@pytest.mark.parametrize("status", [200, 201, 204])
def test_stored_file_is_success(status):
    assert upload().settle(Reply(status), 0.0) == Success(None)


def test_lost_upload_is_sent_three_times():
    exchange = upload(retry_config=AT_ONCE)
    assert [exchange.settle(LOST, 0.0) for _ in range(3)] == [Pause(0.0), Pause(0.0), Failure(LOST)]
    assert exchange.settle(Reply(503), 0.0) == Pause(0.0)


@pytest.mark.parametrize(
    ("signed", "headers"),
    [
        ("host;x-amz-acl", {"x-amz-acl": "public-read"}),
        ("x-amz-acl", {"x-amz-acl": "public-read"}),
        ("host", {}),
        ("x-amz-acl-other", {}),
    ],
)
def test_upload_has_signed_headers(signed, headers):
    sent = upload(SIGNED + signed).prepare(0.0).headers
    assert {name: value for name, value in sent.items() if name.startswith("x-")} == headers


@pytest.mark.parametrize(
    ("file", "address"),
    [
        ("HTTPS://Host/a?B=c#d", "https://Host/a?B=c"),
        ("http://h/a#b#c", "http://h/a"),
        (OutputFile(url="http://h/a", filename="a", kind="images"), "http://h/a"),
        (MediaItem(url="http://h/b", type="output", filename="b"), "http://h/b"),
    ],
)
def test_address_is_without_fragment(file, address):
    assert checked_address(file) == address


SHAPE = "file: expected an address such as https://host/file.png"
SECRET = "file: an address must not contain a user name or password"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        *((text, SHAPE) for text in ("", "a.png", "ftp://h/a", "http:///a", "http://h/a b", "http://h/\u2028")),
        *((text, SECRET) for text in ("http://me:x@h/a", "http://me@h/a", "http://:x@h/a")),
        ("http://[h", "file: not an address"),
    ],
)
def test_wrong_address_is_named(address, message):
    with pytest.raises(InvalidRequestError) as caught:
        checked_address(address)
    assert caught.value.message == message


def test_other_file_than_address_is_named():
    with pytest.raises(SDKValidationError) as caught:
        checked_address(5)
    assert str(caught.value) == "file: expected an OutputFile, a MediaItem or an address, got int"
    assert caught.value.problems[0].path == "$.file"
