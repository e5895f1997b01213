"""Operations encode requests and decode responses."""

import pytest

from comfydeploy._wire.operation import (
    Operation,
    as_it_is,
    first_of,
    hinting,
    in_doubt,
    returning,
    returning_list,
    status,
)
from comfydeploy._wire.reply import Reply
from comfydeploy.errors import SDKValidationError
from comfydeploy.funcs import run_get, run_queue, run_stream, run_sync
from comfydeploy.models import CreateRunResponse

pytestmark = pytest.mark.usefixtures("each_parser")


def test_answer_is_read_into_model():
    assert returning(CreateRunResponse)(Reply(200, {}, b'{"run_id": "r"}')).run_id == "r"


def test_answer_that_does_not_fit_is_named():
    with pytest.raises(SDKValidationError, match=r"The server's response: \$\.run_id: expected a string, got null"):
        returning(CreateRunResponse)(Reply(200, {}, b'{"run_id": null}'))


def test_list_may_be_in_field():
    decode = returning_list(CreateRunResponse, under="data")
    found = decode(Reply(200, {}, b'{"data": [{"run_id": "r"}, {}], "meta": {}}'))
    assert ([one.run_id for one in found], found.raw[1]) == (["r"], {})
    assert [one.run_id for one in returning_list(CreateRunResponse)(Reply(200, {}, b'[{"run_id": "r"}]'))] == ["r"]


MISSING = "$.data: required, but missing"


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{}", MISSING), (b"[]", MISSING), (b'["data"]', MISSING), (b'{"data": 5}', "$: expected a list, got int")],
)
def test_list_that_is_missing_is_named(body, reason):
    with pytest.raises(SDKValidationError) as caught:
        returning_list(CreateRunResponse, under="data")(Reply(200, {}, body))
    assert str(caught.value) == f"The server's response: {reason}"
    (problem,) = caught.value.problems
    assert f"{problem.path}: {problem.reason}" == reason


def test_usual_properties_of_operation():
    plain = Operation("x", print, print, creates="nothing")
    assert (plain.accept, plain.read_timeout, plain.has_secret) == ("application/json", 60.0, False)
    assert (plain.hint, plain.is_permanent, plain.form) == (None, None, None)


def test_condition_of_response():
    condition = status(404, containing=b"gone")
    assert condition(Reply(404, {}, b"it is gone"))
    assert not condition(Reply(404, {}, b"it"))
    assert not condition(Reply(403, {}, b"it is gone"))
    assert status(404)(Reply(404))


def test_first_hint_that_applies():
    hint = first_of(hinting("one", when=status(404)), hinting("two", when=in_doubt), hinting("3", when=status(500)))
    assert [hint(Reply(code)) for code in (404, 500, 400)] == ["one", "two", None]


def test_answer_of_stream_is_given_as_it_is():
    reply = Reply(200)
    assert as_it_is(reply) is reply


@pytest.mark.parametrize("code", [303, 408, 499, 500, 501, 502, 504, 599])
def test_bad_response_leaves_doubt(code):
    assert in_doubt(Reply(code))
    assert "A run may have been created" in run_queue.OPERATION.hint(Reply(code))


@pytest.mark.parametrize("code", [307, 400, 401, 404, 422, 429, 503])
def test_refusal_leaves_no_doubt(code):
    assert not in_doubt(Reply(code))


def test_run_is_requested_by_id():
    request = run_get.OPERATION.encode({"run_id": "a/b", "queue_position": None})
    assert (request.method, request.url, request.content) == ("GET", "/run/a%2Fb", None)
    assert run_get.OPERATION.encode({"run_id": "r", "queue_position": True}).url == "/run/r?queue_position=true"


@pytest.mark.parametrize(("module", "route"), [(run_queue, "queue"), (run_sync, "sync"), (run_stream, "stream")])
def test_run_is_created_with_post(module, route):
    request = module.OPERATION.encode({"deployment_id": "d"})
    assert (request.method, request.url, request.content) == ("POST", f"/run/{route}", b'{"deployment_id":"d"}')


@pytest.mark.parametrize(
    ("module", "id_", "accept", "read_timeout", "creates"),
    [
        (run_get, "get_run_run__run_id__get", "application/json", 60.0, "nothing"),
        (run_queue, "create_run_queue_run_queue_post", "application/json", 300.0, "run"),
        (run_sync, "create_run_sync_run_sync_post", "application/json", None, "run"),
        (run_stream, "create_run_stream_run_stream_post", "text/event-stream", None, "run"),
    ],
)
def test_operations_have_settings_of_their_routes(module, id_, accept, read_timeout, creates):
    operation = module.OPERATION
    assert (operation.id, operation.accept, operation.read_timeout) == (id_, accept, read_timeout)
    assert operation.creates == creates
