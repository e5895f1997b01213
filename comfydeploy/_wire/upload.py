"""A file to upload: checked before anything is sent, read in pieces while it is sent."""

import os
from _thread import allocate_lock
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from inspect import iscoroutinefunction
from io import SEEK_END, BufferedRandom, BufferedReader, BytesIO, FileIO, IOBase
from mimetypes import guess_type
from pathlib import Path, PurePath
from typing import IO, Any, Final, Protocol, TypeAlias, TypeGuard

from attrs import field, frozen

from comfydeploy._wire.arguments import invalid_argument


class FormFile(Protocol):
    """A file of a form, from a web framework, such as Starlette's ``UploadFile`` or Flask's ``FileStorage``."""

    @property
    def filename(self) -> str | None:
        """The file's name from its sender."""
        ...


Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | FormFile
Progress: TypeAlias = Callable[[int, int], object]

LIMIT: Final = 250 * 1024 * 1024
STORAGE_LIMIT: Final = 5 * 1024**3
"""The most that S3 takes in one request."""
_KINDS: Final = ("image", "video", "audio", "application")
# The server refuses these, whatever media type this machine has for them.
_REFUSED: Final = frozenset({".txt", ".md", ".csv", ".glb", ".gltf", ".obj", ".stl"})
_EXPECTED: Final = "expected a path, bytes or a binary file"
# Characters that would end the quoted name, escaped as in httpx.
_ESCAPES: Final = {code: f"%{code:02X}" for code in (*range(0x20), ord('"'), 0x7F)} | {ord("\\"): "\\\\"}

_PREAD: Final[Callable[[int, int, int], bytes] | None] = getattr(os, "pread", None)  # missing on Windows
# The files that are read by moving their position, by id. With the process, because a fork copies the entries.
_MOVING: Final[dict[int, tuple[int, object]]] = {}


@frozen
class Upload:
    """A file with the name that the server checks, its size in bytes and its progress callback.

    ``source`` is a path, bytes, or an open file whose part from ``start`` on is sent.
    """

    name: str
    size: int
    source: Any = field(repr=False)
    start: int = 0
    progress: Progress | None = field(default=None, repr=False)
    boundary: str = field(factory=lambda: os.urandom(16).hex(), repr=False, eq=False)

    @property
    def media_type(self) -> str:
        """The media type of the name."""
        return guess_type(self.name)[0] or "application/octet-stream"

    @property
    def head(self) -> bytes:
        """The part of the form before the bytes of the file."""
        return (
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{self.name.translate(_ESCAPES)}"\r\n'
            f"Content-Type: {self.media_type}\r\n\r\n"
        ).encode()

    @property
    def tail(self) -> bytes:
        """The part of the form after the bytes of the file."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that describe the form."""
        return {
            "content-type": f"multipart/form-data; boundary={self.boundary}",
            "content-length": str(len(self.head) + self.size + len(self.tail)),
        }


class StorageUpload(Upload):
    """A file that is sent as it is, to a signed address of a storage."""

    @property
    def head(self) -> bytes:
        """Nothing: the body is the file."""
        return b""

    @property
    def tail(self) -> bytes:
        """Nothing: the body is the file."""
        return b""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that describe the file."""
        return {"content-type": self.media_type, "content-length": str(self.size)}


class Window:
    """The bytes of an upload, read in order for one attempt. ``close`` waits for a read in another thread."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self._sent = 0
        self._is_closed = False
        self._lock = allocate_lock()
        self._read: Callable[[int], bytes] | None = None
        self._close: Callable[[], object] | None = None

    def open(self) -> None:
        """Open the file at its start."""
        source = self.upload.source
        with self._lock:
            if self._is_closed:  # the caller has left before a thread began
                return
            if isinstance(source, bytes):
                self._read = self._part_of_bytes
            elif isinstance(source, Path):
                file = source.open("rb")
                self._read, self._close = file.read, file.close
            elif _is_plain(source):
                self._read = self._part_of_file
            else:
                claim = _claimed(source)
                claim.__enter__()
                self._close = lambda: claim.__exit__(None, None, None)
                source.seek(self.upload.start)
                self._read = source.read

    def read(self, size: int) -> bytes:
        """Read the next bytes; return none at the end."""
        left = self.upload.size - self._sent  # the announced size, also of a file that grows while it is sent
        with self._lock:
            if left == 0 or self._read is None:
                return b""
            data = self._read(min(size, left))
        if not data:
            raise OSError(f"{self.upload.name!r} became shorter while it was sent")
        self._sent += len(data)
        return data

    def close(self) -> None:
        """Close a file that ``open`` opened; restore the position of any other."""
        with self._lock:
            self._is_closed, self._read = True, None
            close, self._close = self._close, None
            if close is not None:
                close()

    def _part_of_bytes(self, size: int) -> bytes:
        data: bytes = self.upload.source
        return data[self._sent : self._sent + size]

    def _part_of_file(self, size: int) -> bytes:
        # Reads without moving the position, so that another upload of the same file is independent. The descriptor is
        # looked up each time, because that of a closed file may now belong to another file.
        return os.pread(self.upload.source.fileno(), size, self.upload.start + self._sent)


def checked_upload(file: Any, name: Any, progress: Any) -> Upload:
    """Return the upload of a path, of bytes or of a binary file; ``SDKValidationError`` for what the server refuses."""
    upload = Upload(*_checked(file, name, progress, LIMIT))
    _check_kind(upload)
    return upload


def checked_storage_upload(file: Any, name: Any, progress: Any) -> StorageUpload:
    """Return the same for a storage, which takes files of every kind."""
    return StorageUpload(*_checked(file, name, progress, STORAGE_LIMIT))


def _checked(file: Any, name: Any, progress: Any, limit: int) -> tuple[str, int, Any, int, Any]:
    """Return the name, the size, the source, the start and the callback of an upload, each checked."""
    if name is not None and (not isinstance(name, str) or not name):
        raise invalid_argument("name", f"expected a file name, got {name!r}", name)
    try:
        source, start, size, own = _examined(file)
    except (AttributeError, TypeError):
        raise invalid_argument("file", f"{_EXPECTED}, got {type(file).__name__}") from None
    except (OSError, ValueError, NotImplementedError) as error:
        raise invalid_argument("file", f"cannot be read: {error}") from None
    named = name or (PurePath(own).name if isinstance(own, str) else None)
    if not named:
        raise invalid_argument("name", "required: the server checks the name of the file")
    if progress is not None and not callable(progress):
        raise invalid_argument("progress", f"expected a function, got {type(progress).__name__}")
    if named != named.encode(errors="replace").decode():
        raise invalid_argument("name", f"cannot be encoded as UTF-8: {named!r}", named)
    if size > limit:
        raise invalid_argument("file", f"expected at most {limit:,} bytes, got {size:,}")
    return named, size, source, start, progress


def _examined(file: Any) -> tuple[Any, int, int, object]:
    """Return the source, the start, the number of bytes, and the file's own name."""
    if isinstance(file, bytes):
        return file, 0, len(file), None
    if _is_path(file):
        path = Path(file)
        size = path.stat().st_size
        if not path.is_file():
            raise invalid_argument("file", f"expected a file, {path} is not one")
        return path, 0, size, path.name
    # In a framework's file `name` may be the name of the form's field.
    own: object = getattr(file, "name", None)
    if not _is_of_python(file):
        own = getattr(file, "filename", own)
    if iscoroutinefunction(file.read):  # as Starlette's UploadFile
        file = getattr(file, "file", None)
        if file is None:
            raise invalid_argument("file", f"{_EXPECTED}, got one whose read() is async")
    if isinstance(file.read(0), str):
        raise invalid_argument("file", "expected a file opened in binary mode, got one in text mode")
    if type(file) is BytesIO:
        content = file.getvalue()[file.tell() :]
        return content, 0, len(content), own
    if _is_plain(file):
        file.flush()
        start = file.tell()
        return file, start, max(os.fstat(file.fileno()).st_size - start, 0), own
    with _claimed(file) as start:
        file.seek(0, SEEK_END)  # some files return nothing here
        size = file.tell() - start
    return file, start, size, own


def _is_path(file: object) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(file, str | os.PathLike)


def _is_of_python(file: object) -> bool:
    return isinstance(file, IOBase)


def _is_plain(file: Any) -> bool:
    """Check whether a file is one of the system, with at most a buffer before its bytes."""
    is_known = type(file) in (BufferedReader, BufferedRandom, FileIO)
    return _PREAD is not None and is_known and type(getattr(file, "raw", file)) is FileIO


@contextmanager
def _claimed(file: Any) -> Generator[int]:
    """Move the position of a file as its only reader; yield the position, and restore it at the end."""
    claim = (os.getpid(), object())
    held = _MOVING.setdefault(id(file), claim)
    if held is not claim and held[0] == claim[0]:
        raise invalid_argument("file", "another upload is reading it: open the file once for each upload")
    _MOVING[id(file)] = claim
    try:
        start = file.tell()
        yield start
        with suppress(Exception):  # the caller may have closed it
            file.seek(start)
    finally:
        _MOVING.pop(id(file), None)


def _check_kind(upload: Upload) -> None:
    is_refused = PurePath(upload.name).suffix.lower() in _REFUSED
    if is_refused or upload.media_type.partition("/")[0] not in _KINDS:
        raise invalid_argument(
            "name", f"expected an image, video, audio or application file, got {upload.name!r}", upload.name
        )
