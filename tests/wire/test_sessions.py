"""A session has either of its ids in a response, and both as attributes."""

import json
import pickle

import pytest

from comfydeploy._wire.reply import Reply
from comfydeploy._wire.sessions import returning_session, sessions
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import CreateSessionResponse, Session

MORE = {"timeout_end": "2026-01-02T03:04:05Z", "status": "running", "machine_version_id": "v"}
IDS = [
    {"id": "s"},
    {"session_id": "s"},
    {"id": "s", "session_id": "s"},
    {"id": "s", "session_id": None},
    {"id": None, "session_id": "s"},
]


def reply(document):
    return Reply(200, {}, json.dumps(document).encode())


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("model", [Session, CreateSessionResponse])
def test_either_id_is_both(model, ids):
    found = returning_session(model)(reply(ids | {"url": "u"}))
    assert (found.id, found.session_id, found.url, found.raw) == ("s", "s", "u", ids | {"url": "u"})


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (5, "$: expected an object, got int"),
        ({"url": "u"}, "$.session_id: required, but missing"),
        ({"id": "", "session_id": None}, "$.session_id: expected a string, got null"),
    ],
)
def test_what_is_no_session_is_named(document, problem):
    with pytest.raises(SDKValidationError) as caught:
        returning_session(Session)(reply(document))
    assert caught.value.message.startswith(f"The server's response: {problem}")
    with pytest.raises(SDKValidationError) as caught:
        sessions(reply(5))
    assert str(caught.value) == "The server's response: $: expected a list, got int"


def test_session_is_read():
    found = returning_session(Session)(reply({"id": "s"} | MORE))
    assert (found.timeout_end.isoformat(), found.status) == ("2026-01-02T03:04:05+00:00", "running")
    assert found.machine_version_id == "v"


def test_list_keeps_raw_items():
    found = sessions(reply([*IDS, 5, {"url": "u"}]))
    assert [(one.id, one.session_id, one.raw) for one in found] == [("s", "s", ids) for ids in IDS]
    assert found.raw == [*IDS, 5, {"url": "u"}]
    again = pickle.loads(pickle.dumps(found))
    assert (again, again.raw) == (found, found.raw)


@pytest.mark.parametrize("document", [{}, {"id": None}, {"id": 5}, [], 5])
def test_session_without_id_is_none(document):
    with pytest.raises(SDKValidationError):
        returning_session(Session)(reply(document))


@pytest.mark.parametrize("document", [{}, [{"url": "u"}], "s"])
def test_list_without_session_is_none(document):
    with pytest.raises(SDKValidationError):
        sessions(reply(document))


def test_session_may_be_made_of_its_old_id():
    assert Session(session_id="s").id == "s"
    assert Session(session_id="s", id="t").id == "t"
