"""The result of a response: its value, or an error with what is known of the request."""

import json

import pytest
from attrs import evolve

from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy._wire.responses import created_run_id, read_response, unreadable
from comfydeploy.errors import ConnectionError, SDKError, SDKValidationError
from comfydeploy.funcs import run_get, run_native, run_queue
from comfydeploy.models import CreateRunResponse
from comfydeploy.models.secret import NOTHING_SECRET, Secret

TOKEN = Secret("hunter2222")
READ = Operation("read", print, returning(CreateRunResponse), creates="nothing")
BODY, JSON = b'{"run_id": "r"}', {"content-type": "application/json"}
HINTS = {
    "run": "A run may have been created, and billed. ",
    "session": "A session may have been opened, and is billed until it is closed. ",
    "session_time": "The session may have been prolonged, and its time is billed. ",
    "deployment": "The deployment may have been created or changed. ",
    "asset": "It may have been created. ",
}


def result(reply, *, address="https://host/api/run", **changes):
    return read_response(evolve(READ, **changes), Request("GET", address, content=b"body"), TOKEN, reply)


@pytest.mark.parametrize(
    ("accept", "received", "is_read"),
    [
        ("application/json", "application/json; charset=utf-8", True),
        ("application/json", "application/problem+json", True),
        ("application/json", "text/html", False),
        ("application/json", "", False),
        ("text/event-stream", "text/event-stream", True),
        ("text/event-stream", "application/json", False),
        ("text/event-stream", "application/problem+json", False),
        ("*/*", "image/png", True),
        ("*/*", "", True),
    ],
)
def test_content_type_is_the_expected_one(accept, received, is_read):
    found = result(Reply(200, {"content-type": received}, BODY), accept=accept)
    if is_read:
        assert found.unwrap().run_id == "r"
        return
    error = found.failure()
    shown = received.partition(";")[0] or "no content type"
    assert error.message.startswith(f"The server answered with {shown} in place of {accept} (status 200)")
    assert (error.status_code, error.hint) == (200, None)


@pytest.mark.parametrize("creates", HINTS)
@pytest.mark.parametrize("reply", [Reply(200, JSON, b"{}"), Reply(200, JSON, b"<"), Reply(200)])
def test_unreadable_response_leaves_doubt(creates, reply):
    error = result(reply, creates=creates).failure()
    assert error.fate == "answered"
    assert error.hint.startswith(HINTS[creates])
    assert result(reply).failure().hint is None


def test_hint_is_added_where_none_is_known():
    cause = ValueError()
    lost = SDKValidationError("x", fate="answered")
    lost.__cause__ = cause
    hinted = unreadable(lost, "run")
    assert hinted.hint.startswith(HINTS["run"])
    assert hinted.__cause__ is cause
    for error in (evolve(lost, hint="known"), evolve(lost, fate="unknown"), ConnectionError("x", "not_sent")):
        assert unreadable(error, "run") is error
    assert unreadable(lost, "nothing") is lost


@pytest.mark.parametrize(("address", "is_hinted"), [("https://host/run", True), ("https://host/api/run", False)])
def test_page_in_place_of_json_is_hinted(address, is_hinted):
    error = result(Reply(200, {"content-type": "text/html"}, b"<html>"), address=address).failure()
    assert error.hint == ("server_url must end in /api." if is_hinted else None)
    created = result(Reply(200, {"content-type": "text/html"}, b"<html>"), address=address, creates="run").failure()
    assert created.hint.startswith("server_url must end in /api. A run may" if is_hinted else "A run may have been")
    assert result(Reply(200, {"content-type": "text/plain"}, b""), address=address).failure().hint is None


@pytest.mark.parametrize(
    ("address", "body", "hint"),
    [
        ("https://host/run?a=/api/", b'{"detail": "Not Found"}', True),
        ("https://host/run", b"", True),
        ("https://host/run", b'{"detail": "Run not found"}', False),
        ("https://host/api/run", b'{"detail": "Not Found"}', False),
    ],
)
def test_missing_route_is_hinted(address, body, hint):
    reply = Reply(404, JSON, body)
    found = result(reply, address=address).failure().hint
    assert found == ("There is no such route at https://host/run: server_url must end in /api." if hint else None)
    assert result(reply, address=address, hint=lambda _: "known").failure().hint == "known"
    assert result(evolve(reply, status_code=400), address=address).failure().hint is None
    html = evolve(reply, headers={"content-type": "text/html"})
    assert (result(html, address=address).failure().hint is not None) is ("/api/" not in address.partition("?")[0])


def test_form_of_request_chooses_its_problems():
    locations = (["body", "ARequest", "x"], ["body", "BRequest", "y"], ["body", "z"])
    body = json.dumps({"detail": [{"loc": location, "msg": "m", "type": "t"} for location in locations]}).encode()
    seen = []
    error = result(Reply(422, JSON, body), form=lambda content: seen.append(content) or "BRequest").failure()
    assert [issue.loc[-1] for issue in error.detail] == ["y", "z"]
    assert seen == [b"body"]
    assert len(result(Reply(422, JSON, body)).failure().detail) == 3
    assert len(result(Reply(422, JSON, body), form=lambda _: "CRequest").failure().detail) == 3


def test_no_error_has_the_token_or_a_secret():
    for reply in (
        Reply(500, JSON | {"x-echo": "hunter2222"}, b'{"detail": "hunter2222", "token": "abc"}'),
        Reply(200, {"content-type": "text/hunter2222"}, b"hunter2222"),
        Reply(200, JSON, b'{"run_id": ["hunter2222"]}'),
    ):
        error = result(reply).failure()
        parts = [getattr(error, name, None) for name in ("message", "body", "headers", "raw_value", "content_type")]
        assert "hunter2222" not in str(parts)
    assert "abc" in result(Reply(500, JSON, b'{"token": "abc"}')).failure().body
    assert "abc" not in result(Reply(500, JSON, b'{"token": "abc"}'), has_secret=True).failure().body
    assert result(Reply(200, JSON, b'{"run_id": "hunter2222"}')).unwrap().run_id == "hunter2222"


@pytest.mark.parametrize(
    ("operation", "body", "run_id"),
    [
        (run_queue.OPERATION, BODY, "r"),
        (run_queue.OPERATION, b"{}", None),
        (run_native.OPERATION, b'{"prompt_id": "n", "cd_token": "t"}', "n"),
        (run_get.OPERATION, b'{"id": "r", "status": "queued"}', None),
        (READ, BODY, None),
    ],
)
def test_id_of_created_run(operation, body, run_id):
    assert created_run_id(operation, Reply(200, JSON, body)) == run_id


def test_refusal_is_an_error():
    error = read_response(READ, Request("GET", "https://host/api/x"), NOTHING_SECRET, Reply(403, JSON, b"{}")).failure()
    assert (type(error), error.status_code, error.hint) == (SDKError, 403, None)
