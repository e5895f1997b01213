"""Jobs as they were given, and their entries in a journal."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

from comfydeploy._mapping.jobs import (
    Duplicates,
    GivenJob,
    checked_jobs,
    conflict_error,
    is_sequence,
    job_problem,
    journal_entry,
    read_job,
    stored_job,
)
from comfydeploy._mapping.journal import ADOPTED, Known
from comfydeploy._mapping.patterns import checked_pattern
from comfydeploy._mapping.rows import Row
from comfydeploy._wire.run_search import SearchScope
from comfydeploy.errors import SDKValidationError
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
    assert "jobs[9]: why (key '9', its position: " in conflict_error("why", read_job(9, REQUEST)).message


@pytest.mark.parametrize(
    ("given", "key"),
    [(REQUEST, "4"), (Job("a", REQUEST), "a"), (Job("x" * 101, REQUEST), "x" * 101), (Job(3, REQUEST), "4"), (7, "4")],
)
def test_keys_are_given_or_positions(given, key):
    job = read_job(4, given)
    assert (job.index, job.key) == (4, key)
    assert read_job(9, job) is job


def test_a_job_is_shown_without_its_request():
    job = read_job(0, {"deployment_id": "secret", "inputs": {"prompt": "secret"}})
    assert "secret" not in repr(job)
    assert job.is_whole
    assert read_job(0, {"deployment_id": "d"}).inputs == {}


@pytest.mark.parametrize(
    ("given", "name"),
    [(Job("x" * 101, REQUEST), "key"), (Job(3, REQUEST), "key"), ({"inputs": {"a": object()}}, "request")],
)
def test_problems_name_the_argument(given, name):
    assert read_job(0, given).problem.message.startswith(f"{name}: ")
    assert read_job(0, Job("x" * 100, REQUEST)).problem is None


@pytest.mark.parametrize(
    "place", ["workflow_version_id", "workflow_id", "deployment_id"]
)  # the server reads the first of them
def test_runs_are_listed_at_the_first_id(place):
    names = ["workflow_version_id", "workflow_id", "deployment_id"]
    request = {name: f"the {name}" for name in reversed(names[names.index(place) :])}
    assert read_job(0, request).place == SearchScope(**{place: f"the {place}"})


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (REQUEST, None),
        ({"deployment_id": "d"}, None),
        ({"deployment_id": "d", "inputs": {"comfydeploy_key": "k"}}, "request.inputs.comfydeploy_key: expected none"),
        ({"deployment_id": "", "inputs": {}}, "request.deployment_id: expected an id"),
        ({"workflow_id": "", "inputs": {}}, "request"),
        ({"workflow_version_id": "", "inputs": {}}, "request"),
        ({"inputs": {}}, "request: required: one of "),
        ({"deployment_id": "d", "batch_number": 2}, "request: a batch"),
    ],
)
def test_problems_of_requests(request_, said):
    for pattern in (None, checked_pattern("out/{key}")):
        problem = job_problem(read_job(0, request_), pattern)
        assert (problem is None) if said is None else problem.message.startswith(said)


def test_problem_of_the_names_of_files():
    job = read_job(0, REQUEST)
    assert job_problem(job, checked_pattern("{seed}")) is None
    assert job_problem(job, checked_pattern("{prompt}")).message.startswith("to: the job has no 'prompt'")


def test_entries_of_a_journal():
    job = read_job(0, {"deployment_id": "d", "inputs": {"seed": 1, "image": "https://h/x?sig=1"}})
    request = '{"deployment_id":"d","inputs":{"seed":1,"image":"https://h/x"}}'
    assert journal_entry(job, None) == ("0", job.digest, request, None)
    assert journal_entry(job, checked_pattern("{seed}")).place == "1"
    with pytest.raises(SDKValidationError, match=r"^request: \$\.inputs"):
        journal_entry(GivenJob(0, "k", {}, {"inputs": {"a": object()}}), None)


def test_stored_jobs_are_read_again():
    given = read_job(3, Job("k", REQUEST))
    entry = journal_entry(given, None)
    job = stored_job(Known(entry.digest, Row(1, "k")), entry.request)
    assert (job.index, job.key, job.request, job.wire, job.digest) == (0, "k", REQUEST, REQUEST, given.digest)
    assert job.is_whole
    assert not stored_job(Known("other", Row(1, "k")), entry.request).is_whole
    file = journal_entry(read_job(0, {"deployment_id": "d", "inputs": {"image": Path("a.png")}}), None)
    assert not stored_job(Known(file.digest, Row(1, "k")), file.request).is_whole
    with pytest.raises(SDKValidationError, match=r"^request: the journal has only the inputs of job 'k'"):
        stored_job(Known(ADOPTED, Row(1, "k")), entry.request)


@pytest.mark.parametrize("jobs", ["text", b"bytes", REQUEST, Strange({}), 3, None])
def test_one_request_is_not_several(jobs):
    with pytest.raises(SDKValidationError, match=f"^jobs: expected several requests, got {type(jobs).__name__}"):
        checked_jobs(jobs)


def test_several_jobs_may_be_read_once():
    for jobs, is_repeatable in (([REQUEST], True), ((REQUEST,), True), (iter([REQUEST]), False), ({1}, False)):
        assert checked_jobs(jobs) is jobs
        assert is_sequence(jobs) is is_repeatable


def test_jobs_without_files_are_no_duplicates():
    duplicates = Duplicates()
    assert [duplicates.problem(read_job(0, Job(key, REQUEST)), None) for key in "ab"] == [None, None]
    pattern = checked_pattern("{run_id}")
    assert [duplicates.problem(read_job(0, Job(key, REQUEST)), pattern) for key in "cd"] == [None, None]
