"""``client.map``: the jobs of a map one by one, raising. What maps need is loaded with the first one."""

import os
from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy._mapping.actions import Resend
    from comfydeploy.mapping import MapStep
    from comfydeploy.models.run_request import AnyRunRequest


class Map(Group):
    """Bring the jobs of a map forward; every method raises the error of a ``Failure``."""

    def step(
        self,
        journal: str | os.PathLike[str],
        key: str,
        options: RequestOptions | None = None,
        *,
        request: "AnyRunRequest | None" = None,
        name: str | None = None,
        to: str | os.PathLike[str] | None = None,
        attempts: int = 1,
        max_runs: int | None = None,
        check: bool = True,
        resend: "Resend" = "after_grace",
        post_limit: float = 300,
        grace: float = 60,
    ) -> "MapStep":
        """Bring one job of a journal as far as it can be now, as ``run_map`` does.

        Any process may call it at any time and any number of times, also for the same job: there is at most one run for
        each attempt, under the assumption of ``run_map``. A job that has ended costs no request. Where a call was
        killed, the next one goes on.

        It is what an engine such as Celery or Dask needs for a map: a function of a module, with arguments that pickle.
        It returns when the job has ended, when its ``deadline`` has passed, or at once where another process has the
        job.

        Args:
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

        Raises:
            ComfyDeployError: What ``map_step`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.map_step import map_step

        result = map_step(
            self._core,
            journal,
            key,
            options,
            request=request,
            name=name,
            to=to,
            attempts=attempts,
            max_runs=max_runs,
            check=check,
            resend=resend,
            post_limit=post_limit,
            grace=grace,
        )
        return unwrap(result)

    async def step_async(
        self,
        journal: str | os.PathLike[str],
        key: str,
        options: RequestOptions | None = None,
        *,
        request: "AnyRunRequest | None" = None,
        name: str | None = None,
        to: str | os.PathLike[str] | None = None,
        attempts: int = 1,
        max_runs: int | None = None,
        check: bool = True,
        resend: "Resend" = "after_grace",
        post_limit: float = 300,
        grace: float = 60,
    ) -> "MapStep":
        """Bring one job of a journal as far as it can be now, as ``run_map`` does.

        Any process may call it at any time and any number of times, also for the same job: there is at most one run for
        each attempt, under the assumption of ``run_map``. A job that has ended costs no request. Where a call was
        killed, the next one goes on.

        It is what an engine such as Celery or Dask needs for a map: a function of a module, with arguments that pickle.
        It returns when the job has ended, when its ``deadline`` has passed, or at once where another process has the
        job.

        Args:
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

        Raises:
            ComfyDeployError: What ``map_step`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.map_step import map_step_async

        result = await map_step_async(
            self._core,
            journal,
            key,
            options,
            request=request,
            name=name,
            to=to,
            attempts=attempts,
            max_runs=max_runs,
            check=check,
            resend=resend,
            post_limit=post_limit,
            grace=grace,
        )
        return unwrap(result)
