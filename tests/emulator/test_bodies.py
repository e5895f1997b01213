import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._emulator.bodies import ANY_FORM, LARGEST_BATCH, UnprocessableError, read

ID = "11110000-0000-4000-8000-000000000009"


def problems(raw: bytes, content_type: str = "application/json") -> list:
    with pytest.raises(UnprocessableError) as caught:
        read(ANY_FORM, raw, content_type)
    return [{**one, "loc": list(one["loc"])} for one in caught.value.problems]


@pytest.mark.parametrize(
    ("case", "body"),
    [("missing fields", {}), ("bogus execution mode", {"deployment_id": ID, "execution_mode": "bogus"})],
)
def test_a_body_that_fits_no_form_is_told_what_every_form_misses(sample, case, body):
    assert problems(json.dumps(body).encode()) == [
        {**one, "input": body if one["type"] == "missing" else "bogus"}
        for one in sample("refusals")[case]["body"]["detail"]
    ]


@pytest.mark.parametrize(("case", "inputs"), [("inputs null", None), ("object input", {"width": {"a": 1}})])
def test_inputs_that_are_refused_are_described_as_recorded(sample, case, inputs):
    found = problems(json.dumps({"deployment_id": ID, "inputs": inputs}).encode())
    here = [
        {**one, "loc": [place for place in one["loc"] if place != "DeploymentRunRequest"]}
        for one in found
        if one["loc"][1] == "DeploymentRunRequest"
    ]
    assert here == sample("refusals")[case]["body"]["detail"]


def test_an_unknown_gpu_is_refused():
    (found,) = [one for one in problems(b'{"deployment_id":"%s","gpu":"X"}' % ID.encode()) if one["loc"][-1] == "gpu"][
        -1:
    ]
    assert (found["type"], found["loc"]) == ("literal_error", ["body", "DeploymentRunRequest", "gpu"])


@pytest.mark.parametrize("raw", [b"", b"null"])
def test_no_body_is_a_missing_body(sample, raw):
    assert problems(raw) == sample("refusals")["empty body"]["body"]["detail"]


@pytest.mark.parametrize(
    ("case", "content_type"), [("form body", "application/x-www-form-urlencoded"), ("text body", "text/plain")]
)
def test_another_content_type_is_not_read(sample, case, content_type):
    (recorded,) = sample("refusals")[case]["body"]["detail"]
    found = problems(recorded["input"].encode(), content_type)
    assert [{**one, "loc": one["loc"][:1]} for one in found] == [recorded] * 3


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
    with suppress(UnprocessableError):
        read(ANY_FORM, raw, "application/json")


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
