import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._emulator.bodies import ANY_FORM, LARGEST_BATCH, UnprocessableError, read

ID = "11110000-0000-4000-8000-000000000009"


def problems(raw: bytes, content_type: str = "application/json") -> list:
    with pytest.raises(UnprocessableError) as caught:
        read(ANY_FORM, raw, content_type)
    return [{**one, "loc": list(one["loc"])} for one in caught.value.problems]


def test_an_unknown_gpu_is_refused():
    (found,) = [one for one in problems(b'{"deployment_id":"%s","gpu":"X"}' % ID.encode()) if one["loc"][-1] == "gpu"][
        2:3
    ]
    assert (found["type"], found["loc"]) == ("literal_error", ["body", "DeploymentRunRequest", "gpu"])


@pytest.mark.parametrize("raw", [b"", b"null"])
def test_no_body_is_a_missing_body(raw):
    (found,) = problems(raw)
    assert (found["type"], found["loc"]) == ("missing", ["body"])


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_json_is_read_under_any_of_its_names(content_type):
    assert str(read(ANY_FORM, json.dumps({"deployment_id": ID, "new": 1}).encode(), content_type).deployment_id) == ID


@pytest.mark.parametrize("raw", [b"{", b'{"a" 1}', b"\xff", b"NaN", b"[" * 100_000, b"9" * 5000, b'"\\ud800"'])
def test_what_is_no_json_is_told_so(raw):
    (found,) = problems(raw)
    assert (found["type"], found["loc"][0], found["msg"]) == ("json_invalid", "body", "JSON decode error")
    assert isinstance(found["loc"][1], int)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    try:
        form = read(ANY_FORM, raw, "application/json")
    except UnprocessableError as refused:
        assert refused.problems
    else:
        assert form.combinations()


def test_every_combination_of_a_batch_is_listed():
    body = {"deployment_id": ID, "inputs": {"w": 0, "s": 1}, "batch_input_params": {"w": [1, 2], "t": ["a", "b"]}}
    assert read(ANY_FORM, json.dumps(body).encode(), "").combinations() == [
        {"w": 1, "s": 1, "t": "a"},
        {"w": 1, "s": 1, "t": "b"},
        {"w": 2, "s": 1, "t": "a"},
        {"w": 2, "s": 1, "t": "b"},
    ]


def test_the_largest_batch_is_allowed_and_no_larger_one():
    def form(number):
        return read(ANY_FORM, json.dumps({"deployment_id": ID, "batch_number": number}).encode(), "")

    assert len(form(LARGEST_BATCH).combinations()) == LARGEST_BATCH
    with pytest.raises(UnprocessableError):
        form(LARGEST_BATCH + 1).combinations()
