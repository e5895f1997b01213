"""Find runs by their keys."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._wire.run_search import Cache, Lists, SearchScope, finding
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs import deployment_get, runs_list
from comfydeploy.models.found_runs import FoundRuns
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

LISTS: Final = Lists(runs_list.OPERATION, deployment_get.OPERATION)


def run_find(
    core: ComfyDeployCore,
    keys: str | Iterable[str],
    options: RequestOptions | None = None,
    *,
    workflow_id: str | None = None,
    deployment_id: str | None = None,
    workflow_version_id: str | None = None,
    since: datetime | None = None,
    cache: Cache | None = None,
) -> Result[FoundRuns, Error]:
    """Return the runs that carry one of the keys, oldest first.

    An empty ``runs`` does not prove that there is no run: it may appear later, and a workflow that is unknown or not
    yours has an empty list (``listed`` is false).

    It reads ``GET /workflow/{workflow_id}/runs`` page by page. One of the three ids says in which workflow to search. A
    transient error is retried for 60 s.

    Args:
        core: The client: its key, its server and its connections.
        keys: One key or several, as ``keyed`` and ``run_queue_once`` set them.
        options: What is different for this call: timeout, retries, headers, deadline.
        workflow_id: The workflow to search.
        deployment_id: Search the workflow of this deployment.
        workflow_version_id: Search the workflow of this version.
        since: The search ends at this aware time; without it, 24 hours before the newest run of the list. The later it
            is, the fewer pages are read.
        cache: Keeps the workflows of deployments and versions for further calls: a dictionary of yours.

    Returns:
        ``Success`` with ``FoundRuns``, or ``Failure``.
    """
    place = SearchScope(workflow_id=workflow_id, deployment_id=deployment_id, workflow_version_id=workflow_version_id)
    return run_steps(core, options, partial(finding, lists=LISTS, keys=keys, place=place, since=since, cache=cache))


async def run_find_async(
    core: ComfyDeployCore,
    keys: str | Iterable[str],
    options: RequestOptions | None = None,
    *,
    workflow_id: str | None = None,
    deployment_id: str | None = None,
    workflow_version_id: str | None = None,
    since: datetime | None = None,
    cache: Cache | None = None,
) -> Result[FoundRuns, Error]:
    """Return the runs that carry one of the keys, oldest first.

    The async version of ``run_find``, which has the details.
    """
    place = SearchScope(workflow_id=workflow_id, deployment_id=deployment_id, workflow_version_id=workflow_version_id)
    machine = partial(finding, lists=LISTS, keys=keys, place=place, since=since, cache=cache)
    return await run_steps_async(core, options, machine)
