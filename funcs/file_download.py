"""Download a file of a run from storage."""

import os
from pathlib import Path
from typing import IO, overload

from comfydeploy._drivers.receiving import DownloadProgress, Terms
from comfydeploy._drivers.sinks import Target
from comfydeploy._drivers.storage import Downloaded, fetch, fetch_async
from comfydeploy._wire.storage import Downloadable
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.media_file import MediaFile
from comfydeploy.options import RequestOptions
from comfydeploy.result import Result


@overload
def file_download(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: None = None,
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[MediaFile, Error]: ...
@overload
def file_download(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: str | os.PathLike[str],
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[Path, Error]: ...
@overload
def file_download(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: IO[bytes],
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[IO[bytes], Error]: ...
def file_download(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: Target | None = None,
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[Downloaded, Error]:
    """Download a file of a run: into memory, to a path or into an open file.

    The request goes to the storage. It carries neither the token nor ``options.headers``, and no hook of the core sees
    it. Redirects are followed, at most five and never from https to http. With retries, a download that broke begins
    again, unless an open file has bytes already.

    Args:
        core: The client: its key, its server and its connections.
        file: One of ``run.files``, a ``MediaItem`` or an address.
        options: What is different for this call: timeout, retries, headers, deadline.
        to: A path, which gets the file when it is whole and keeps the mode of a file that is there, or an open binary
            file. Without it the file comes into memory.
        progress: Called with the bytes received so far and the size of the file, ``None`` where it is unknown.
        max_size: The size in bytes above which nothing is kept.

    Returns:
        ``Success`` with a ``MediaFile``, with the ``Path`` or with the open file, or ``Failure``: an
        ``SDKValidationError`` for a file of more than ``max_size`` bytes, an ``SDKError`` whose ``hint`` says so for an
        address that has expired.
    """
    return fetch(core, file, options, to, Terms(progress, max_size))


@overload
async def file_download_async(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: None = None,
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[MediaFile, Error]: ...
@overload
async def file_download_async(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: str | os.PathLike[str],
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[Path, Error]: ...
@overload
async def file_download_async(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: IO[bytes],
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[IO[bytes], Error]: ...
async def file_download_async(
    core: ComfyDeployCore,
    file: Downloadable,
    options: RequestOptions | None = None,
    *,
    to: Target | None = None,
    progress: DownloadProgress | None = None,
    max_size: int | None = None,
) -> Result[Downloaded, Error]:
    """Download a file of a run: into memory, to a path or into an open file.

    The async version of ``file_download``, which has the details.
    """
    return await fetch_async(core, file, options, to, Terms(progress, max_size))
