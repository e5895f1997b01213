"""Find runs by their keys."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._wire.run_search import Cache, Lists, Place, finding
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

    One of the three ids says in which workflow to look. ``since`` (aware) is where the look ends; without it that is 24
    hours before the newest run, whose time is the server's. The later it is, the fewer pages are read. ``cache`` keeps
    the workflows of deployments and versions for further calls. A transient error is tried again for 60 s.

    An empty ``runs`` is no proof that there is no run: it may appear later, and a workflow that is unknown or not yours
    has an empty list (``listed`` is false).
    """
    place = Place(workflow_id=workflow_id, deployment_id=deployment_id, workflow_version_id=workflow_version_id)
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
    """Do what ``run_find`` does, async."""
    place = Place(workflow_id=workflow_id, deployment_id=deployment_id, workflow_version_id=workflow_version_id)
    machine = partial(finding, lists=LISTS, keys=keys, place=place, since=since, cache=cache)
    return await run_steps_async(core, options, machine)
