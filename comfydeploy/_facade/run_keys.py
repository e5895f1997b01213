"""``client.run``: runs that have keys, raising."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy._wire.run_search import Cache
    from comfydeploy.models.found_runs import FoundRuns
    from comfydeploy.models.queued_once import QueuedOnce
    from comfydeploy.models.run_request import AnyRunRequest

_Options: TypeAlias = RequestOptions | None


class RunKeys(Group):
    """Create and find runs by their keys; every method raises the error of a ``Failure``."""

    def queue_once(
        self,
        request: "AnyRunRequest",
        key: str,
        options: _Options = None,
        *,
        settle: float = 60,
        since: datetime | None = None,
        cache: "Cache | None" = None,
    ) -> "QueuedOnce":
        """Return the run that carries a key, and create it where there is none.

        Calling again with the same key is safe: it searches first. A run that has failed is returned as well; a new
        attempt is a new key.

        It does not guarantee one run where two callers use a key at the same moment, or where a run appears only after
        ``settle`` seconds and the call is repeated before that. A batch, a native run and another execution mode are an
        ``SDKValidationError``; nothing is sent.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            key: Text of 1 to 200 characters that names this run.
            options: What is different for this call: timeout, retries, headers, deadline.
            settle: Seconds to search for a run whose response was lost.
            since: The search ends at this aware time; without it, 24 hours before the newest run of the list.
            cache: Keeps the workflows of deployments and versions for further calls: a dictionary of yours.

        Raises:
            ComfyDeployError: What ``run_queue_once`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_queue_once import run_queue_once

        result = run_queue_once(self._core, request, key, options, settle=settle, since=since, cache=cache)
        return unwrap(result)

    async def queue_once_async(
        self,
        request: "AnyRunRequest",
        key: str,
        options: _Options = None,
        *,
        settle: float = 60,
        since: datetime | None = None,
        cache: "Cache | None" = None,
    ) -> "QueuedOnce":
        """Return the run that carries a key, and create it where there is none.

        Calling again with the same key is safe: it searches first. A run that has failed is returned as well; a new
        attempt is a new key.

        It does not guarantee one run where two callers use a key at the same moment, or where a run appears only after
        ``settle`` seconds and the call is repeated before that. A batch, a native run and another execution mode are an
        ``SDKValidationError``; nothing is sent.

        Args:
            request: A request model, or a mapping with the same keys: ``{"deployment_id": "...", "inputs": {...}}``.
            key: Text of 1 to 200 characters that names this run.
            options: What is different for this call: timeout, retries, headers, deadline.
            settle: Seconds to search for a run whose response was lost.
            since: The search ends at this aware time; without it, 24 hours before the newest run of the list.
            cache: Keeps the workflows of deployments and versions for further calls: a dictionary of yours.

        Raises:
            ComfyDeployError: What ``run_queue_once`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_queue_once import run_queue_once_async

        result = await run_queue_once_async(self._core, request, key, options, settle=settle, since=since, cache=cache)
        return unwrap(result)

    def find(
        self,
        keys: str | Iterable[str],
        options: _Options = None,
        *,
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        workflow_version_id: str | None = None,
        since: datetime | None = None,
        cache: "Cache | None" = None,
    ) -> "FoundRuns":
        """Return the runs that carry one of the keys, oldest first.

        An empty ``runs`` does not prove that there is no run: it may appear later, and a workflow that is unknown or
        not yours has an empty list (``listed`` is false).

        Args:
            keys: One key or several, as ``keyed`` and ``run_queue_once`` set them.
            options: What is different for this call: timeout, retries, headers, deadline.
            workflow_id: The workflow to search.
            deployment_id: Search the workflow of this deployment.
            workflow_version_id: Search the workflow of this version.
            since: The search ends at this aware time; without it, 24 hours before the newest run of the list. The later
                it is, the fewer pages are read.
            cache: Keeps the workflows of deployments and versions for further calls: a dictionary of yours.

        Raises:
            ComfyDeployError: What ``run_find`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_find import run_find

        result = run_find(
            self._core,
            keys,
            options,
            workflow_id=workflow_id,
            deployment_id=deployment_id,
            workflow_version_id=workflow_version_id,
            since=since,
            cache=cache,
        )
        return unwrap(result)

    async def find_async(
        self,
        keys: str | Iterable[str],
        options: _Options = None,
        *,
        workflow_id: str | None = None,
        deployment_id: str | None = None,
        workflow_version_id: str | None = None,
        since: datetime | None = None,
        cache: "Cache | None" = None,
    ) -> "FoundRuns":
        """Return the runs that carry one of the keys, oldest first.

        An empty ``runs`` does not prove that there is no run: it may appear later, and a workflow that is unknown or
        not yours has an empty list (``listed`` is false).

        Args:
            keys: One key or several, as ``keyed`` and ``run_queue_once`` set them.
            options: What is different for this call: timeout, retries, headers, deadline.
            workflow_id: The workflow to search.
            deployment_id: Search the workflow of this deployment.
            workflow_version_id: Search the workflow of this version.
            since: The search ends at this aware time; without it, 24 hours before the newest run of the list. The later
                it is, the fewer pages are read.
            cache: Keeps the workflows of deployments and versions for further calls: a dictionary of yours.

        Raises:
            ComfyDeployError: What ``run_find`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.run_find import run_find_async

        result = await run_find_async(
            self._core,
            keys,
            options,
            workflow_id=workflow_id,
            deployment_id=deployment_id,
            workflow_version_id=workflow_version_id,
            since=since,
            cache=cache,
        )
        return unwrap(result)
