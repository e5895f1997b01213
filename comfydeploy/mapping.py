"""Jobs for ``run_map`` and ``map_step``, their results, and the contact sheet of a journal.

>>> from comfydeploy.mapping import grid
>>> jobs = grid({"deployment_id": "d"}, {"prompt": ["a cat", "a dog"], "seed": range(25)})
>>> len(jobs)
50
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final, overload

from attrs import field, frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.json_types import is_object
from comfydeploy.errors import ComfyDeployError, Error, Fate, SDKValidationError
from comfydeploy.models.document import Shown
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.outcome import DownloadIncomplete, WaitError
from comfydeploy.result import Failure, Result, Success

if TYPE_CHECKING:
    from comfydeploy.models.run import WorkflowRunModel

__all__ = [
    "Job",
    "JobHeld",
    "JobUnresolved",
    "MapError",
    "MapItem",
    "MapStep",
    "MaxRunsReached",
    "contact_sheet",
    "grid",
]


@final
@frozen(repr=False)
class JobUnresolved(ComfyDeployError):  # noqa: N818 - the end of a job
    """A request for a run was sent, its response was lost, and the run was not found.

    It may exist and be billed. Another call with the same journal searches for it again.
    """

    message: str
    key: str
    hint: str | None = None
    run_id: str | None = None
    fate: Fate = field(default="unknown", init=False)


MapError: TypeAlias = WaitError | DownloadIncomplete | JobUnresolved


@frozen
class Job:
    """A request with its own key, of 1 to 100 characters, by which a rerun recognizes it."""

    key: str
    request: AnyRunRequest


@frozen(repr=False)
class MapItem(Shown):
    """The result of one job.

    ``index`` is its position among the jobs; it is -1 where the map itself failed, and then the item is the last one.
    ``key`` is that of the job, its position as text unless given. ``request`` is as it was given. ``run_id`` is the
    run of the last ``attempt``, if there is one. ``saved`` has the paths of its files. ``result`` is ``Success(run)``
    where the run has succeeded and its files are saved. ``twins`` has the ids of all runs of the attempt where there is
    more than one, against the assumption.
    """

    index: int
    key: str
    request: AnyRunRequest = field(repr=False)
    run_id: str | None
    attempt: int
    saved: list[Path]
    result: "Result[WorkflowRunModel, MapError]"
    twins: tuple[str, ...] = field(default=(), repr=False)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from comfydeploy._display.bundle import job_bundle

        given: Any = self.request
        inputs = given.get("inputs") if is_object(given) else getattr(given, "inputs", None)
        return job_bundle(self.key, self.run_id, self.attempt, inputs, self.saved, self.result)


@final
@frozen
class JobHeld:
    """Another process or thread has the job at this time, so that the step did nothing: call it again later."""

    key: str


@final
@frozen
class MaxRunsReached:
    """The journal has ``max_runs`` runs, and none of them is of this job."""

    key: str


MapStep: TypeAlias = MapItem | JobHeld | MaxRunsReached


@final
class _Grid(Sequence[dict[str, Any]]):
    """The requests of a grid, each created when it is read."""

    def __init__(self, request: Mapping[str, Any], axes: Mapping[str, Iterable[Any]]) -> None:
        self._request = dict(_checked_mapping("request", request))
        self._axes = {name: _values(name, values) for name, values in _checked_mapping("axes", axes).items()}
        self._size = prod(len(values) for values in self._axes.values())

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [self._at(one) for one in range(*index.indices(self._size))]
        if not -self._size <= index < self._size:
            raise IndexError("grid index out of range")
        return self._at(index % self._size)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self._at, range(self._size))

    def _at(self, index: int) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        for name, values in reversed(self._axes.items()):  # the last axis changes fastest
            index, place = divmod(index, len(values))
            chosen[name] = values[place]
        fixed: Mapping[str, Any] = self._request.get("inputs") or {}
        return {**self._request, "inputs": {**fixed, **{name: chosen[name] for name in self._axes}}}


def _checked_mapping(name: str, given: Any) -> Mapping[str, Any]:
    if is_object(given):
        return given
    raise invalid_argument(name, f"expected a mapping, got {type(given).__name__}")


def _values(name: str, given: Iterable[Any]) -> Sequence[Any]:
    if isinstance(given, str | bytes) or is_object(given) or not hasattr(given, "__iter__"):
        raise invalid_argument(f"axes.{name}", f"expected several values, such as a list, got {given!r}")
    return given if isinstance(given, Sequence) else [*given]


def grid(request: Mapping[str, Any], axes: Mapping[str, Iterable[Any]]) -> Sequence[dict[str, Any]]:
    """Return a request for each combination of the values of some inputs, as a sequence.

    ``request`` is common to all; its ``inputs`` are kept. ``axes`` maps names of inputs to their values. The
    last axis changes fastest. Each request is created when it is read, so that a grid takes no memory. What is no
    mapping, or an axis of one value that is not in a list, raises an ``SDKValidationError``.
    """
    return _Grid(request, axes)


def contact_sheet(
    journal: str | os.PathLike[str], to: str | os.PathLike[str], *, name: str | None = None
) -> Result[Path, Error]:
    """Write a page with the results of the jobs of a map, and return its path.

    It shows each job with its inputs, status, duration, reason and pictures, and filters them by input and status. It
    is one file without the saved files, which it links relative to its own path; it contains no
    addresses and no secrets. A journal may be read while its map goes on.

    Args:
        journal: The journal of ``run_map``, which is not changed.
        to: The file to write, such as ``sheet.html``. One that is there is replaced.
        name: The name of the map, which selects one of those in a database.

    Returns:
        ``Success`` with the path, or ``Failure``: an ``SDKValidationError`` for a journal that cannot be read and for a
        file that cannot be written.
    """
    from comfydeploy._mapping.contact_sheet import write_sheet
    from comfydeploy._wire.transport_errors import request_error

    try:
        return Success(write_sheet(journal, to, name))
    except MemoryError:
        raise
    except SDKValidationError as error:
        return Failure(error.with_traceback(None))
    except Exception as error:  # noqa: BLE001 - a function never raises
        return Failure(request_error(error, "not_sent", closed=False))
