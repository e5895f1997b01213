"""Grids of requests, and the values of a map."""

import copy
import pickle

import pytest

from comfydeploy.mapping import JobUnresolved, grid


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


def test_unresolved_jobs_pickle():
    error = JobUnresolved("not found", "k", "look again")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(again), again.key, again.fate) == ("not found. look again", "k", "unknown")
