"""Grids of requests, and the values of a map."""

import copy
import pickle

import pytest

from comfydeploy import Failure
from comfydeploy._mapping import contact_sheet as module
from comfydeploy.errors import SDKValidationError, UnexpectedClientError
from comfydeploy.mapping import JobUnresolved, MapItem, contact_sheet, grid
from comfydeploy.models import DeploymentRunRequest


def test_the_last_axis_changes_fastest():
    jobs = grid({"deployment_id": "d", "inputs": {"steps": 4}}, {"prompt": ["a", "b"], "seed": range(2)})
    assert len(jobs) == 4
    inputs = [job["inputs"] for job in jobs]
    assert inputs[1:3] == [{"steps": 4, "prompt": "a", "seed": 1}, {"steps": 4, "prompt": "b", "seed": 0}]
    assert list(inputs[0]) == ["steps", "prompt", "seed"]
    assert [job["deployment_id"] for job in jobs] == ["d"] * 4


def test_it_is_a_sequence():
    jobs = grid({}, {"seed": iter([1, 2, 3])})
    assert jobs[-1] == jobs[2] == {"inputs": {"seed": 3}}
    assert jobs[1:] == [jobs[1], jobs[2]]
    assert jobs[0] in jobs
    for index in (3, -4):
        with pytest.raises(IndexError):
            jobs[index]


def test_each_request_is_made_when_it_is_read():
    jobs = grid({"inputs": {"a": 1}}, {"seed": range(10**9), "prompt": ["x"] * 10})
    assert jobs[10**10 - 1]["inputs"] == {"a": 1, "seed": 10**9 - 1, "prompt": "x"}
    jobs[0]["inputs"]["a"] = 2
    assert jobs[0]["inputs"]["a"] == 1


def test_without_axes_it_is_one_request():
    assert list(grid({"deployment_id": "d"}, {})) == [{"deployment_id": "d", "inputs": {}}]
    assert list(grid({}, {"seed": []})) == []


@pytest.mark.parametrize("values", ["a cat", b"a cat", 3, None, {"a": 1}])
def test_axis_that_is_one_value_is_refused(values):
    """A text would be split into letters, and each of them paid."""
    with pytest.raises(SDKValidationError, match=r"^axes\.prompt: expected several values, such as a list, got "):
        grid({}, {"prompt": values})


@pytest.mark.parametrize(("request_", "axes", "name"), [("x", {}, "request"), ({}, ["seed"], "axes")])
def test_grid_of_no_mapping_is_refused(request_, axes, name):
    with pytest.raises(SDKValidationError, match=rf"^{name}: expected a mapping, got "):
        grid(request_, axes)


def test_unresolved_jobs_pickle():
    error = JobUnresolved("not found", "k", "look again")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(again), again.key, again.fate) == ("not found. look again", "k", "unknown")


@pytest.mark.parametrize("form", [dict, DeploymentRunRequest])
def test_items_are_shown_with_their_inputs(form):
    request = form(deployment_id="secret", inputs={"prompt": "a cat"})
    error = JobUnresolved("not found", "k")
    item = MapItem(3, "k", request, "r", 1, [], Failure(error), ("r", "twin"))
    assert "secret" not in repr(item)
    assert "twin" not in repr(item)
    assert MapItem(3, "k", request, "r", 1, [], Failure(error)).twins == ()
    assert "a cat" in item._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("error", [ValueError("odd"), OSError("disk")])
def test_a_sheet_that_fails_is_a_failure(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(module, "write_sheet", fail)
    found = contact_sheet("j", "sheet.html").failure()
    assert (type(found), found.fate) == (UnexpectedClientError, "not_sent")


def test_a_wrong_sheet_is_a_failure():
    assert isinstance(contact_sheet("missing.sqlite", "sheet.html").failure(), SDKValidationError)


def test_the_fate_of_an_unresolved_job_is_unknown():
    with pytest.raises(TypeError):
        JobUnresolved("not found", "k", fate="not_sent")


def test_memory_errors_of_a_sheet_pass(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(module, "write_sheet", fail)
    with pytest.raises(MemoryError):
        contact_sheet("j", "sheet.html")
