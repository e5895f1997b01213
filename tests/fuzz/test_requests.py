"""Any request is sent as it was given, or refused by an error of ours before anything is sent."""

import json
from string import ascii_letters

import h11
import pytest
from documents import CORPUS, FEWER, NAMES, OPERATIONS, TEXTS, VALUES
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.request import checked_headers
from comfydeploy.errors import InvalidRequestError, SDKValidationError
from comfydeploy.inputs import keyed
from comfydeploy.result import Success

CREATING = {operation.id: operation for operation in OPERATIONS if operation.creates == "run"}
PLACES = st.fixed_dictionaries(
    {},
    optional={
        "deployment_id": TEXTS,
        "workflow_id": TEXTS,
        "workflow_version_id": TEXTS,
        "workflow_api_json": VALUES,
        "inputs": st.dictionaries(TEXTS | NAMES, VALUES, max_size=4) | VALUES,
        "flags": VALUES,
        "webhook": TEXTS,
        "batch_number": VALUES,
        "execution_mode": TEXTS,
    },
)
REQUESTS = PLACES | st.dictionaries(NAMES, VALUES) | VALUES
ANYTHING = (
    VALUES | st.binary(max_size=4) | st.sets(st.integers(), max_size=2) | st.complex_numbers() | st.just(object())
)


def check(operation, request):
    try:
        wire = operation.encode(request)
    except SDKValidationError as error:
        assert error.fate == "not_sent"
        assert str(error)
        return
    sent = json.loads(wire.content)
    # Texts that UTF-8 cannot encode are sent too: as escapes.
    assert all(repr(sent[key]) == repr(value) for key, value in request.items() if key not in fixed(operation))


def fixed(operation):
    """Return the keys that an operation sets itself."""
    return (
        {"execution_mode", "is_native_run"}
        if operation.encode({"deployment_id": "d", "batch_number": 2}).url == "/run"
        else ()
    )


@FEWER
@given(st.sampled_from(sorted(CREATING)), REQUESTS)
def test_any_request(name, request):
    check(CREATING[name], request)


@FEWER
@given(REQUESTS, ANYTHING)
def test_any_key(request, key):
    match keyed(request, key):
        case Success(found):
            assert found["inputs"] == {**(request.get("inputs") or {}), "comfydeploy_key": key}
        case failure:
            assert isinstance(failure.failure(), SDKValidationError)


NAMES_OF_HEADERS = st.text(f"{ascii_letters}-_: \r\n\0é", max_size=9)
VALUES_OF_HEADERS = st.text(st.characters(max_codepoint=300), max_size=9)


@FEWER
@given(st.dictionaries(NAMES_OF_HEADERS, VALUES_OF_HEADERS, max_size=3))
def test_any_headers(headers):
    """What is accepted is sent as it is: h11 takes it too."""
    try:
        checked = checked_headers(headers)
    except InvalidRequestError:
        return
    assert checked == {name.lower(): value for name, value in headers.items()}
    own = ("content-length", "transfer-encoding", "host")
    lines = [(name, value) for name, value in checked.items() if name not in own]
    assert len(h11.Request(method="GET", target="/", headers=[("host", "h"), *lines]).headers) == len(lines) + 1


@pytest.mark.parametrize("one", CORPUS["requests"], ids=lambda one: one["why"].replace(" ", "-"))
def test_kept_request(one):
    for operation in CREATING.values():
        check(operation, one["request"])
