"""Jobs for ``run_map``, and the items that it yields. All of it is pure.

>>> from comfydeploy.mapping import grid
>>> jobs = grid({"deployment_id": "d"}, {"prompt": ["a cat", "a dog"], "seed": range(25)})
>>> len(jobs)
50
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final, overload

from attrs import field, frozen

from comfydeploy.errors import ComfyDeployError, Fate
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.outcome import DownloadIncomplete, WaitError

if TYPE_CHECKING:
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.result import Result

__all__ = ["Job", "JobUnresolved", "MapError", "MapItem", "grid"]


@final
@frozen
class JobUnresolved(ComfyDeployError):  # noqa: N818 - what became of the job
    """A request for a run was sent, its response was lost, and the run was not found.

    It may exist and be billed. Another call with the same journal looks for it again.
    """

    message: str
    key: str
    hint: str | None = None
    run_id: str | None = None
    fate: Fate = field(default="unknown", init=False)


MapError: TypeAlias = WaitError | DownloadIncomplete | JobUnresolved


@frozen
class Job:
    """A request with a key of its own, of 1 to 100 characters, by which a rerun recognizes it."""

    key: str
    request: AnyRunRequest


@frozen
class MapItem:
    """What became of one job.

    ``index`` is its position among the jobs; it is -1 where the map itself failed, and then the item is the last one.
    ``key`` is that of the job, its position as text unless given. ``request`` is as it was given. ``run_id`` is the
    run of the last ``attempt``, if there is one. ``saved`` has the paths of its files. ``result`` is ``Success(run)``
    where the run has succeeded and its files are saved.
    """

    index: int
    key: str
    request: AnyRunRequest = field(repr=False)
    run_id: str | None
    attempt: int
    saved: list[Path]
    result: "Result[WorkflowRunModel, MapError]"


@final
class _Grid(Sequence[dict[str, Any]]):
    """The requests of a grid, each made when it is read."""

    def __init__(self, request: Mapping[str, Any], axes: Mapping[str, Iterable[Any]]) -> None:
        self._request = dict(request)
        self._axes = {
            name: values if isinstance(values, Sequence) else [*values] for name, values in dict(axes).items()
        }
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


def grid(request: Mapping[str, Any], axes: Mapping[str, Iterable[Any]]) -> Sequence[dict[str, Any]]:
    """Return a request for each combination of the values of some inputs, as a sequence.

    ``request`` is what all have in common; its ``inputs`` are kept. ``axes`` maps names of inputs to their values. The
    last axis changes fastest. Each request is made when it is read, so that a grid takes no memory.
    """
    return _Grid(request, axes)
