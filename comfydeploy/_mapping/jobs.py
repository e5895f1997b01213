"""The jobs of a map as they are given, each checked by itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from comfydeploy._mapping.journal import SAME_FILES, SAME_KEY, Entry
from comfydeploy._mapping.patterns import Pattern
from comfydeploy._mapping.stored import request_texts
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.keys import KEY_INPUT, check_key
from comfydeploy._wire.run_request import one_run
from comfydeploy._wire.run_search import Place, check_id
from comfydeploy.errors import SDKValidationError
from comfydeploy.mapping import Job
from comfydeploy.models.run_request import AnyRunRequest

_LONGEST_KEY: Final = 100
_PLACES: Final = ("workflow_version_id", "workflow_id", "deployment_id")  # as the server tells the forms apart


@frozen
class GivenJob:
    """A job as it was given, and what a journal keeps of it, or what is wrong with it."""

    index: int
    key: str
    request: AnyRunRequest = field(repr=False)
    wire: Mapping[str, Any] = field(repr=False)
    entry: Entry | None = field(default=None, repr=False)
    problem: SDKValidationError | None = None

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs of the request."""
        return self.wire.get("inputs") or {}

    @property
    def place(self) -> Place:
        """Where the runs of the job are listed."""
        name = next(name for name in _PLACES if name in self.wire)
        return Place(**{name: self.wire[name]})


def given_job(index: int, given: Any, pattern: Pattern | None) -> GivenJob:
    """Return a job with what is wrong with it."""
    key, request = (given.key, given.request) if isinstance(given, Job) else (str(index), given)
    known = key if isinstance(key, str) else str(index)
    try:
        _check_key(key)
        wire = one_run(request)
        inputs = wire.get("inputs") or {}
        if KEY_INPUT in inputs:
            raise invalid_argument(f"request.inputs.{KEY_INPUT}", "expected none: the map gives each run its key")
        name = next(name for name in _PLACES if name in wire)
        check_id(f"request.{name}", wire[name])
        digest, text = request_texts(wire)
        place = None if pattern is None else pattern.place(key, inputs)
    except MemoryError:
        raise
    except SDKValidationError as error:
        return GivenJob(index, known, request, {}, problem=error.with_traceback(None))
    except Exception as error:  # noqa: BLE001 - whatever a strange mapping may do
        problem = SDKValidationError(f"request: cannot be read: {type(error).__name__}")
        return GivenJob(index, known, request, {}, problem=problem)
    return GivenJob(index, key, request, wire, Entry(key, digest, text, place))


class Duplicates:
    """Finds jobs of one key, or with the same files, in little memory: it keeps hashes."""

    def __init__(self) -> None:
        self._keys: set[int] = set()
        self._places: set[int] = set()

    def problem(self, job: GivenJob) -> SDKValidationError | None:
        """Return what is wrong with a job beside those before it."""
        if job.entry is None:
            return job.problem
        key, place = hash(job.key), None if job.entry.place is None else hash(job.entry.place)
        if key in self._keys:
            return conflict_error(SAME_KEY, job)
        self._keys.add(key)
        if place in self._places:
            return conflict_error(SAME_FILES, job)
        if place is not None:
            self._places.add(place)
        return None


def conflict_error(reason: str, job: GivenJob) -> SDKValidationError:
    """Return the error of a job that does not fit those before it, or the journal."""
    return invalid_argument(f"jobs[{job.index}]", f"{reason} (key {job.key!r})")


def is_sequence(jobs: object) -> bool:
    """Check whether jobs can be read twice, so that all are checked before the first one is paid."""
    return isinstance(jobs, Sequence) and not isinstance(jobs, str | bytes) and not is_object(jobs)


def _check_key(key: Any) -> None:
    check_key("key", key)
    if len(key) > _LONGEST_KEY:
        raise invalid_argument("key", f"expected 1 to {_LONGEST_KEY} characters, got {len(key)}", key)
