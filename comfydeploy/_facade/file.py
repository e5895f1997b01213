"""``client.file``: the operations on files, raising."""

import os
from pathlib import Path
from typing import IO, overload

from attrs import frozen

from comfydeploy._drivers.receiving import DownloadProgress, Terms
from comfydeploy._drivers.sinks import Target
from comfydeploy._drivers.storage import fetch, fetch_async
from comfydeploy._wire.storage import Downloadable
from comfydeploy._wire.upload import Progress, Source
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.file_upload import file_upload, file_upload_async
from comfydeploy.models.file_upload import FileUploadResponse
from comfydeploy.models.media_file import MediaFile
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap


@frozen
class File:
    """Upload and download files; every method raises the error of a ``Failure``."""

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

    @overload
    def download(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: None = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> MediaFile: ...
    @overload
    def download(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> Path: ...
    @overload
    def download(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: IO[bytes],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> IO[bytes]: ...
    def download(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: Target | None = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> MediaFile | Path | IO[bytes]:
        """Download a file of a run; see ``file_download``."""
        terms = Terms(progress, max_size)
        return unwrap(fetch(self._core, file, options, to, terms))

    @overload
    async def download_async(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: None = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> MediaFile: ...
    @overload
    async def download_async(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: str | os.PathLike[str],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> Path: ...
    @overload
    async def download_async(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: IO[bytes],
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> IO[bytes]: ...
    async def download_async(
        self,
        file: Downloadable,
        options: RequestOptions | None = None,
        *,
        to: Target | None = None,
        progress: DownloadProgress | None = None,
        max_size: int | None = None,
    ) -> MediaFile | Path | IO[bytes]:
        """Download a file of a run; see ``file_download``."""
        terms = Terms(progress, max_size)
        return unwrap(await fetch_async(self._core, file, options, to, terms))
