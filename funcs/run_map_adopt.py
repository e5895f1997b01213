"""Find the runs of a map whose journal is lost."""

import os
from datetime import datetime
from functools import partial

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._mapping.adopting import SETTLE, adopting
from comfydeploy._wire.run_search import Place
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.models.adopted_runs import AdoptedRuns
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


def run_map_adopt(
    core: ComfyDeployCore,
    journal: str | os.PathLike[str],
    options: RequestOptions | None = None,
    *,
    name: str,
    since: datetime,
    workflow_id: str | None = None,
    deployment_id: str | None = None,
    settle: float = SETTLE,
) -> Result[AdoptedRuns, Error]:
    """Write a new journal that knows the runs of a map, so that ``run_map`` with it does not pay for them again.

    ``name`` is that of the map, with which the keys of its runs begin, and ``since`` (aware) a time before its first
    run. One of the two ids says in which workflow to look. It waits ``settle`` seconds before it looks: the last
    request of the lost map may have been sent a moment ago, and its run appears within longest POST + grace; 0 is safe
    where that is over. Where several journals had the name, the one with the newest run is taken.

    No file is written where no run was found. ``run_map`` compares the inputs of a job with those of its run, files
    excepted, and does not use a run of other inputs. The addresses of its files are read afresh.
    """
    place = Place(workflow_id=workflow_id, deployment_id=deployment_id)
    machine = partial(adopting, lists=LISTS, journal=journal, name=name, place=place, since=since, settle=settle)
    return run_steps(core, options, machine)


async def run_map_adopt_async(
    core: ComfyDeployCore,
    journal: str | os.PathLike[str],
    options: RequestOptions | None = None,
    *,
    name: str,
    since: datetime,
    workflow_id: str | None = None,
    deployment_id: str | None = None,
    settle: float = SETTLE,
) -> Result[AdoptedRuns, Error]:
    """Do what ``run_map_adopt`` does, async."""
    place = Place(workflow_id=workflow_id, deployment_id=deployment_id)
    machine = partial(adopting, lists=LISTS, journal=journal, name=name, place=place, since=since, settle=settle)
    return await run_steps_async(core, options, machine)
