"""The jobs of a map as they were given, each checked by itself."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard

from attrs import field, frozen

from comfydeploy._mapping.journal import ADOPTED, SAME_FILES, SAME_KEY, Entry, Known
from comfydeploy._mapping.patterns import Pattern
from comfydeploy._mapping.stored import described, digest_of, has_files, object_of, without_queries
from comfydeploy._wire.arguments import invalid_argument, invalid_request
from comfydeploy._wire.codec import given, json_bytes
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.keys import KEY_INPUT, check_key
from comfydeploy._wire.run_request import ANY_FORM, one_run
from comfydeploy._wire.run_search import SearchScope, check_id
from comfydeploy.errors import SDKValidationError
from comfydeploy.mapping import Job
from comfydeploy.models.run_request import AnyRunRequest

_LONGEST_KEY: Final = 100
_PLACES: Final = ("workflow_version_id", "workflow_id", "deployment_id")  # in the order of the server


@frozen
class GivenJob:
    """A job as it was given. ``wire`` is the wire form of its request, unchecked; ``problem`` is why it has none.

    ``is_whole``: the request can be sent. A journal keeps neither files nor the query strings of addresses.
    """

    index: int
    key: str
    request: AnyRunRequest = field(repr=False)
    wire: Mapping[str, Any] = field(factory=dict[str, Any], repr=False)
    digest: str = ""
    problem: SDKValidationError | None = None
    is_whole: bool = True

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs of the request."""
        return self.wire.get("inputs") or {}

    @property
    def place(self) -> SearchScope:
        """The workflow that lists the runs of the job."""
        name = next(name for name in _PLACES if name in self.wire)
        return SearchScope(**{name: self.wire[name]})


def read_job(index: int, given_one: Any) -> GivenJob:
    """Return a job, with a problem where it has no key or no request."""
    if isinstance(given_one, GivenJob):  # it was read from the journal
        return given_one
    key, request = (given_one.key, given_one.request) if isinstance(given_one, Job) else (str(index), given_one)
    try:
        check_job_key(key)
        wire = _wire(request)
        return GivenJob(index, key, request, wire, digest_of(wire))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a mapping of any class may raise anything
        known: Any = key
        return GivenJob(index, known if isinstance(known, str) else str(index), request, problem=_problem(error))


def stored_job(known: Known, request: str) -> GivenJob:
    """Return a job as a journal has it; raise ``SDKValidationError`` where its request is not known."""
    key = known.row.key
    if known.digest == ADOPTED:
        raise invalid_argument("request", f"the journal has only the inputs of job {key!r}: pass its request")
    wire = dict(object_of(request))
    is_whole = digest_of(wire) == known.digest and not has_files(wire)
    return GivenJob(0, key, wire, wire, known.digest, is_whole=is_whole)


def job_problem(job: GivenJob, pattern: Pattern | None) -> SDKValidationError | None:
    """Return the problem of the request of a job, or of the names of its files."""
    try:
        wire = one_run(job.request)
        if KEY_INPUT in (wire.get("inputs") or ()):
            return invalid_argument(f"request.inputs.{KEY_INPUT}", "expected none: the map gives each run its key")
        name = next(name for name in _PLACES if name in wire)
        check_id(f"request.{name}", wire[name])
        if pattern is not None:
            pattern.place(job.key, job.inputs)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return _problem(error)
    return None


def journal_entry(job: GivenJob, pattern: Pattern | None) -> Entry:
    """Return the entry of a valid job for a journal."""
    text = without_queries(json_bytes(described(job.wire), "request").decode())
    return Entry(job.key, job.digest, text, None if pattern is None else pattern.place(job.key, job.inputs))


class Duplicates:
    """Finds jobs with equal keys or equal files; it keeps only hashes, to save memory."""

    def __init__(self) -> None:
        self._keys: set[int] = set()
        self._places: set[int] = set()

    def problem(self, job: GivenJob, pattern: Pattern | None) -> SDKValidationError | None:
        """Return the conflict of a job with earlier ones."""
        if hash(job.key) in self._keys:
            return conflict_error(SAME_KEY, job)
        self._keys.add(hash(job.key))
        place = None if pattern is None else pattern.place(job.key, job.inputs)
        if place is None:
            return None
        if hash(place) in self._places:
            return conflict_error(SAME_FILES, job)
        self._places.add(hash(place))
        return None


def conflict_error(reason: str, job: GivenJob) -> SDKValidationError:
    """Return the error of a job that conflicts with earlier ones, or with the journal."""
    own = ", its position: Job(key, request) would have one of its own" if job.key == str(job.index) else ""
    return invalid_argument(f"jobs[{job.index}]", f"{reason} (key {job.key!r}{own})")


def checked_jobs(jobs: object) -> Iterable[Any]:
    """Return jobs; raise ``SDKValidationError`` for one request in place of several."""
    if isinstance(jobs, str | bytes) or is_object(jobs) or not _is_several(jobs):
        raise invalid_argument("jobs", f"expected several requests, got {type(jobs).__name__}")
    return jobs


def is_sequence(jobs: Iterable[Any]) -> TypeGuard[Sequence[Any]]:
    """Check whether jobs can be read twice, so that all are checked before the first one is billed."""
    return isinstance(jobs, Sequence)


def _is_several(jobs: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(jobs, Iterable)


def _wire(request: Any) -> dict[str, Any]:
    if isinstance(request, ANY_FORM):
        return given(request)
    if is_object(request):
        return dict(request)
    raise invalid_request(f"expected a request for a run or a mapping, got {type(request).__name__}", request)


def _problem(error: Exception) -> SDKValidationError:
    if isinstance(error, SDKValidationError):
        return error.with_traceback(None)
    return SDKValidationError(f"request: cannot be read: {type(error).__name__}")


def check_job_key(key: Any) -> None:
    """Raise ``SDKValidationError`` for an invalid key of a job."""
    if isinstance(key, str) and not 0 < len(key) <= _LONGEST_KEY:
        raise invalid_argument("key", f"expected 1 to {_LONGEST_KEY} characters, got {len(key)}", key)
    check_key("key", key)
