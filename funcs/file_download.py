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
    """Download a file: into memory (a ``MediaFile``), under a name (its ``Path``) or into an open file (that file).

    ``file`` is one of ``run.files``, a ``MediaItem`` or an address. A path has its file when that is whole, and not
    before; an existing file keeps its mode. ``progress(received, size)`` gets the bytes of the body, with ``None`` for
    an unknown size. A file of more than ``max_size`` bytes is an ``SDKValidationError``. The storage gets neither the
    token nor ``options.headers``, and no hook of the core sees the request. Redirects are followed, at most five and
    never from https to http. With retries, a download that broke begins again, unless an open file has bytes already.
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
    """Do what ``file_download`` does, async."""
    return await fetch_async(core, file, options, to, Terms(progress, max_size))
