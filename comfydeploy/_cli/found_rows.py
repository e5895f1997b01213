"""Rows of runs over the workflows of one or of all deployments."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from comfydeploy._cli.deployment_names import all_deployments, find_deployment
from comfydeploy._cli.records import deployment_name
from comfydeploy._wire.keys import key_of
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs.run_find import run_find
from comfydeploy.funcs.workflow_runs import workflow_runs
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.result import Result, Success

Rows: TypeAlias = list[tuple[WorkflowRunRow, str | None]]
"""Rows, each with the name of its workflow."""

_PAGE: Final = 50
_OLDEST: Final = datetime.min.replace(tzinfo=UTC)


def listed_rows(
    core: ComfyDeployCore, deployment: str | None, limit: int, *, status: str | None, since: datetime | None
) -> Result[Rows, Error]:
    """Return the newest runs, at most ``limit``."""
    places = _places(core, deployment)
    if not isinstance(places, Success):
        return places
    found: Rows = []
    for workflow_id, (name, deployment_id) in places.unwrap().items():
        rows: list[WorkflowRunRow] = []
        pages = workflow_runs(
            core, workflow_id, since=since, status=status, deployment_id=deployment_id, limit=min(limit, _PAGE)
        )
        for page in pages:
            if not isinstance(page, Success):
                return page
            rows += page.unwrap()
            if len(rows) >= limit:
                break
        found += [(row, name) for row in rows[:limit]]
    return Success(_newest_first(found)[:limit])


def found_rows(
    core: ComfyDeployCore, keys: Sequence[str], deployment: str | None, *, since: datetime | None
) -> Result[Rows, Error]:
    """Return the runs with one of the keys, newest first."""
    places = _places(core, deployment)
    if not isinstance(places, Success):
        return places
    found: Rows = []
    for workflow_id, (name, _) in places.unwrap().items():
        result = run_find(core, keys, workflow_id=workflow_id, since=since)
        if not isinstance(result, Success):
            return result
        found += [(row, name) for row in result.unwrap().runs]
    return Success(_newest_first(found))


def key_of_row(row: WorkflowRunRow) -> str:
    """Return the key of a run, or an empty text."""
    return key_of(row.workflow_inputs) or ""


def _places(
    core: ComfyDeployCore, deployment: str | None
) -> Result[Mapping[str, tuple[str | None, str | None]], Error]:
    """Return the workflows to search, each with its name and the deployment to which the search is limited."""
    if deployment is None:
        listed = all_deployments(core)
        return Success(_workflows(listed.unwrap())) if isinstance(listed, Success) else listed
    found = find_deployment(core, deployment)
    if not isinstance(found, Success):
        return found
    return Success(_workflows([found.unwrap()], found.unwrap().id))


def _workflows(
    deployments: Sequence[DeploymentModel], only: str | None = None
) -> dict[str, tuple[str | None, str | None]]:
    return {one.workflow_id: (deployment_name(one), only) for one in deployments if one.workflow_id}


def _newest_first(rows: Rows) -> Rows:
    def age(pair: tuple[WorkflowRunRow, Any]) -> datetime:
        return pair[0].created_at or _OLDEST

    return sorted(rows, key=age, reverse=True)
