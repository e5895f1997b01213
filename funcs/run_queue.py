"""Queue a run: ``POST /run/queue``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.run_request import ANY_FORM, queueing
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.create_run import CreateRunResponse
from comfydeploy.models.run_request import AnyRunRequest
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = queueing("create_run_queue_run_queue_post", "/run/queue", *ANY_FORM)


def run_queue(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Create a run and give its id, without waiting for it.

    ``request`` is one of the three models, or a mapping with the keys of the wire. To queue can take minutes on a cold
    machine, so reads wait 300 s by default. A 5XX, a time-out or a broken connection may hide a run that was started:
    see ``fate`` and ``hint`` of the error before you send it again.
    """
    return call(core, OPERATION, request, options)


async def run_queue_async(
    core: ComfyDeployCore, request: AnyRunRequest, options: RequestOptions | None = None
) -> Result[CreateRunResponse, Error]:
    """Do what ``run_queue`` does, awaited."""
    return await call_async(core, OPERATION, request, options)
