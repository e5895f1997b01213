"""The search for runs by their keys, as steps: find the workflow, then read its rows page by page."""

from collections.abc import Container, Iterable, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias, TypeGuard

from attrs import frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.keys import check_key, key_of
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import MOMENT, route
from comfydeploy._wire.timeline import Actions, Timeline
from comfydeploy.errors import Error, SDKValidationError
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.document import Document
from comfydeploy.models.found_runs import FoundRuns
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.result import Failure, Result, Success

Cache: TypeAlias = MutableMapping[str, str]
Since: TypeAlias = datetime | timedelta
"""A time, or a duration before the newest run of the list."""

DAY: Final = timedelta(days=1)
PATIENCE: Final = 60.0
"""A search with transient errors is retried for this many seconds."""

_PAGE: Final = 20  # every row embeds the whole graph
_MINUTE: Final = timedelta(minutes=1)
UNKNOWN_DEPLOYMENT: Final = 500


@frozen(kw_only=True)
class _WorkflowVersion(Document):
    workflow_id: str


_VERSION: Final = Operation(
    "get_workflow_version",
    route("GET", "/workflow-version/{workflow_version_id}"),
    returning(_WorkflowVersion),
    creates="nothing",
)


@frozen
class Lists:
    """The operations of a search: the rows of a workflow, and one deployment."""

    rows: Operation[Any, list[WorkflowRunRow]]
    deployment: Operation[Any, DeploymentModel]


@frozen(kw_only=True)
class SearchScope:
    """The workflow to search: by its id, or by that of a deployment or of a version."""

    workflow_id: str | None = None
    deployment_id: str | None = None
    workflow_version_id: str | None = None


def finding(  # noqa: PLR0913 - what a caller may choose, by name
    timeline: Timeline, lists: Lists, *, keys: object, place: SearchScope, since: object, cache: object
) -> Actions[Result[FoundRuns, Error]]:
    """Find all runs with one of the keys."""
    keys_to_find = _checked_keys(keys)
    check_place(place)
    started = checked_since(since)
    search = RunSearch(timeline, lists, keys_to_find, checked_cache(cache))
    workflow = yield from search.workflow(place, PATIENCE)
    if not isinstance(workflow, Success):
        return workflow
    return (yield from search.runs(workflow.unwrap(), started, PATIENCE))


class RunSearch:
    """Searches for the runs with one of the keys."""

    def __init__(self, timeline: Timeline, lists: Lists, keys: Container[str | None], cache: Cache) -> None:
        self._timeline = timeline
        self._lists = lists
        self._keys = keys
        self._cache = cache

    def workflow(self, place: SearchScope, patience: float) -> Actions[Result[str, Error]]:
        """Return the id of the workflow to search."""
        if place.workflow_id is not None:
            return Success(place.workflow_id)
        named = place.deployment_id or place.workflow_version_id or ""
        if named in self._cache:
            return Success(self._cache[named])
        found: Result[DeploymentModel, Error] | Result[_WorkflowVersion, Error]
        if place.deployment_id is not None:
            arguments = {"deployment_id": named}
            found = yield from self._timeline.read(
                self._lists.deployment, arguments, patience, final={UNKNOWN_DEPLOYMENT}
            )
        else:
            found = yield from self._timeline.read(_VERSION, {"workflow_version_id": named}, patience)
        if not isinstance(found, Success):
            return found
        workflow_id = found.unwrap().workflow_id
        if workflow_id is None:
            reason = "The server's response names no workflow of the deployment, so its runs cannot be listed"
            return Failure(SDKValidationError(reason, (), dict(found.unwrap().raw), "answered"))
        self._cache[named] = workflow_id
        return Success(workflow_id)

    def runs(
        self, workflow_id: str, since: Since, patience: float, *, is_first_enough: bool = False
    ) -> Actions[Result[FoundRuns, Error]]:
        """Return the runs since a time, or those on the first page that has any.

        A duration counts from the newest run, whose time is the server's: the clock of this machine is not used.
        A page with a transient error is retried for ``patience`` seconds.
        """
        found: dict[str, WorkflowRunRow] = {}
        before: list[str] = []
        offset = 0
        while True:
            page = {"workflow_id": workflow_id, "limit": _PAGE, "offset": offset}
            result = yield from self._timeline.read(
                self._lists.rows, {**page, "with_outputs": False, "with_inputs": True}, patience
            )
            if not isinstance(result, Success):
                return result
            rows = result.unwrap()
            shown = [row.id for row in rows]
            if rows and shown == before:  # without this check the search would never end
                reason = "The server sent the same page twice: it ignores the offset"
                return Failure(SDKValidationError(reason, (), shown, "answered"))
            if isinstance(since, timedelta):
                since = _newest(rows, since)
            recent = _recent(rows, since)
            # New runs move the rows while they are read, so that one may be listed twice.
            found |= {row.id: row for row in recent if key_of(row.workflow_inputs) in self._keys}
            if len(recent) < _PAGE or (found and is_first_enough):
                return Success(FoundRuns([*reversed(found.values())], bool(rows or before)))
            before, offset = shown, offset + _PAGE


def checked_since(since: object, usual: timedelta = DAY) -> Since:
    """Return the time at which to stop, the default for ``None``."""
    if since is None:
        return usual
    if not isinstance(since, datetime) or not MOMENT.holds(since):
        raise invalid_argument("since", f"expected {MOMENT.expected}, got {type(since).__name__}")
    return since


def checked_cache(cache: object) -> Cache:
    """Return the mapping that keeps the workflows of deployments and versions, a new one for ``None``."""
    if cache is None:
        return {}
    if not _is_cache(cache):
        raise invalid_argument("cache", f"expected a mapping that can be changed, got {type(cache).__name__}")
    return cache


def _checked_keys(keys: object) -> frozenset[str]:
    if isinstance(keys, str):
        keys = (keys,)
    if not _is_several(keys):
        raise invalid_argument("keys", f"expected a key or several, got {type(keys).__name__}")
    given = [*keys]
    if not given:
        raise invalid_argument("keys", "expected at least one key")
    for index, key in enumerate(given):
        check_key(f"keys[{index}]", key)
    return frozenset(given)


def _is_cache(value: object) -> TypeGuard[Cache]:
    return isinstance(value, MutableMapping)


def _is_several(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable) and not isinstance(value, bytes)


def check_place(place: SearchScope) -> None:
    """Raise ``SDKValidationError`` unless exactly one id is given."""
    ids = {"workflow_id": place.workflow_id, "deployment_id": place.deployment_id}
    ids["workflow_version_id"] = place.workflow_version_id
    given = {name: value for name, value in ids.items() if value is not None}
    if len(given) != 1:
        raise invalid_argument("workflow_id", f"expected one of {', '.join(ids)}, got {' and '.join(given) or 'none'}")
    for name, value in given.items():
        check_id(name, value)


def check_id(name: str, value: object) -> None:
    """Raise ``SDKValidationError`` for an id that is not a string."""
    if not isinstance(value, str) or not value:
        raise invalid_argument(name, f"expected an id, got {type(value).__name__}", value)


def _newest(rows: list[WorkflowRunRow], before: timedelta) -> Since:
    created = next((row.created_at for row in rows if row.created_at is not None), None)
    return before if created is None else created - before


def _recent(rows: list[WorkflowRunRow], since: Since) -> list[WorkflowRunRow]:
    """Return the rows up to the first one that is older; a row without a readable time is not."""
    for index, row in enumerate(rows):
        if row.created_at is not None and isinstance(since, datetime) and _latest(row.created_at) < since:
            return rows[:index]
    return rows


def _latest(created: datetime) -> datetime:
    """Return the latest time that a row may have: some times lose their seconds."""
    return created if created.second or created.microsecond else created + _MINUTE
