"""The target of a file: memory, a path, or an open file of the caller."""

import os
import time
from _thread import allocate_lock
from contextlib import suppress
from errno import ENXIO
from io import BytesIO, RawIOBase, TextIOBase
from pathlib import Path
from stat import S_IMODE
from typing import IO, Any, Final, TypeAlias, TypeGuard

from comfydeploy._wire.arguments import invalid_argument

Target: TypeAlias = str | os.PathLike[str] | IO[bytes]

_POLL: Final = 0.02  # seconds between two checks whether a pipe has a reader, or the wait was stopped


class Sink:
    """Writes the bytes of a file. A file appears at its path only when it is complete.

    All methods block; ``close`` and ``stop`` may be called while another one runs in another thread.
    """

    def __init__(self, to: Any) -> None:
        """Raise ``SDKValidationError`` for what cannot be written to."""
        self.size = 0
        self.is_in_memory = to is None
        self._to = to
        self._path: Path | None = None
        self._part: Path | None = None
        self._file: Any = None
        self._is_stopped = False
        self._lock = allocate_lock()
        if not (to is None or is_path(to) or _is_writable(to)):
            raise _unwritable(f"expected a path or a binary file open for writing, got {type(to).__name__}")

    def open(self) -> None:
        """Open the target, before a request is billed."""
        with self._lock:
            self._check_open()
            if self.is_in_memory:
                self._file = BytesIO()
            elif is_path(self._to):
                self._open_path(self._to)
            else:
                self._file = self._to

    def write(self, data: bytes) -> None:
        """Write all of the bytes, also to a file that accepts a part of them, or none for a while."""
        with self._lock:
            self._check_open()
            self.size += len(data)
            while data:
                try:
                    written = self._file.write(data)
                except BlockingIOError as error:  # of a buffer before a file that does not block
                    written, is_full = error.characters_written, True
                else:
                    is_full = written == 0 or (written is None and isinstance(self._file, RawIOBase))
                if is_full:
                    self._wait()
                elif type(written) is not int:  # such as None from a file class of the caller
                    return
                data = data[written or 0 :]

    def restart(self) -> bool:
        """Discard what was written, if that is possible; return whether the sink is empty."""
        with self._lock:
            if self._part is not None or self.is_in_memory:
                self._file.seek(0)
                self._file.truncate()
                self.size = 0
            return self.size == 0

    def commit(self) -> bytes:
        """Move a complete file to its path; return the bytes of one in memory."""
        with self._lock:
            if self.is_in_memory:
                content: bytes = self._file.getvalue()
                return content
            if self._path is not None:
                self._file.close()  # which may fail on a full disk
            if self._path is not None and self._part is not None:
                self._part.replace(self._path)
                self._part = None
            return b""

    def stop(self) -> None:
        """End a wait for the reader of a pipe."""
        self._is_stopped = True

    def close(self) -> None:
        """Close what was opened; remove an incomplete file."""
        with self._lock:
            if self._path is not None and self._file is not None:
                with suppress(OSError):
                    self._file.close()
            if self._part is not None:
                with suppress(OSError):
                    self._part.unlink(missing_ok=True)

    def _check_open(self) -> None:
        if self._is_stopped:  # the caller has left while a thread was at work, or before it began
            raise OSError("the target was closed")

    def _open_path(self, to: "str | os.PathLike[str]") -> None:
        try:
            path = self._path = Path(os.path.realpath(to))  # a link stays one, and what it leads to is replaced
            if path.is_fifo():
                self._file = self._opened_pipe(path)
            elif path.exists() and not path.is_file():  # a device; a folder cannot be opened
                self._file = path.open("wb")
            else:
                self._open_part(path)
        except OSError as error:
            raise _unwritable(f"cannot be written: {error.strerror}: {to}") from None
        except Exception as error:  # noqa: BLE001 - a path may be of any class
            raise _unwritable(f"expected a path: {error}") from None

    def _open_part(self, path: Path) -> None:
        # A random name, because the same file may be downloaded twice at a time; a short one, because the name of the
        # file may already have the maximum length.
        part = path.with_name(f".{os.urandom(6).hex()}.part")
        old = path.stat() if path.exists() else None
        self._part = part  # before it exists, so that a Ctrl-C from here on removes it
        self._file = open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o666 if old is None else 0o600))  # noqa: SIM115 - `close` closes it; only `open` takes an opener
        if old is not None:
            with suppress(OSError):  # not every file system has modes, and not every user may set them
                part.chmod(S_IMODE(old.st_mode))

    def _opened_pipe(self, path: Path) -> IO[bytes]:
        # Non-blocking, so that neither a missing nor a slow reader holds a thread for good.
        while True:
            try:
                return open(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "wb", buffering=0)  # noqa: PTH123 - as above
            except OSError as error:
                if error.errno != ENXIO or self._is_stopped:
                    raise
            time.sleep(_POLL)

    def _wait(self) -> None:
        from selectors import EVENT_WRITE, DefaultSelector

        with DefaultSelector() as selector:
            try:
                selector.register(self._file, EVENT_WRITE)
            except (ValueError, OSError):
                raise OSError("the target accepts no bytes") from None
            while not selector.select(_POLL):
                if self._is_stopped:
                    raise OSError("the wait for the target was stopped")


def is_path(to: object) -> TypeGuard[str | os.PathLike[str]]:
    """Check whether a target is a path."""
    return isinstance(to, str | os.PathLike)


def _is_writable(to: Any) -> bool:
    try:
        mode = getattr(to, "mode", None)
        is_text = isinstance(to, TextIOBase) or (isinstance(mode, str) and "b" not in mode)
        return callable(to.write) and not is_text and bool(getattr(to, "writable", lambda: True)())
    except Exception:  # noqa: BLE001 - a closed one, or one of any class
        return False


def _unwritable(reason: str) -> Exception:
    return invalid_argument("to", reason)
