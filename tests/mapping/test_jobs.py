"""Jobs as they were given, and their entries in a journal."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

from comfydeploy._mapping.jobs import Duplicates, conflict_error, job_problem, journal_entry, read_job
from comfydeploy._mapping.patterns import checked_pattern
from comfydeploy.mapping import Job
from comfydeploy.models import DeploymentRunRequest

REQUEST = {"deployment_id": "d", "inputs": {"seed": 1}}


class Strange(Mapping):
    """A mapping that raises, at first or always."""

    def __init__(self, values, error=None):
        self.values_of, self.error = values, error

    def __getitem__(self, name):
        if self.error:
            raise self.error
        return self.values_of[name]

    def __iter__(self):
        return iter(self.values_of)

    def __len__(self):
        return len(self.values_of)


def test_equal_requests_have_equal_digests():
    model = DeploymentRunRequest(deployment_id="d", inputs={"seed": 1})
    assert read_job(0, REQUEST).digest == read_job(1, dict(REQUEST)).digest
    assert read_job(0, Job("a", model)).digest == read_job(0, {"inputs": {"seed": 1}, "deployment_id": "d"}).digest
    assert (
        read_job(0, Strange({"deployment_id": "d", "inputs": Strange({"seed": 1})})).digest
        == read_job(0, REQUEST).digest
    )
    assert read_job(0, {**REQUEST, "inputs": {"seed": 2}}).digest != read_job(0, REQUEST).digest


@pytest.mark.parametrize(
    "file", [Path("a/b.png"), BytesIO(b"x"), ("b.png", b"x"), [Path("a.png"), "https://h/x?sig=1"]]
)
def test_files_are_kept_by_their_names(file):
    job = read_job(0, {"deployment_id": "d", "inputs": {"image": file}})
    entry = journal_entry(job, checked_pattern("out"))
    assert job.problem is None
    assert entry.place == "0"
    assert "sig" not in entry.request
    other = read_job(0, {"deployment_id": "d", "inputs": {"image": ("b.png", b"y")}})
    assert other.digest != job.digest


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Job("x" * 101, REQUEST), "key: expected 1 to 100 characters, got 101"),
        (Job("", REQUEST), "key: expected 1 to 100 characters, got 0"),
        (Job(3, REQUEST), "key: expected a string, got int"),
        (7, "expected a request for a run or a mapping, got int"),
        (Strange({"deployment_id": "d"}, LookupError("no")), "request: cannot be read: LookupError"),
        ({"deployment_id": "d", "inputs": {"a": float("nan")}}, "$.inputs.a"),
        ({"deployment_id": "d", "inputs": {"a": object()}}, "$.inputs.a"),
    ],
)
def test_jobs_without_a_request(given, said):
    job = read_job(4, given)
    assert said in job.problem.message
    assert isinstance(job.key, str)


def test_memory_errors_pass():
    with pytest.raises(MemoryError):
        read_job(0, Strange({"deployment_id": "d"}, MemoryError()))
    job = read_job(0, REQUEST)
    with pytest.raises(MemoryError):
        job_problem(type(job)(0, "k", Strange({"deployment_id": "d"}, MemoryError())), None)


def test_duplicates_are_found():
    duplicates, pattern = Duplicates(), checked_pattern("{seed}{suffix}")
    jobs = [read_job(0, Job(key, {**REQUEST, "inputs": {"seed": seed}})) for key, seed in ("a1", "a2", "b1", "c3")]
    found = [duplicates.problem(job, pattern) for job in jobs]
    assert [one and one.message.partition(": ")[2].split()[1] for one in found] == [None, "job", "job", None]
    assert duplicates.problem(read_job(9, REQUEST), None) is None
    assert "jobs[0]: why (key 'a')" in conflict_error("why", jobs[0]).message
