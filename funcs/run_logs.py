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
    """Return the archived log of a run that has ended.

    The server may have it only 30 s after the end.

    It sends ``GET /v2/clickhouse-run-logs/{run_id}``. The end marks of the server are left out. Deliveries of webhooks
    are in it, with the whole address of the webhook.

    Args:
        core: The client: its key, its server and its connections.
        run_id: The id of the run, a UUID.
        options: What is different for this call: timeout, retries, headers, deadline.

    Returns:
        ``Success`` with the entries, none where the archive is empty, or ``Failure``.
    """
    return call(core, OPERATION, {"run_id": run_id}, options)


async def run_logs_async(
    core: ComfyDeployCore, run_id: str, options: RequestOptions | None = None
) -> Result[list[RunLog], Error]:
    """Return the archived log of a run that has ended.

    The async version of ``run_logs``, which has the details.
    """
    return await call_async(core, OPERATION, {"run_id": run_id}, options)
