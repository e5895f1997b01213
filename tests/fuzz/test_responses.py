"""Any response of any operation is a value that keeps every byte of its JSON, or an error of ours."""

import inspect
import json

import pytest
from documents import CORPUS, FEWER, MODELS, OPERATIONS, VALUES, documents, plain
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.codec import read
from comfydeploy._wire.polling import is_transient, requested_pause
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy._wire.responses import read_response
from comfydeploy.errors import HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.document import Document, Documents
from comfydeploy.models.secret import Secret
from comfydeploy.result import Success

pytestmark = pytest.mark.usefixtures("each_parser")

JSON = {"content-type": "application/json"}
READING = {operation.id: operation for operation in OPERATIONS if operation.accept == "application/json"}
REQUEST = Request("POST", "https://server.test/api/run/queue", {}, b'{"deployment_id": "d"}')
TOKEN = Secret("key-of-the-test")
ANY = st.one_of(*(documents(model) for model in MODELS), VALUES)
BODIES = st.binary(max_size=60) | st.builds(
    lambda document, cut: json.dumps(document).encode()[: cut or None],
    ANY | st.lists(ANY, max_size=2),
    st.sampled_from([0, 0, -1, 9]),
)
HEADERS = st.fixed_dictionaries(
    {
        "content-type": st.sampled_from(["application/json", "application/problem+json", "text/html", "", "\0"])
        | st.text(max_size=9)
    },
    optional={"retry-after": st.text(max_size=9), "date": st.text(max_size=9), "location": st.text(max_size=9)},
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 404, 422, 422, 429, 500, 503, 599])


def properties(value):
    """Read all that a value derives from its fields."""
    repr(value)
    for text in value._repr_mimebundle_().values():
        text.encode()
    for name, _ in inspect.getmembers(type(value), lambda one: isinstance(one, property)):
        getattr(value, name)


def check_raw(value, sent):
    """Check that all documents in a value keep what was sent."""
    if isinstance(value, Document):
        assert plain(value.raw) == plain(sent)
        properties(value)
    elif isinstance(value, list):
        sent = value.raw if isinstance(value, Documents) else sent
        places = iter(sent if isinstance(sent, list) else ())
        for item in value:
            if isinstance(item, Document):
                assert any(plain(item.raw) == plain(one) for one in places)


def check(operation, reply):
    match read_response(operation, REQUEST, TOKEN, reply):
        case Success(value):
            assert reply.is_good
            check_raw(value, json.loads(reply.content))
            if isinstance(value, Documents):
                assert plain(value.raw) in (plain(json.loads(reply.content)), *under(reply))
        case failure:
            error = failure.failure()
            assert isinstance(error, SDKValidationError | SDKError | HTTPValidationError)
            assert error.fate == "answered"
            assert str(error)
            repr(error)
            assert requested_pause(error) >= 0
            is_transient(error)


def under(reply):
    """Return the lists in an object that may be the response of a list."""
    sent = json.loads(reply.content)
    return [plain(one) for one in sent.values()] if isinstance(sent, dict) else []


@FEWER
@given(st.sampled_from(sorted(READING)), STATUSES, HEADERS, BODIES)
def test_any_response(name, status, headers, content):
    check(READING[name], Reply(status, headers, content))


@FEWER
@given(st.data(), st.sampled_from(sorted(READING)))
def test_any_document(data, name):
    document = data.draw(ANY)
    sent = data.draw(st.sampled_from([document, [document], {"data": [document]}]))
    check(READING[name], Reply(200, JSON, json.dumps(sent).encode()))


@FEWER
@given(st.data(), st.sampled_from(MODELS))
def test_any_document_of_a_model(data, model):
    document = data.draw(documents(model))
    try:
        value = read(document, model, "The response")
    except SDKValidationError as error:
        assert error.problems
    else:
        check_raw(value, document)
        for one in vars(type(value)).get("__slots__", ()):
            part = getattr(value, one)
            if isinstance(part, list) and one != "raw":
                check_raw(part, document.get(one))


@pytest.mark.parametrize("one", CORPUS["responses"], ids=lambda one: one["why"].replace(" ", "-"))
def test_kept_response(one):
    for operation in READING.values():
        check(
            operation, Reply(one.get("status", 200), {**JSON, **one.get("headers", {})}, one["text"].encode("latin-1"))
        )
