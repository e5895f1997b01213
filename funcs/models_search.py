"""Search models on other sites: ``GET /search/model``.

The route and its response are known from the server's source, and were not tried.
"""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning_list
from comfydeploy._wire.route import REQUIRED, TEXT, route
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.found_model import FoundModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "search_search_model_get",
    route("GET", "/search/model", query=REQUIRED, provider=TEXT),
    returning_list(FoundModel, under="models"),
    creates="nothing",
)


def models_search(
    core: ComfyDeployCore, query: str, options: RequestOptions | None = None, *, provider: str | None = None
) -> Result[list[FoundModel], Error]:
    """Return files of models that other sites have, with their addresses.

    The service passes the search on, and answers 500 where one of the sites does not answer.

    It sends ``GET /search/model``.

    Args:
        core: The client: its key, its server and its connections.
        query: What to search for.
        options: What is different for this call: timeout, retries, headers, deadline.
        provider: ``comfyui``, ``civitai`` or ``huggingface``; ``None`` for all.

    Returns:
        ``Success`` with a list, which may be empty, or ``Failure``. ``raw`` of the list has the items that cannot be
        read.
    """
    return call(core, OPERATION, {"query": query, "provider": provider}, options)


async def models_search_async(
    core: ComfyDeployCore, query: str, options: RequestOptions | None = None, *, provider: str | None = None
) -> Result[list[FoundModel], Error]:
    """Return files of models that other sites have, with their addresses.

    The async version of ``models_search``, which has the details.
    """
    return await call_async(core, OPERATION, {"query": query, "provider": provider}, options)
