"""Read the log of a run: ``GET /v2/clickhouse-run-logs/{run_id}``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.logs import archived_log
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.route import route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.run_log import RunLog
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "get_clickhouse_run_logs",
    route("GET", "/v2/clickhouse-run-logs/{run_id}"),
    archived_log,
    creates="nothing",
)


def run_logs(core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None) -> Result[list[RunLog], Error]:
    """Return the archived log of a run that has ended, where the reason of a failure is found.

    It may take the server up to 30 s after the end to have it. The end marks of the server are left out; deliveries of
    webhooks are not, and contain their whole addresses.
    """
    return call(core, OPERATION, {"run_id": run_id}, options)


async def run_logs_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[list[RunLog], Error]:
    """Do what ``run_logs`` does, awaited."""
    return await call_async(core, OPERATION, {"run_id": run_id}, options)
