"""Run many requests, each once for its key, through any crash."""

import os
from collections.abc import Iterable
from concurrent.futures import Executor

from comfydeploy._drivers.maps.iterators import AsyncRunMap, RunMap
from comfydeploy._drivers.maps.making import mapped, mapped_async
from comfydeploy._mapping.actions import Resend
from comfydeploy._mapping.settings import Arguments
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.map_step import SERVICE, worker_step
from comfydeploy.mapping import Job
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions

__all__ = ["AsyncRunMap", "RunMap", "run_map", "run_map_async"]


def run_map(
    core: ComfyDeployCore,
    jobs: Iterable[AnyRunRequest | Job],
    options: RequestOptions | None = None,
    *,
    name: str | None = None,
    journal: str | os.PathLike[str] | None = None,
    to: str | os.PathLike[str] | None = None,
    at_once: int = 20,
    attempts: int = 1,
    max_runs: int | None = None,
    check: bool = True,
    resend: Resend = "after_grace",
    post_limit: float = 300,
    grace: float = 60,
    executor: Executor | None = None,
) -> RunMap:
    """Run all jobs, each once, and yield the result of each as it ends.

    At most one run for each attempt if every request executes and becomes visible within longest POST + grace after it
    was sent, or never; with ``resend="never"`` at most one run without any assumption, and jobs in doubt end as
    ``JobUnresolved``.

    With a ``journal`` the same call goes on after any crash, and yields at once what had ended. One failure stops
    nothing.

    It sends what ``run_queue``, ``run_find``, ``run_get`` and ``run_download`` send, and follows many runs by one list.
    Files among the inputs are uploaded as in ``inputs_upload``. Use it with ``with`` and ``for``; ``in_order()`` yields
    in the order of the jobs.

    Args:
        core: The client: its key, its server and its connections.
        jobs: Requests, or ``Job(key, request)``; without a key it is the position. ``grid`` makes one for each
            combination of inputs.
        options: As for each call of a job; ``deadline`` is from the claim of the job on.
        name: The name of the map, at most 50 characters, with which the key of each run begins.
        journal: The path of the file in which each step is kept, or the address of a PostgreSQL database, which
            processes on any machines share: ``postgresql://user@host/database``. Without it the journal ends with the
            map.
        to: Where files go, such as ``out/{prompt}-{seed}{suffix}``, filled in with the inputs of a job, ``key``,
            ``run_id``, ``attempt`` and the fields of ``run_download``.
        at_once: How many jobs are in work at a time, or in the hands of the executor.
        attempts: How often a job is run whose runs have failed.
        max_runs: No run is created once the journal has so many.
        check: Compare the inputs with the deployment first: a sequence whole before the first run is paid, an iterator
            job by job.
        resend: ``"after_grace"`` or ``"never"``: whether a request is sent again whose run was not found.
        post_limit: Seconds for the request that creates a run.
        grace: Seconds for a run to be listed after its request.
        executor: A ``concurrent.futures.Executor`` whose workers carry out the jobs, as by ``map_step``: a pool of
            processes, or that of Dask. It needs a ``journal`` that all of them reach. Its owner closes it.

    Returns:
        A ``RunMap``: a context manager and an iterator of ``MapItem``. A wrong argument and a journal that cannot be
        used are one item with ``index`` -1.
    """
    arguments = Arguments(
        options=options,
        name=name,
        journal=journal,
        to=to,
        at_once=at_once,
        attempts=attempts,
        max_runs=max_runs,
        check=check,
        resend=resend,
        post_limit=post_limit,
        grace=grace,
        executor=executor,
    )
    return mapped(core, SERVICE, jobs, arguments, worker_step)


def run_map_async(
    core: ComfyDeployCore,
    jobs: Iterable[AnyRunRequest | Job],
    options: RequestOptions | None = None,
    *,
    name: str | None = None,
    journal: str | os.PathLike[str] | None = None,
    to: str | os.PathLike[str] | None = None,
    at_once: int = 20,
    attempts: int = 1,
    max_runs: int | None = None,
    check: bool = True,
    resend: Resend = "after_grace",
    post_limit: float = 300,
    grace: float = 60,
    executor: Executor | None = None,
) -> AsyncRunMap:
    """Run all jobs, each once, and yield the result of each as it ends.

    The async version of ``run_map``, which has the details; it is not awaited, and its map is for ``async with`` and
    ``async for``.
    """
    arguments = Arguments(
        options=options,
        name=name,
        journal=journal,
        to=to,
        at_once=at_once,
        attempts=attempts,
        max_runs=max_runs,
        check=check,
        resend=resend,
        post_limit=post_limit,
        grace=grace,
        executor=executor,
    )
    return mapped_async(core, SERVICE, jobs, arguments, worker_step)
