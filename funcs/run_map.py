"""Run many requests, each once for its key, through any crash."""

import os
from collections.abc import Iterable
from typing import Final

from comfydeploy._drivers.maps.calls import Service
from comfydeploy._drivers.maps.iterators import AsyncRunMap, RunMap
from comfydeploy._drivers.maps.making import mapped, mapped_async
from comfydeploy._mapping.protocol import Resend
from comfydeploy._mapping.settings import Arguments
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs import run_get, workflow_runs
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.funcs.run_queue_and_wait import SENDING
from comfydeploy.funcs.run_watch import STEPS
from comfydeploy.mapping import Job
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions

__all__ = ["AsyncRunMap", "RunMap", "run_map", "run_map_async"]

SERVICE: Final = Service(SENDING, LISTS, STEPS, run_get.OPERATION, workflow_runs.OPERATION)


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
) -> RunMap:
    """Run all jobs, follow them to their ends and yield a ``MapItem`` for each, for ``with`` and ``for``.

    At most one run for each attempt if every request executes and becomes visible within longest POST + grace after it
    was sent, or never; with ``resend="never"`` at most one run without any assumption, and jobs in doubt end as
    ``JobUnresolved``.

    ``jobs`` are requests, or ``Job(key, request)``; without a key that is the position. Files among the inputs are
    uploaded as in ``inputs_upload``. ``options`` apply to each job from its claim, ``deadline`` included.
    ``journal`` is the path of a file in which each step is kept: the same call with the same journal goes on after any
    crash, and yields what had ended at once. ``name`` is that of the map, at most 50 characters, and begins the key of
    each run. ``to`` is where files go, such as ``out/{prompt}-{seed}{suffix}``: its fields are the inputs of a job,
    ``key``, ``run_id``, ``attempt`` and those of ``run_download``. ``at_once`` jobs are in work at a time. ``attempts`` is
    how often a job is run whose runs have failed. With ``max_runs`` no run is created once the journal has so many.
    ``check`` compares inputs with the deployment first: a sequence whole before the first run is paid, an iterator job
    by job. ``post_limit`` is for the request that creates a run, in seconds, and ``grace`` for its run to be listed.

    One failure stops nothing. A wrong argument and a journal that cannot be used are one item with ``index`` -1.
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
    )
    return mapped(core, SERVICE, jobs, arguments)


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
) -> AsyncRunMap:
    """Do what ``run_map`` does, for ``async with`` and ``async for``; it is not awaited itself."""
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
    )
    return mapped_async(core, SERVICE, jobs, arguments)
