"""``client.run``: many runs, raising. What maps need is loaded with the first one."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from datetime import datetime

    from comfydeploy._facade.maps import AsyncRaisingMap, RaisingMap
    from comfydeploy._mapping.actions import Resend
    from comfydeploy.mapping import Job
    from comfydeploy.models.adopted_runs import AdoptedRuns
    from comfydeploy.models.run_request import AnyRunRequest


class RunMapping(Group):
    """Run many requests; every method raises the error of a ``Failure``."""

    def map(
        self,
        jobs: "Iterable[AnyRunRequest | Job]",
        options: RequestOptions | None = None,
        *,
        name: str | None = None,
        journal: str | os.PathLike[str] | None = None,
        to: str | os.PathLike[str] | None = None,
        at_once: int = 20,
        attempts: int = 1,
        max_runs: int | None = None,
        check: bool = True,
        resend: "Resend" = "after_grace",
        post_limit: float = 300,
        grace: float = 60,
        executor: "Executor | None" = None,
    ) -> "RaisingMap":
        """Run all jobs, each once, and yield the result of each as it ends.

        At most one run for each attempt if every request executes and becomes visible within longest POST + grace after
        it was sent, or never; with ``resend="never"`` at most one run without any assumption, and jobs in doubt end as
        ``JobUnresolved``.

        With a ``journal`` the same call goes on after any crash, and yields at once what had ended. One failure stops
        nothing.

        Args:
            jobs: Requests, or ``Job(key, request)``; without a key it is the position. ``grid`` makes one for each
                combination of inputs.
            options: As for each call of a job; ``deadline`` is from the claim of the job on.
            name: The name of the map, at most 50 characters, with which the key of each run begins.
            journal: The path of the file in which each step is kept, or the address of a PostgreSQL database, which
                processes on any machines share: ``postgresql://user@host/database``. Without it the journal ends with
                the map.
            to: Where files go, such as ``out/{prompt}-{seed}{suffix}``, filled in with the inputs of a job, ``key``,
                ``run_id``, ``attempt`` and the fields of ``run_download``.
            at_once: How many jobs are in work at a time, or in the hands of the executor.
            attempts: How often a job is run whose runs have failed.
            max_runs: No run is created once the journal has so many.
            check: Compare the inputs with the deployment first: a sequence whole before the first run is paid, an
                iterator job by job.
            resend: ``"after_grace"`` or ``"never"``: whether a request is sent again whose run was not found.
            post_limit: Seconds for the request that creates a run.
            grace: Seconds for a run to be listed after its request.
            executor: A ``concurrent.futures.Executor`` whose workers carry out the jobs, as by ``map_step``: a pool of
                processes, or that of Dask. It needs a ``journal`` that all of them reach. Its owner closes it.

        Raises:
            ComfyDeployError: What ``run_map`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy._facade.maps import RaisingMap
        from comfydeploy.funcs.run_map import run_map

        items = run_map(
            self._core,
            jobs,
            options,
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
        return RaisingMap(items)

    def map_async(
        self,
        jobs: "Iterable[AnyRunRequest | Job]",
        options: RequestOptions | None = None,
        *,
        name: str | None = None,
        journal: str | os.PathLike[str] | None = None,
        to: str | os.PathLike[str] | None = None,
        at_once: int = 20,
        attempts: int = 1,
        max_runs: int | None = None,
        check: bool = True,
        resend: "Resend" = "after_grace",
        post_limit: float = 300,
        grace: float = 60,
        executor: "Executor | None" = None,
    ) -> "AsyncRaisingMap":
        """Run all jobs, each once, and yield the result of each as it ends.

        At most one run for each attempt if every request executes and becomes visible within longest POST + grace after
        it was sent, or never; with ``resend="never"`` at most one run without any assumption, and jobs in doubt end as
        ``JobUnresolved``.

        With a ``journal`` the same call goes on after any crash, and yields at once what had ended. One failure stops
        nothing.

        Args:
            jobs: Requests, or ``Job(key, request)``; without a key it is the position. ``grid`` makes one for each
                combination of inputs.
            options: As for each call of a job; ``deadline`` is from the claim of the job on.
            name: The name of the map, at most 50 characters, with which the key of each run begins.
            journal: The path of the file in which each step is kept, or the address of a PostgreSQL database, which
                processes on any machines share: ``postgresql://user@host/database``. Without it the journal ends with
                the map.
            to: Where files go, such as ``out/{prompt}-{seed}{suffix}``, filled in with the inputs of a job, ``key``,
                ``run_id``, ``attempt`` and the fields of ``run_download``.
            at_once: How many jobs are in work at a time, or in the hands of the executor.
            attempts: How often a job is run whose runs have failed.
            max_runs: No run is created once the journal has so many.
            check: Compare the inputs with the deployment first: a sequence whole before the first run is paid, an
                iterator job by job.
            resend: ``"after_grace"`` or ``"never"``: whether a request is sent again whose run was not found.
            post_limit: Seconds for the request that creates a run.
            grace: Seconds for a run to be listed after its request.
            executor: A ``concurrent.futures.Executor`` whose workers carry out the jobs, as by ``map_step``: a pool of
                processes, or that of Dask. It needs a ``journal`` that all of them reach. Its owner closes it.

        Raises:
            ComfyDeployError: What ``run_map`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy._facade.maps import AsyncRaisingMap
        from comfydeploy.funcs.run_map import run_map_async

        items = run_map_async(
            self._core,
            jobs,
            options,
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
        return AsyncRaisingMap(items)

    def map_adopt(
        self,
        journal: str | os.PathLike[str],
        options: RequestOptions | None = None,
        *,
        name: str,
        since: "datetime",
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        settle: float = 360.0,
    ) -> "AdoptedRuns":
        """Write a new journal that knows the runs of a map whose journal is lost.

        ``run_map`` with that journal does not pay for these runs again. No file is written where no run was found.

        Where several journals had the name, the one with the newest run is taken. ``run_map`` compares the inputs of a
        job with those of its run, files excepted, and does not use a run of other inputs. The addresses of its files
        are read afresh.

        Args:
            journal: The path of the new journal, or the address of a database.
            options: What is different for this call: timeout, retries, headers, deadline.
            name: The name of the map, with which the keys of its runs begin.
            since: An aware time before the first run of the map.
            workflow_id: The workflow to search.
            deployment_id: Search the workflow of this deployment.
            settle: Seconds to wait before the search: the last request of the lost map may have been sent a moment ago,
                and its run appears within longest POST + grace. 0 is safe once that time is over.

        Raises:
            ComfyDeployError: What ``run_map_adopt`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_map_adopt import run_map_adopt

        result = run_map_adopt(
            self._core,
            journal,
            options,
            name=name,
            since=since,
            workflow_id=workflow_id,
            deployment_id=deployment_id,
            settle=settle,
        )
        return unwrap(result)

    async def map_adopt_async(
        self,
        journal: str | os.PathLike[str],
        options: RequestOptions | None = None,
        *,
        name: str,
        since: "datetime",
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        settle: float = 360.0,
    ) -> "AdoptedRuns":
        """Write a new journal that knows the runs of a map whose journal is lost.

        ``run_map`` with that journal does not pay for these runs again. No file is written where no run was found.

        Where several journals had the name, the one with the newest run is taken. ``run_map`` compares the inputs of a
        job with those of its run, files excepted, and does not use a run of other inputs. The addresses of its files
        are read afresh.

        Args:
            journal: The path of the new journal, or the address of a database.
            options: What is different for this call: timeout, retries, headers, deadline.
            name: The name of the map, with which the keys of its runs begin.
            since: An aware time before the first run of the map.
            workflow_id: The workflow to search.
            deployment_id: Search the workflow of this deployment.
            settle: Seconds to wait before the search: the last request of the lost map may have been sent a moment ago,
                and its run appears within longest POST + grace. 0 is safe once that time is over.

        Raises:
            ComfyDeployError: What ``run_map_adopt`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_map_adopt import run_map_adopt_async

        result = await run_map_adopt_async(
            self._core,
            journal,
            options,
            name=name,
            since=since,
            workflow_id=workflow_id,
            deployment_id=deployment_id,
            settle=settle,
        )
        return unwrap(result)
