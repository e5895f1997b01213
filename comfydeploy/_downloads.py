"""Answers that are files: into memory, or piece by piece into a file of the caller's."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO, TextIOBase
from pathlib import Path
from typing import IO, TypeAlias, TypeGuard, TypeVar

from comfydeploy._drivers import call, call_async
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.troubles import lost
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, Problem, SDKValidationError
from comfydeploy.models.media_file import MediaFile
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
                return Failure(lost(error, "answered", closed=client.is_closed))
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
                return Failure(lost(error, "answered", closed=client.is_closed))
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
        self._file.write(data)
        self._size += len(data)

    def finish(self, reply: Reply) -> MediaFile:
        self.is_whole = True
        content = self._file.getvalue() if type(self._file) is _Memory else b""
        return MediaFile(content_type=reply.content_type, size=self._size, content=content)


class _Memory(BytesIO):
    """The sink of a caller who named none."""


@contextmanager
def _sink(to: object) -> Generator[_Sink]:
    """Open what is written to before anything is paid for; a path has its file when that is whole, and not before."""
    if to is None:
        yield _Sink(_Memory())
    elif isinstance(to, str | Path | os.PathLike):
        try:
            path = Path(os.fspath(to))
            if path.is_dir():
                raise IsADirectoryError(f"{path} is a folder")
            part = path.with_name(f"{path.name}.part")
            file = part.open("wb")
        except (OSError, ValueError) as error:
            raise _unwritable(str(error)) from None
        try:
            with file:
                sink = _Sink(file)
                yield sink
            if sink.is_whole:
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    elif _is_writable(to):
        yield _Sink(to)
    else:
        raise _unwritable(f"expected a path or a binary file, got {type(to).__name__}")


def _is_writable(to: object) -> TypeGuard[IO[bytes]]:
    return hasattr(type(to), "write") and not isinstance(to, TextIOBase)


def _unwritable(reason: str) -> SDKValidationError:
    return SDKValidationError(f"to: {reason}", (Problem("$.to", reason),))


def _unwritten(error: Exception) -> Failure[Error]:
    if isinstance(error, SDKValidationError):
        return Failure(error.with_traceback(None))
    return Failure(lost(error, "answered", closed=False))
