"""Requests that create and change deployments. ``None`` means "not given" and is not sent."""

from attrs import frozen

from comfydeploy.models.deployment import DeploymentEnvironment
from comfydeploy.models.document import Shown


@frozen(kw_only=True, repr=False)
class CreateDeploymentRequest(Shown):
    """Deploy a version of a workflow on a machine: ``machine_id`` or ``machine_version_id`` is required.

    ``environment`` is ``production``, ``staging``, ``preview``, ... With ``deployment_id`` that deployment is replaced.
    ``description`` is what the service accepts, but it keeps the workflow's.
    """

    workflow_id: str
    workflow_version_id: str
    environment: DeploymentEnvironment | str
    machine_id: str | None = None
    machine_version_id: str | None = None
    description: str | None = None
    deployment_id: str | None = None


@frozen(kw_only=True, repr=False)
class UpdateDeploymentRequest(Shown):
    """Change what is given of a deployment. ``run_timeout`` and ``idle_timeout`` are in seconds.

    ``keep_warm`` is the number of machines that are kept running, which is billed.
    """

    workflow_version_id: str | None = None
    machine_id: str | None = None
    machine_version_id: str | None = None
    concurrency_limit: int | None = None
    gpu: str | None = None
    run_timeout: int | None = None
    idle_timeout: int | None = None
    keep_warm: int | None = None
