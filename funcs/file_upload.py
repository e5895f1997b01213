"""Upload a file: ``POST /file/upload``."""

from typing import Final

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.route import uploading
from comfydeploy._wire.upload import Progress, Source
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.file_upload import FileUploadResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result

OPERATION: Final = Operation(
    "upload_file_file_upload_post",
    uploading("/file/upload"),
    returning(FileUploadResponse),
    creates="nothing",
    read_timeout=300.0,
)


def file_upload(
    core: ComfyDeployCore,
    file: Source,
    options: RequestOptions | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
) -> Result[FileUploadResponse, Error]:
    """Upload a file and return its address, which an image input takes.

    It sends ``POST /file/upload``. The server accepts images, videos, audio and application files, judged by their
    names, up to 250 MiB. It stores a quote in a name as ``%22``. The file is read in pieces; the async function reads
    them in a thread. With retries, a file whose connection broke is sent three times at most.

    Args:
        core: The client: its key, its server and its connections.
        file: A path, bytes, a binary file that can seek, or a file that a web framework received, such as Starlette's
            ``UploadFile`` or Flask's ``FileStorage``. An open file is sent from its position on, which stays where it
            is.
        options: What is different for this call: timeout, retries, headers, deadline.
        name: The name for the server. It is required with bytes.
        progress: Called with the bytes sent so far and the size of the file.

    Returns:
        ``Success`` with ``file_url``, or ``Failure``: an ``SDKValidationError`` before anything is sent for a file that
        the server would refuse.
    """
    return call(core, OPERATION, {"file": file, "name": name, "progress": progress}, options)


async def file_upload_async(
    core: ComfyDeployCore,
    file: Source,
    options: RequestOptions | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
) -> Result[FileUploadResponse, Error]:
    """Upload a file and return its address, which an image input takes.

    The async version of ``file_upload``, which has the details.
    """
    return await call_async(core, OPERATION, {"file": file, "name": name, "progress": progress}, options)
