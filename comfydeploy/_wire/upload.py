"""A file to upload: checked before anything is sent, read in pieces while it is sent."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import SEEK_END, BytesIO, TextIOBase
from mimetypes import guess_type
from pathlib import Path, PurePath
from typing import IO, Any, Final, TypeAlias

from attrs import field, frozen

from comfydeploy._wire.arguments import invalid_argument

Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
Progress: TypeAlias = Callable[[int, int], object]

LIMIT: Final = 250 * 1024 * 1024
_KINDS: Final = ("image", "video", "audio", "application")
# The server refuses these, whatever this machine takes them for.
_REFUSED: Final = frozenset({".txt", ".md", ".csv", ".glb", ".gltf", ".obj", ".stl"})


@frozen
class Upload:
    """A file with the name by which the server judges it, its size in bytes and its progress callback."""

    name: str
    size: int
    source: Any = field(repr=False)
    start: int = 0
    progress: Progress | None = field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        """The media type by the name."""
        return guess_type(self.name)[0] or "application/octet-stream"

    @contextmanager
    def opened(self) -> Generator["Window"]:
        """Open the file at its start, for one attempt."""
        if isinstance(self.source, bytes):
            yield Window(BytesIO(self.source), self)
        elif isinstance(self.source, Path):
            with self.source.open("rb") as file:
                yield Window(file, self)
        else:
            self.source.seek(self.start)
            yield Window(self.source, self)


class Window:
    """The part of a file that is sent, as a file of its own; reading it reports the progress."""

    def __init__(self, file: IO[bytes], upload: Upload) -> None:
        self._file, self._upload = file, upload

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        left = self._upload.size - self.tell()  # what was announced, also of a file that grows while it is sent
        data = self._file.read(left if size < 0 else min(size, left))
        if len(data) == 0 < left:
            raise OSError(f"{self._upload.name!r} became shorter while it was sent")
        if data and self._upload.progress is not None:
            self._upload.progress(self.tell(), self._upload.size)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset from the start of the upload, or from its end."""
        base = self._upload.start + (self._upload.size if whence == SEEK_END else 0)
        return self._file.seek(base + offset) - self._upload.start

    def tell(self) -> int:
        """Return the offset from the start of the upload."""
        return self._file.tell() - self._upload.start


def checked_upload(file: Any, name: Any, progress: Any) -> Upload:
    """Return the upload of a path, of bytes or of a binary file; ``SDKValidationError`` for what the server refuses."""
    if name is not None and (not isinstance(name, str) or not name):
        raise invalid_argument("name", f"expected a file name, got {name!r}", name)
    source = file
    start, own = 0, None
    try:
        if isinstance(file, bytes):
            size = len(file)
        elif isinstance(file, str | os.PathLike):
            source = Path(source)
            size, own = source.stat().st_size, source.name
            if not source.is_file():
                raise invalid_argument("file", f"expected a file, {source} is not one")
        elif isinstance(file, TextIOBase):
            raise invalid_argument("file", "expected a file opened in binary mode")
        else:
            start = file.tell()
            size = file.seek(0, SEEK_END) - start
            own = file.name
    except AttributeError:
        raise invalid_argument(
            "file", f"expected a path, bytes or a binary file, got {type(source).__name__}", None
        ) from None
    except (OSError, ValueError) as error:
        raise invalid_argument("file", f"cannot be read: {error}") from None
    named = name or (PurePath(own).name if isinstance(own, str) else None)
    if not named:
        raise invalid_argument("name", "required: the server judges a file by its name")
    upload = Upload(named, size, source, start, progress)
    _check_accepted(upload)
    return upload


def _check_accepted(upload: Upload) -> None:
    if upload.progress is not None and not callable(upload.progress):
        raise invalid_argument("progress", f"expected a function, got {type(upload.progress).__name__}")
    if upload.name != upload.name.encode(errors="replace").decode():
        raise invalid_argument("name", f"cannot be encoded as UTF-8: {upload.name!r}", upload.name)
    if upload.size > LIMIT:
        raise invalid_argument("file", f"expected at most {LIMIT:,} bytes, got {upload.size:,}")
    is_refused = PurePath(upload.name).suffix.lower() in _REFUSED
    if is_refused or upload.media_type.partition("/")[0] not in _KINDS:
        raise invalid_argument(
            "name", f"expected an image, video, audio or application file, got {upload.name!r}", upload.name
        )
