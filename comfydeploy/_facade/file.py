"""``client.file``: the operations on files, raising."""

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, overload

from comfydeploy._drivers.receiving import DownloadProgress, Terms
from comfydeploy._drivers.storage import fetch, fetch_async
from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy._drivers.sinks import Target
    from comfydeploy._wire.storage import Downloadable
    from comfydeploy._wire.upload import Progress, Source
    from comfydeploy.models.file_upload import FileUploadResponse
    from comfydeploy.models.media_file import MediaFile


class File(Group):
    """Upload and download files; every method raises the error of a ``Failure``."""

    def upload(
        self,
        file: "Source",
        options: RequestOptions | None = None,
        *,
        name: str | None = None,
        progress: "Progress | None" = None,
    ) -> "FileUploadResponse":
        """Upload a file and return its address, which an image input takes.

        Args:
            file: A path, bytes, a binary file that can seek, or a file that a web framework received, such as
                Starlette's ``UploadFile`` or Flask's ``FileStorage``. An open file is sent from its position on, which
                stays where it is.
            options: What is different for this call: timeout, retries, headers, deadline.
            name: The name for the server. It is required with bytes.
            progress: Called with the bytes sent so far and the size of the file.

        Raises:
            ComfyDeployError: What ``file_upload`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.file_upload import file_upload

        return unwrap(file_upload(self._core, file, options, name=name, progress=progress))

    async def upload_async(
        self,
        file: "Source",
        options: RequestOptions | None = None,
        *,
        name: str | None = None,
        progress: "Progress | None" = None,
    ) -> "FileUploadResponse":
        """Upload a file and return its address, which an image input takes.

        Args:
            file: A path, bytes, a binary file that can seek, or a file that a web framework received, such as
                Starlette's ``UploadFile`` or Flask's ``FileStorage``. An open file is sent from its position on, which
                stays where it is.
            options: What is different for this call: timeout, retries, headers, deadline.
            name: The name for the server. It is required with bytes.
            progress: Called with the bytes sent so far and the size of the file.

        Raises:
            ComfyDeployError: What ``file_upload`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.file_upload import file_upload_async

        return unwrap(await file_upload_async(self._core, file, options, name=name, progress=progress))

    @overload
    def download(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: None = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> "MediaFile": ...
    @overload
    def download(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> Path: ...
    @overload
    def download(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: IO[bytes],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> IO[bytes]: ...
    def download(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: "Target | None" = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> "MediaFile | Path | IO[bytes]":
        """Download a file of a run: into memory, to a path or into an open file.

        Args:
            file: One of ``run.files``, a ``MediaItem`` or an address.
            options: What is different for this call: timeout, retries, headers, deadline.
            to: A path, which gets the file when it is whole and keeps the mode of a file that is there, or an open
                binary file. Without it the file comes into memory.
            progress: Called with the bytes received so far and the size of the file, ``None`` where it is unknown.
            max_size: The size in bytes above which nothing is kept.

        Raises:
            ComfyDeployError: What ``file_download`` returns as a ``Failure``. Its docstring has the details.
        """
        terms = Terms(progress, max_size)
        return unwrap(fetch(self._core, file, options, to, terms))

    @overload
    async def download_async(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: None = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> "MediaFile": ...
    @overload
    async def download_async(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> Path: ...
    @overload
    async def download_async(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: IO[bytes],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> IO[bytes]: ...
    async def download_async(
        self,
        file: "Downloadable",
        options: RequestOptions | None = None,
        *,
        to: "Target | None" = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> "MediaFile | Path | IO[bytes]":
        """Download a file of a run: into memory, to a path or into an open file.

        Args:
            file: One of ``run.files``, a ``MediaItem`` or an address.
            options: What is different for this call: timeout, retries, headers, deadline.
            to: A path, which gets the file when it is whole and keeps the mode of a file that is there, or an open
                binary file. Without it the file comes into memory.
            progress: Called with the bytes received so far and the size of the file, ``None`` where it is unknown.
            max_size: The size in bytes above which nothing is kept.

        Raises:
            ComfyDeployError: What ``file_download`` returns as a ``Failure``. Its docstring has the details.
        """
        terms = Terms(progress, max_size)
        return unwrap(await fetch_async(self._core, file, options, to, terms))
