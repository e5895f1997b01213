"""Runs, errors and requests as text in a journal."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import pytest

from comfydeploy._mapping import stored
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import WorkflowRunModel
from comfydeploy.outcome import RunCancelled, RunFailed, RunTimedOut

RUN = WorkflowRunModel(id="r", status="failed", raw={"id": "r"})
ROW = {
    "id": 1,
    "key": "k",
    "state": "new",
    "attempt": 1,
    "owner": None,
    "lease": 0.0,
    "tried_at": None,
    "since": None,
    "run_id": None,
    "run": None,
    "error": None,
    "files": None,
    "request": None,
}
TEXTS = ("owner", "since", "run_id", "run", "error", "files", "request")
ALLOWED = {
    "id": "int",
    "attempt": "int",
    "key": "text",
    "state": "text",
    "lease": "int float",
    "tried_at": "int float none",
    **dict.fromkeys(TEXTS, "text none"),
}
VALUES = {"int": 1, "float": 1.5, "none": None, "blob": b"x", "bool": True}
MOMENT = "2026-11-25T03:04:05+00:00"


def damage(call, *values):
    with pytest.raises(SDKValidationError) as caught:
        call(*values)
    message = caught.value.message
    assert message.startswith("journal: a row is damaged (")
    assert message.endswith("): find the runs with run_map_adopt and a new file")
    return message.partition("(")[2].rpartition(")")[0]


@pytest.mark.parametrize("column", ROW)
def test_each_column_has_its_types(column):
    text = {"state": "done", "since": MOMENT}.get(column, "text")
    for kind, value in {**VALUES, "text": text}.items():
        row = {**ROW, column: value}
        if kind in ALLOWED[column].split():
            stored.check_columns(row)
        else:
            assert damage(stored.check_columns, row) == f"{column} is of the type {type(value).__name__}"


def test_states_are_those_of_a_row():
    for state in ("new", "trying", "created", "ended", "done"):
        stored.check_columns({**ROW, "state": state})
    assert damage(stored.check_columns, {**ROW, "state": "x" * 200}) == f"the state '{'x' * 100}' is unknown"


@pytest.mark.parametrize("since", ["2026-11-25T03:04:05", "yesterday", ""])
def test_since_is_an_aware_time(since):
    assert damage(stored.check_columns, {**ROW, "since": since}) == "since is no aware time"


def test_a_row_may_be_read_without_since():
    stored.check_columns({"state": "new"})


def test_objects_and_names_of_files_are_read():
    assert stored.object_of(None) == {}
    assert stored.object_of('{"a":1}') == {"a": 1}
    assert damage(stored.object_of, "[1]") == "expected an object, got list"
    assert "line 1 column 2" in damage(stored.object_of, "[")
    assert damage(stored.object_of, "[" * 100_000)
    assert stored.files_of(None) is None
    assert stored.files_of('["a.png","b.png"]') == ("a.png", "b.png")
    for text in ('["a.png",1]', '{"a.png":1}', '"a.png"', "null"):
        assert damage(stored.files_of, text) == "expected a list of the names of files"


def test_runs_are_stored_as_they_were_sent():
    at = datetime(2026, 11, 25, tzinfo=UTC)
    run = WorkflowRunModel(id="r", status="new", raw={"id": "r", "at": at, "url": "HTTPS://h/x?sig=1#y", "n": [1]})
    text = '{"id":"r","at":"2026-11-25 00:00:00+00:00","url":"HTTPS://h/x","n":[1]}'
    assert stored.run_text(run) == text
    assert stored.run_text(None) is None
    assert stored.run_of(None) is None
    with pytest.raises(SDKValidationError, match=r"^journal: \$\.id"):
        stored.run_of("{}")


def test_errors_are_stored_without_secrets():
    error = RunFailed("failed at https://h/x?sig=1", RUN, "r", logs=('"token": "abc"', "two"), hint="none")
    text = stored.error_text(error)
    assert stored.error_text(None) is None
    assert text.startswith('{"error":"RunFailed","message":"failed at https://h/x","run_id":"r",')
    assert "abc" not in text
    again = stored.error_of(text, RUN)
    assert (again.run, again.logs[1:], again.hint) == (RUN, ("two",), "none")
    assert stored.error_of(None, RUN) is None


@pytest.mark.parametrize("kind", [RunFailed, RunCancelled, RunTimedOut])
def test_each_end_of_a_run_is_read_again(kind):
    error = kind("over", RUN, "r", hint="none")
    again = stored.error_of(stored.error_text(error), RUN)
    assert type(again) is kind
    assert (again.message, again.run, again.run_id, again.hint) == ("over", RUN, "r", "none")


@pytest.mark.parametrize("text", ["{}", '{"error":"KeyError"}', '{"error":"RunFailed"}', '{"error":"RunFailed","x":1}'])
def test_an_error_of_no_known_form_is_damaged(text):
    assert damage(stored.error_of, text, RUN).startswith("an error cannot be read: ")


class TestDigests:
    def test_stay_the_same(self):
        """A journal may have been written by an earlier version, and by a process that orders keys otherwise."""
        inputs = MappingProxyType({"b": [1.5, None], "a": "\N{SNOWMAN}"})
        other = {"a": "\N{SNOWMAN}", "b": (1.5, None)}
        for request in ({"deployment_id": "d", "inputs": inputs}, {"inputs": other, "deployment_id": "d"}):
            assert stored.digest_of(request) == "13bb5c40a198303a39b742a182a0bd26"

    def test_are_of_names_and_contents(self):
        files = [Path("a.png"), BytesIO(b"x"), ("a.png", b"x"), ("a.png", b"y"), b"x"]
        digests = [stored.digest_of({"inputs": {"image": file}}) for file in files]
        assert len(set(digests)) == len(files)
        assert digests[0] == stored.digest_of({"inputs": {"image": {"file": "a.png"}}})

    @pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, {b"x": 1}])
    def test_need_a_request_that_can_be_sent(self, value):
        with pytest.raises(SDKValidationError, match=r"^request: \$\.inputs\.a"):
            stored.digest_of({"inputs": {"a": value}})

    def test_need_a_request_without_a_circle(self):
        circle = {}
        circle["a"] = circle
        with pytest.raises(SDKValidationError, match=r"^request: \$\.inputs\.a: contains itself$"):
            stored.digest_of({"inputs": circle})

    def test_need_a_request_of_few_levels(self):
        deep = []
        for _ in range(20_000):
            deep = [deep]
        with pytest.raises(SDKValidationError, match=r"^request: \$: nested too deeply$"):
            stored.digest_of({"inputs": deep})


class TestFiles:
    def test_are_described(self):
        file = BytesIO(b"x")
        file.name = "c.png"
        value = {"a": [Path("in/a.png"), ("b.png", b"x")], "c": file, "d": b"x", "e": 1}
        digest = {"sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
        assert stored.described(value) == {
            "a": [{"file": "in/a.png"}, ["b.png", digest]],
            "c": {"file": "c.png"},
            "d": digest,
            "e": 1,
        }

    @pytest.mark.parametrize(
        ("inputs", "expected"),
        [
            ({"a": {"file": "x"}}, True),
            ({"a": 1, "b": [1, [{"sha256": "x"}]]}, True),
            ({"a": [], "b": {}, "c": "file"}, False),
            ({"a": {"b": {"file": "x"}}}, False),  # an input that is an object is no file
            ({}, False),
            (None, False),
            (["file"], False),
        ],
    )
    def test_are_found_in_requests(self, inputs, expected):
        assert stored.has_files({"inputs": inputs}) is expected
        assert not stored.has_files({"deployment_id": "d"})

    @pytest.mark.parametrize(
        ("request_", "adopted", "expected"),
        [
            ('{"inputs":{"a":1}}', '{"inputs":{"a":1}}', True),
            ('{"inputs":{"a":1}}', '{"inputs":{"a":2}}', False),
            ('{"inputs":{"a":1}}', '{"inputs":{"a":1,"b":1}}', False),
            ('{"inputs":{"a":1,"b":1}}', '{"inputs":{"a":1}}', False),
            ('{"inputs":{"a":{"file":"x"},"b":1}}', '{"inputs":{"a":"https://h/x","b":1}}', True),
            ('{"inputs":{"a":{"file":"x"},"b":1}}', '{"inputs":{"a":"https://h/x","b":2}}', False),
            ('{"inputs":{"a":{"file":"x"}}}', "{}", False),
            ("{}", "{}", True),
            ('{"inputs":null}', '{"inputs":[]}', True),
        ],
    )
    def test_fit_any_address_of_an_adopted_run(self, request_, adopted, expected):
        assert stored.is_adopted(request_, adopted) is expected


def test_adopted_inputs_are_stored():
    assert stored.adopted_text({"a": "http://h/x?y"}) == '{"inputs":{"a":"http://h/x"}}'
