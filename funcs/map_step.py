"""Bring one job of a map as far as it can be now."""

import os
from typing import Final

from comfydeploy._drivers.maps.calls import Service
from comfydeploy._drivers.maps.stepping import step, step_async
from comfydeploy._drivers.maps.workers import StepJob, shared_core
from comfydeploy._mapping.actions import Resend
from comfydeploy._mapping.settings import Arguments
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs import run_get, workflow_runs
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.funcs.run_queue_and_wait import SENDING
from comfydeploy.funcs.run_watch import STEPS
from comfydeploy.mapping import MapStep
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

__all__ = ["map_step", "map_step_async"]

SERVICE: Final = Service(SENDING, LISTS, STEPS, run_get.OPERATION, workflow_runs.OPERATION)


def map_step(
    core: ComfyDeployCore,
    journal: str | os.PathLike[str],
    key: str,
    options: RequestOptions | None = None,
    *,
    request: AnyRunRequest | None = None,
    name: str | None = None,
    to: str | os.PathLike[str] | None = None,
    attempts: int = 1,
    max_runs: int | None = None,
    check: bool = True,
    resend: Resend = "after_grace",
    post_limit: float = 300,
    grace: float = 60,
) -> Result[MapStep, Error]:
    """Bring one job of a journal as far as it can be now, as ``run_map`` does.

    Any process may call it at any time and any number of times, also for the same job: there is at most one run for
    each attempt, under the assumption of ``run_map``. A job that has ended costs no request. Where a call was killed,
    the next one goes on.

    It is what an engine such as Celery or Dask needs for a map: a function of a module, with arguments that pickle. It
    returns when the job has ended, when its ``deadline`` has passed, or at once where another process has the job.

    It sends what ``run_map`` sends for the job.

    Args:
        core: The client: its key, its server and its connections.
        journal: The path of the journal of the map, or the address of its database.
        key: The key of the job.
        options: As for each call of the job; ``deadline`` is from its claim on.
        request: The request of the job. A job that the journal does not have is added with it. Otherwise it is only
            needed before a run is created, and if it has files or addresses with a query string, which no journal
            keeps.
        name: The name of the map, as in ``run_map``.
        to: Where files go, as in ``run_map``.
        attempts: How often the job is run if its runs have failed.
        max_runs: No run is created once the journal has so many.
        check: Compare the inputs with the deployment before a run is created.
        resend: ``"after_grace"`` or ``"never"``: whether a request is sent again whose run was not found.
        post_limit: Seconds for the request that creates a run.
        grace: Seconds for a run to be listed after its request.

    Returns:
        ``Success`` with the ``MapItem`` of the job, with ``JobHeld`` where another process has it, or with
        ``MaxRunsReached``. ``Failure`` where nothing was done: wrong arguments, a request that does not fit the
        deployment or the journal, or a journal that cannot be used.
    """
    arguments = Arguments(
        options=options,
        name=name,
        journal=journal,
        to=to,
        attempts=attempts,
        max_runs=max_runs,
        check=check,
        resend=resend,
        post_limit=post_limit,
        grace=grace,
    )
    return step(core, SERVICE, arguments, StepJob(key, request))


async def map_step_async(
    core: ComfyDeployCore,
    journal: str | os.PathLike[str],
    key: str,
    options: RequestOptions | None = None,
    *,
    request: AnyRunRequest | None = None,
    name: str | None = None,
    to: str | os.PathLike[str] | None = None,
    attempts: int = 1,
    max_runs: int | None = None,
    check: bool = True,
    resend: Resend = "after_grace",
    post_limit: float = 300,
    grace: float = 60,
) -> Result[MapStep, Error]:
    """Bring one job of a journal as far as it can be now, as ``run_map`` does.

    The async version of ``map_step``, which has the details.
    """
    arguments = Arguments(
        options=options,
        name=name,
        journal=journal,
        to=to,
        attempts=attempts,
        max_runs=max_runs,
        check=check,
        resend=resend,
        post_limit=post_limit,
        grace=grace,
    )
    return await step_async(core, SERVICE, arguments, StepJob(key, request))


def worker_step(core: ComfyDeployCore, arguments: Arguments, job: StepJob) -> Result[MapStep, Error]:
    """Bring a job of a map as far as it can be now, in a worker of the executor of the map."""
    return step(shared_core(core, job), SERVICE, arguments, job)
