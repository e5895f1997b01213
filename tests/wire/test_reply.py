"""Responses of any content, and their errors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.reply import Reply, error_response, unexpected
from comfydeploy.errors import HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.secret import Secret

pytestmark = pytest.mark.usefixtures("each_parser")

JSON_TYPE = {"content-type": "application/json"}
ISSUE = {"loc": ["body", 0, "seed"], "msg": "Field required", "type": "missing", "input": {}}


def answer(status, document, **headers):
    return Reply(status, JSON_TYPE | headers, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/json", "application/json"),
        ("Text/Plain; charset=utf-8", "text/plain"),
        (" text/html ;x", "text/html"),
        ("", ""),
    ],
)
def test_content_type_is_normalized(header, media_type):
    assert Reply(200, {"content-type": header}).content_type == media_type
    assert Reply(200).content_type == ""


@pytest.mark.parametrize(("status", "good"), [(199, False), (200, True), (204, True), (299, True), (300, False)])
def test_status_of_two_hundreds_is_good(status, good):
    assert Reply(status).is_good is good


def test_body_is_text_or_bytes_where_it_is_none():
    assert Reply(200, {}, "ü".encode()).body == "ü"
    assert Reply(200, {}, b"\xff").body == b"\xff"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"<html>", b"[" * 100_000, b"1" * 5_000])
def test_body_that_is_no_json_is_error_with_body(content):
    with pytest.raises(SDKValidationError, match=r"The server's response \(200\) is not JSON: ") as caught:
        Reply(200, {}, content).json()
    assert caught.value.raw_value in (content, content.decode(errors="replace"))


@given(content=st.binary(max_size=200), token=st.sampled_from(["hunter22", "a-b-c-d-"]))
def test_only_secret_is_removed(content, token):
    reply = Reply(200, {"x-echo": f"Bearer {token}", "y": "z"}, content + token.encode() + content, source="open")
    found = reply.without(Secret(token))
    assert token.encode() not in found.content.replace(b"[redacted]", b"")
    assert found.content == (content + token.encode() + content).replace(token.encode(), b"[redacted]")
    assert found.headers == {"x-echo": "Bearer [redacted]", "y": "z"}
    assert (found.status_code, found.source) == (200, "open")


@given(secret=st.text("abcdefghij0123456789", min_size=12))
def test_answer_never_prints_secret(secret):
    body = {"cd_token": secret, "url": f"https://x/?X-Amz-Signature={secret}"}
    reply = answer(200, body, **{"set-cookie": secret, "x-token": secret, "server": "shown"})
    assert secret not in repr(reply)
    assert "shown" in repr(reply)


def test_open_response_is_no_part_of_reply():
    reply = Reply(200, source="open")
    assert reply == Reply(200)
    assert "open" not in repr(reply)
    assert (reply.headers, reply.content) == ({}, b"")


def test_location_prints_no_secret():
    assert "hunter2" not in repr(Reply(307, {"location": "https://x/?cd_token=hunter2"}))


def test_answer_prints_start_of_its_body_only():
    assert len(repr(Reply(200, {}, b"\xff" * 100_000))) < 3_000


def test_422_names_every_field():
    error = error_response(answer(422, {"detail": [ISSUE, ISSUE | {"loc": [], "new": 1}]}, server="x"))
    assert isinstance(error, HTTPValidationError)
    assert [issue.loc for issue in error.detail] == [["body", 0, "seed"], []]
    assert error.detail[1].raw["new"] == 1
    assert (error.status_code, error.headers) == (422, JSON_TYPE | {"server": "x"})
    assert json.loads(error.body)["detail"][0] == ISSUE
    assert str(error) == "The server refused the request (422): 0.seed: Field required; Field required"


@pytest.mark.parametrize(
    ("location", "field"),
    [
        (["body", "deployment_id"], "deployment_id"),
        (["body", "DeploymentRunRequest", "inputs", "seed"], "inputs.seed"),
        (["query", "limit"], "query.limit"),
        (["body"], ""),
        (["DeploymentRunRequest"], "DeploymentRunRequest"),
    ],
)
def test_422_names_field_as_users_do(location, field):
    error = error_response(answer(422, {"detail": [ISSUE | {"loc": location}]}))
    assert error.message.partition("(422): ")[2] == (f"{field}: Field required" if field else "Field required")


def test_name_in_place_of_id_is_hinted():
    issue = {"loc": ["body", "DeploymentRunRequest", "deployment_id"], "msg": "not a UUID", "type": "uuid_parsing"}
    assert "deployments_list" in error_response(answer(422, {"detail": [issue]})).hint
    assert error_response(answer(422, {"detail": [issue]}), "known").hint == "known"
    assert error_response(answer(422, {"detail": [issue | {"loc": ["body", "machine_id"]}]})).hint is None
    assert error_response(answer(422, {"detail": [issue | {"type": "missing"}]})).hint is None


@pytest.mark.parametrize(
    "document",
    [{"detail": "no"}, {"detail": [{"loc": 5}]}, {"detail": {}}, {"error": "no"}, {}, [], [1], "detail", 5, None],
)
def test_422_of_another_shape_is_sdk_error(document):
    error = error_response(answer(422, document), "a hint")
    assert isinstance(error, SDKError)
    assert (error.status_code, error.hint) == (422, "a hint")


def test_problems_of_another_status_are_sdk_error():
    error = error_response(answer(400, {"detail": [ISSUE]}))
    assert (type(error), error.status_code) == (SDKError, 400)


def test_422_without_json_is_sdk_error():
    error = error_response(Reply(422, {"content-type": "text/html"}, b"<html>no</html>"), None)
    assert isinstance(error, SDKError)
    assert str(error) == "The server answered with an error (status 422)"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_redirect_is_error_and_keeps_its_headers(status):
    error = error_response(Reply(status, {"location": "http://elsewhere"}))
    assert str(error) == f"The server sent a redirect, which is never followed with the token (status {status})"
    assert (error.headers["location"], error.hint) == ("http://elsewhere", None)


@pytest.mark.parametrize("status", [302, 400, 422, 500])
def test_every_error_has_hint(status):
    assert error_response(answer(status, {"detail": [ISSUE]}), "a hint").hint == "a hint"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (answer(404, {"detail": "Run not found"}), "The server answered with an error (status 404): Run not found"),
        (answer(404, {"error": "no"}), "The server answered with an error (status 404): no"),
        (Reply(500, {"content-type": "text/plain"}, b" Oh \n"), "The server answered with an error (status 500): Oh"),
        (Reply(502, {"content-type": "text/html"}, b"<p>"), "The server answered with an error (status 502)"),
        (Reply(503), "The server answered with an error (status 503)"),
        (answer(404, {"detail": " "}), "The server answered with an error (status 404)"),
        (answer(400, {"detail": " no \n"}), "The server answered with an error (status 400): no"),
    ],
)
def test_message_has_status_and_detail(reply, message):
    error = error_response(reply, None)
    assert str(error) == message
    assert (error.body, error.content_type) == (reply.body, reply.content_type)


def test_message_has_start_of_long_text_only():
    error = unexpected(Reply(400, {}, b"x" * 1_000), "Oh")
    assert str(error) == f"Oh (status 400): {'x' * 300}..."
    assert str(unexpected(Reply(400, {}, b"x" * 300), "Oh")).endswith("xxx")
