import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._emulator.deployments.forms import ANY_FORM
from comfydeploy._emulator.validation import UnprocessableError, validated_body

ID = "11110000-0000-4000-8000-000000000009"


def problems(raw: bytes, content_type: str = "application/json") -> list:
    with pytest.raises(UnprocessableError) as caught:
        validated_body(ANY_FORM, raw, content_type)
    return [{**one, "loc": list(one["loc"])} for one in caught.value.problems]


def test_unknown_gpu_is_refused():
    (found,) = [one for one in problems(b'{"deployment_id":"%s","gpu":"X"}' % ID.encode()) if one["loc"][-1] == "gpu"][
        2:3
    ]
    assert (found["type"], found["loc"]) == ("literal_error", ["body", "DeploymentRunRequest", "gpu"])


@pytest.mark.parametrize("raw", [b"", b"null"])
def test_no_body_is_missing_body(raw):
    (found,) = problems(raw)
    assert (found["type"], found["loc"]) == ("missing", ["body"])


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_json_is_read_under_any_of_its_names(content_type):
    assert (
        str(validated_body(ANY_FORM, json.dumps({"deployment_id": ID, "new": 1}).encode(), content_type).deployment_id)
        == ID
    )


@pytest.mark.parametrize("raw", [b"{", b'{"a" 1}', b"\xff", b"NaN", b"[" * 100_000, b"9" * 5000, b'"\\ud800"'])
def test_invalid_json_is_reported(raw):
    (found,) = problems(raw)
    assert (found["type"], found["loc"][0], found["msg"]) == ("json_invalid", "body", "JSON decode error")
    assert isinstance(found["loc"][1], int)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    try:
        form = validated_body(ANY_FORM, raw, "application/json")
    except UnprocessableError as refused:
        assert refused.problems
    else:
        assert form.combinations()
