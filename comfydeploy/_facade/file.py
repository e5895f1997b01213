"""``client.file``: the operations on files, raising."""

from attrs import frozen

from comfydeploy._wire.upload import Progress, Source
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.file_upload import file_upload, file_upload_async
from comfydeploy.models.file_upload import FileUploadResponse
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


@frozen
class File:
    """Upload files; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def upload(
        self,
        file: Source,
        options: RequestOptions | None = None,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> FileUploadResponse:
        """Upload a file and give its address; see ``file_upload``."""
        return unwrap(file_upload(self._core, file, options, name=name, progress=progress))

    async def upload_async(
        self,
        file: Source,
        options: RequestOptions | None = None,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> FileUploadResponse:
        """Upload a file and give its address; see ``file_upload``."""
        return unwrap(await file_upload_async(self._core, file, options, name=name, progress=progress))
