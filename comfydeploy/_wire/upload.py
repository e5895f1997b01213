"""A file on its way to the server: checked before anything is sent, read in pieces as it goes."""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from io import SEEK_END, BytesIO, TextIOBase
from mimetypes import guess_type
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

from attrs import field, frozen

from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.request import Request
from comfydeploy.errors import Problem, SDKValidationError

if TYPE_CHECKING:
    from comfydeploy.models.file_upload import FileUploadResponse

Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
Progress: TypeAlias = Callable[[int, int], object]

LIMIT: Final = 250 * 1024 * 1024
_KINDS: Final = ("image", "video", "audio", "application")
# The server refuses these, whatever this machine takes them for.
_REFUSED: Final = frozenset({".txt", ".md", ".csv", ".glb", ".gltf", ".obj", ".stl"})


@frozen
class Upload:
    """A file with the name that the server judges it by, its size in bytes and who is told how far it is."""

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
        """Give the file from where it started, for one attempt."""
        if isinstance(self.source, bytes):
            yield Window(BytesIO(self.source), self)
        elif isinstance(self.source, Path):
            with self.source.open("rb") as file:
                yield Window(file, self)
        else:
            self.source.seek(self.start)
            yield Window(self.source, self)


class Window:
    """The part of a file that is sent, as a file of its own; it tells how far it was read."""

    def __init__(self, file: IO[bytes], upload: Upload) -> None:
        self._file, self._upload = file, upload

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        left = self._upload.size - self.tell()  # what was announced, also of a file that grows meanwhile
        data = self._file.read(left if size < 0 else min(size, left))
        if len(data) == 0 < left:
            raise OSError(f"{self._upload.name!r} became shorter while it was sent")
        if data and self._upload.progress is not None:
            self._upload.progress(self.tell(), self._upload.size)
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place, counted from where the upload starts, or from where it ends."""
        base = self._upload.start + (self._upload.size if whence == SEEK_END else 0)
        return self._file.seek(base + place) - self._upload.start

    def tell(self) -> int:
        """Give the place, counted from where the upload starts."""
        return self._file.tell() - self._upload.start


def uploading(name: str, path: str) -> "Operation[Mapping[str, Any], FileUploadResponse]":
    """Give an operation that sends a ``file``, with its ``name`` and a ``progress``, and answers with its address."""
    from comfydeploy.models.file_upload import FileUploadResponse

    def encode(parameters: Mapping[str, Any]) -> Request:
        return Request("POST", path, upload=checked_upload(**parameters))

    return Operation(name, encode, returning(FileUploadResponse), read_timeout=300.0)


def checked_upload(file: Any, name: Any, progress: Any) -> Upload:
    """Give the upload of a path, of bytes or of a binary file; ``SDKValidationError`` says what the server refuses."""
    if name is not None and (not isinstance(name, str) or not name):
        raise _wrong("name", f"expected a file name, got {name!r}", name)
    source = file
    start, own = 0, None
    try:
        if isinstance(file, bytes):
            size = len(file)
        elif isinstance(file, str | os.PathLike):
            source = Path(source)
            size, own = source.stat().st_size, source.name
            if not source.is_file():
                raise _wrong("file", f"expected a file, {source} is none", None)
        elif isinstance(file, TextIOBase):
            raise _wrong("file", "expected a file opened in binary mode", None)
        else:
            start = file.tell()
            size = file.seek(0, SEEK_END) - start
            own = getattr(file, "name", None)
    except AttributeError:
        raise _wrong("file", f"expected a path, bytes or a binary file, got {type(source).__name__}", None) from None
    except (OSError, ValueError) as error:
        raise _wrong("file", f"cannot be read: {error}", None) from None
    named = name or (PurePath(own).name if isinstance(own, str) else None)
    if not named:
        raise _wrong("name", "required: the server judges a file by its name", None)
    upload = Upload(named, size, source, start, progress)
    _check_accepted(upload)
    return upload


def _check_accepted(upload: Upload) -> None:
    if upload.progress is not None and not callable(upload.progress):
        raise _wrong("progress", f"expected a function, got {type(upload.progress).__name__}", None)
    if upload.name != upload.name.encode(errors="replace").decode():
        raise _wrong("name", f"expected a name that UTF-8 can say, got {upload.name!r}", upload.name)
    if upload.size > LIMIT:
        raise _wrong("file", f"expected at most {LIMIT:,} bytes, got {upload.size:,}", None)
    is_refused = PurePath(upload.name).suffix.lower() in _REFUSED
    if is_refused or upload.media_type.partition("/")[0] not in _KINDS:
        raise _wrong("name", f"expected an image, video, audio or application file, got {upload.name!r}", upload.name)


def _wrong(name: str, reason: str, value: object) -> SDKValidationError:
    return SDKValidationError(f"{name}: {reason}", (Problem(f"$.{name}", reason),), value)
