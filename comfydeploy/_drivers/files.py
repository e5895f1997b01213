"""Answers that are files: into memory, or piece by piece into a file of the caller's."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO, TextIOBase
from pathlib import Path
from typing import IO, Any, TypeAlias, TypeGuard, TypeVar

from comfydeploy._drivers.call import call, call_async
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.transport_errors import response_error
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, Problem, SDKValidationError
from comfydeploy.models.media_file import MediaFile
from comfydeploy.models.secret import NOTHING_SECRET
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result, Success

A = TypeVar("A")
Target: TypeAlias = str | os.PathLike[str] | IO[bytes]


def download(
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
    to: Target | None,
) -> Result[MediaFile, Error]:
    """Make a call whose answer is a file."""
    try:
        with _sink(to) as sink:
            result = call(core, operation, argument, options)
            if not isinstance(result, Success):
                return result
            reply = result.unwrap()
            response, client = reply.source
            try:
                for chunk in response.iter_bytes():
                    sink.write(chunk)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - a function never raises
                return Failure(response_error(error, "answered", closed=client.is_closed, sent=NOTHING_SECRET))
            finally:
                response.close()
            return Success(sink.finish(reply))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _unwritten(error)


async def download_async(
    core: ComfyDeployCore,
    operation: Operation[A, Reply],
    argument: A,
    options: RequestOptions | None,
    to: Target | None,
) -> Result[MediaFile, Error]:
    """Make a call whose answer is a file, awaited."""
    try:
        with _sink(to) as sink:
            result = await call_async(core, operation, argument, options)
            if not isinstance(result, Success):
                return result
            reply = result.unwrap()
            response, client = reply.source
            try:
                async for chunk in response.aiter_bytes():
                    sink.write(chunk)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - a function never raises
                return Failure(response_error(error, "answered", closed=client.is_closed, sent=NOTHING_SECRET))
            finally:
                await response.aclose()
            return Success(sink.finish(reply))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _unwritten(error)


class _Sink:
    """Where the bytes go, how many they were and whether they were all."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = 0
        self.is_whole = False

    def write(self, data: bytes) -> None:
        self._size += len(data)
        while type(written := self._file.write(data)) is int and 0 < written < len(data):  # a file without a buffer
            data = data[written:]

    def finish(self, reply: Reply) -> MediaFile:
        self.is_whole = True
        content = self._file.getvalue() if type(self._file) is _Memory else b""
        return MediaFile(content_type=reply.content_type, size=self._size, content=content)


class _Memory(BytesIO):
    """The sink of a caller who named none."""


@contextmanager
def _sink(to: Target | None) -> Generator[_Sink]:
    """Open what is written to before anything is paid for; a path has its file when that is whole, and not before."""
    if to is None:
        yield _Sink(_Memory())
    elif isinstance(to, str | os.PathLike):
        path, part, file = _opened(to)
        try:
            with file:
                sink = _Sink(file)
                yield sink
            if sink.is_whole:
                part.replace(path)
        finally:
            if part != path:
                part.unlink(missing_ok=True)
    elif _is_writable(to):
        yield _Sink(to)
    else:
        raise _unwritable(f"expected a path or a binary file open for writing, got {type(to).__name__}")


def _opened(to: "str | os.PathLike[str]") -> tuple[Path, Path, IO[bytes]]:
    try:
        path = Path(os.path.realpath(to))  # a link stays one, and what it leads to is replaced
        if path.exists() and not path.is_file():  # a device or a pipe; a folder cannot be opened
            return path, path, path.open("wb")
        # A name of its own: the same file may be asked for twice at a time.
        part = path.with_name(f"{path.name}.{os.urandom(4).hex()}.part")
        return path, part, part.open("xb")
    except OSError as error:
        raise _unwritable(f"cannot be written: {error.strerror}: {to}") from None
    except Exception as error:  # noqa: BLE001 - whatever a strange path may do
        raise _unwritable(f"expected a path: {error}") from None


def _is_writable(to: Any) -> TypeGuard[IO[bytes]]:
    try:
        mode = getattr(to, "mode", None)
        is_text = isinstance(to, TextIOBase) or (isinstance(mode, str) and "b" not in mode)
        return callable(to.write) and not is_text and getattr(to, "writable", lambda: True)()
    except Exception:  # noqa: BLE001 - a closed one, or a strange one
        return False


def _unwritable(reason: str) -> SDKValidationError:
    return SDKValidationError(f"to: {reason}", (Problem("$.to", reason),))


def _unwritten(error: Exception) -> Failure[Error]:
    if isinstance(error, SDKValidationError):
        return Failure(error.with_traceback(None))
    return Failure(response_error(error, "answered", closed=False, sent=NOTHING_SECRET))
