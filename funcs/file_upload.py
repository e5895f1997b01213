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

    ``file`` is a path, bytes (then ``name`` is required), a binary file that can seek, or a file that a web framework
    received, such as Starlette's ``UploadFile`` or Flask's ``FileStorage``. An open file is sent from its position on,
    which stays where it is. It is read in pieces; the async function reads them in a thread. ``progress(sent, size)``
    gets the bytes that were sent. The server takes images, videos, audio and application files, judged by their name,
    up to 250 MiB; anything else is an ``SDKValidationError`` before anything is sent. A quote in a name is stored as
    ``%22``. With retries, a file whose connection broke is sent three times at most.
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
    """Do what ``file_upload`` does, awaited."""
    return await call_async(core, OPERATION, {"file": file, "name": name, "progress": progress}, options)
