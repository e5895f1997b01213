"""Find the runs of a map whose journal is lost."""

import os
from datetime import datetime
from functools import partial

from comfydeploy._drivers.steps import run_steps, run_steps_async
from comfydeploy._mapping.adopting import SETTLE, adopting
from comfydeploy._wire.run_search import SearchScope
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
    """Write a new journal that knows the runs of a map whose journal is lost.

    ``run_map`` with that journal does not pay for these runs again. No file is written where no run was found.

    Where several journals had the name, the one with the newest run is taken. ``run_map`` compares the inputs of a job
    with those of its run, files excepted, and does not use a run of other inputs. The addresses of its files are read
    afresh.

    It sends ``GET /workflow/{workflow_id}/runs``, as ``run_find`` does, and finds runs by the beginning of their keys.

    Args:
        core: The client: its key, its server and its connections.
        journal: The path of the new journal, or the address of a database.
        options: What is different for this call: timeout, retries, headers, deadline.
        name: The name of the map, with which the keys of its runs begin.
        since: An aware time before the first run of the map.
        workflow_id: The workflow to search.
        deployment_id: Search the workflow of this deployment.
        settle: Seconds to wait before the search: the last request of the lost map may have been sent a moment ago, and
            its run appears within longest POST + grace. 0 is safe once that time is over.

    Returns:
        ``Success`` with ``AdoptedRuns``, or ``Failure``: an ``SDKValidationError`` for a journal that is there already
        or cannot be written, or the error of the search.
    """
    place = SearchScope(workflow_id=workflow_id, deployment_id=deployment_id)
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
    """Write a new journal that knows the runs of a map whose journal is lost.

    The async version of ``run_map_adopt``, which has the details.
    """
    place = SearchScope(workflow_id=workflow_id, deployment_id=deployment_id)
    machine = partial(adopting, lists=LISTS, journal=journal, name=name, place=place, since=since, settle=settle)
    return await run_steps_async(core, options, machine)
