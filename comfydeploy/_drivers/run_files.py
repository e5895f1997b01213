"""Saving the files of a run to a folder: several at once, and never over another file."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from attrs import frozen

from comfydeploy._drivers.call import call, call_async, check_core
from comfydeploy._drivers.files import unwritten
from comfydeploy._drivers.receiving import Terms
from comfydeploy._drivers.sinks import Target
from comfydeploy._drivers.storage import fetch, fetch_async
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.file_names import candidates, file_names
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.storage import is_expired
from comfydeploy._wire.transport_errors import response_error
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.output_file import OutputFile
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.saved_files import SavedFiles
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import DownloadIncomplete
from comfydeploy.result import Failure, Result, Success

RunGet: TypeAlias = Operation[Mapping[str, Any], WorkflowRunModel]
Saved: TypeAlias = Result[list[Path], DownloadIncomplete | Error]

_EVERYTHING: Final = Terms()


class SaveTerms(Protocol):
    """The target of the files of a run."""

    @property
    def at_once(self) -> int:
        """The number of files that are received at a time."""
        ...

    def check(self) -> None:
        """Raise ``SDKValidationError`` for wrong arguments."""
        ...

    def files(self, run: WorkflowRunModel) -> "RunFiles":
        """Return the files of a run, each with its name; this may create folders."""
        ...


@frozen
class FolderTerms:
    """A folder as the target: the template of the names, and the number of files that are received at a time."""

    to: Any
    name: str
    at_once: int

    def check(self) -> None:
        """Raise ``SDKValidationError`` for wrong arguments."""
        if type(self.at_once) is not int or self.at_once < 1:
            raise invalid_argument("at_once", f"expected an integer not below 1, got {self.at_once!r}")
        file_names("", [OutputFile(url="", filename="a.png", kind="images")], self.name)

    def files(self, run: WorkflowRunModel) -> "RunFiles":
        """Return the files of a run."""
        return _Folder(run, self)


class RunFiles(ABC):
    """The files of one run, and the result of each."""

    def __init__(self, run: WorkflowRunModel) -> None:
        self.run_id = run.id
        self.files = run.files
        self.results: dict[int, Result[Path, Error]] = {}

    @abstractmethod
    def target(self, index: int) -> Target:
        """Return the target in which a file is received."""

    @abstractmethod
    def place(self, index: int, target: Target, result: Result[Any, Error]) -> None:
        """Move a received file to its name, and keep the result."""

    @abstractmethod
    def drop(self, target: Target) -> None:
        """Remove the received part of a file."""

    @property
    def indexes(self) -> list[int]:
        """Return the files that are not received yet, or whose address has expired."""
        return [index for index in range(len(self.files)) if self._is_open(index)]

    def _is_open(self, index: int) -> bool:
        result = self.results.get(index)
        return result is None or (not isinstance(result, Success) and is_expired(result.failure()))

    def renew(self, run: WorkflowRunModel) -> None:
        """Replace the addresses of the files with those of a run that was read again."""
        fresh: list[OutputFile] = run.files
        for index in self.indexes:
            if index < len(fresh) and fresh[index].filename == self.files[index].filename:
                self.files[index] = fresh[index]

    @property
    def saved(self) -> Saved:
        """The paths of all files, or the missing files."""
        results = [self.results[index] for index in range(len(self.files))]
        paths = [result.unwrap() for result in results if isinstance(result, Success)]
        missing = [
            (file, result.failure())
            for file, result in zip(self.files, results, strict=True)
            if not isinstance(result, Success)
        ]
        if not missing:
            return Success(SavedFiles(paths))
        reason = f"{len(missing)} of {len(results)} files were not saved; the first: {missing[0][1].message}"
        return Failure(DownloadIncomplete(reason, self.run_id, tuple(paths), tuple(missing)))


class _Folder(RunFiles):
    """Files that never replace another file."""

    def __init__(self, run: WorkflowRunModel, terms: FolderTerms) -> None:
        super().__init__(run)
        self._names = file_names(run.id, self.files, terms.name)
        self._path = _made(terms.to)

    def target(self, index: int) -> Path:  # noqa: ARG002 - a random name
        """Return a temporary name for a file that is being received."""
        return self._path / f".{os.urandom(6).hex()}.part"

    def place(self, index: int, target: Any, result: Result[Any, Error]) -> None:
        """Move a received file to its name, or to the next free one."""
        try:
            if isinstance(result, Success):
                result = Success(_linked(target, self._path, self._names[index]))
        except OSError as error:
            result = Failure(response_error(error, "answered", closed=False))
        finally:
            self.drop(target)
        self.results[index] = result

    def drop(self, target: Any) -> None:
        """Remove a temporary file."""
        target.unlink(missing_ok=True)


def save(
    core: ComfyDeployCore, run_get: RunGet, run_or_id: Any, options: RequestOptions | None, terms: SaveTerms
) -> Saved:
    """Save all files of a run."""
    from concurrent.futures import ThreadPoolExecutor

    try:
        check_core(core)
        terms.check()
        run = _given(run_or_id) or _read(core, run_get, run_or_id, options)
        if isinstance(run, Failure):
            return run
        files = terms.files(run)

        def receive(index: int) -> None:
            target = files.target(index)
            files.place(index, target, fetch(core, files.files[index], options, target, _EVERYTHING))

        def receive_all() -> None:
            pool = ThreadPoolExecutor(terms.at_once)
            try:
                list(pool.map(receive, files.indexes))
            finally:
                pool.shutdown(cancel_futures=True)

        receive_all()
        if files.indexes:
            again = _read(core, run_get, files.run_id, options)
            if not isinstance(again, Failure):
                files.renew(again)
                receive_all()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return unwritten(error)
    return files.saved


async def save_async(
    core: ComfyDeployCore, run_get: RunGet, run_or_id: Any, options: RequestOptions | None, terms: SaveTerms
) -> Saved:
    """Save all files of a run, async."""
    from asyncio import Semaphore, TaskGroup, to_thread

    try:
        check_core(core)
        terms.check()
        run = _given(run_or_id) or await _read_async(core, run_get, run_or_id, options)
        if isinstance(run, Failure):
            return run
        files = await to_thread(terms.files, run)
        turn = Semaphore(terms.at_once)

        async def receive(index: int) -> None:
            async with turn:
                target = await _target(files, index)
                try:
                    result = await fetch_async(core, files.files[index], options, target, _EVERYTHING)
                    await to_thread(files.place, index, target, result)
                except BaseException:  # a cancellation between the two
                    files.drop(target)
                    raise

        async def receive_all() -> None:
            async with TaskGroup() as group:
                for index in files.indexes:
                    group.create_task(receive(index))

        await receive_all()
        if files.indexes:
            again = await _read_async(core, run_get, files.run_id, options)
            if not isinstance(again, Failure):
                files.renew(again)
                await receive_all()
    except Exception as error:  # noqa: BLE001 - a function never raises
        of_tasks: tuple[Exception, ...] = getattr(error, "exceptions", (error,))
        found = of_tasks[0]
        if isinstance(found, MemoryError):
            raise found from None
        return unwritten(found)
    return files.saved


async def _target(files: RunFiles, index: int) -> Target:
    """Return the target of a file, made in a thread; one that is made for a cancelled task is dropped."""
    from asyncio import get_running_loop, shield

    made = get_running_loop().run_in_executor(None, files.target, index)
    try:
        return await shield(made)
    except BaseException:
        made.add_done_callback(lambda done: None if done.exception() else files.drop(done.result()))
        raise


def _given(run_or_id: Any) -> WorkflowRunModel | None:
    return run_or_id if isinstance(run_or_id, WorkflowRunModel) else None


def _read(
    core: ComfyDeployCore, run_get: RunGet, run_id: Any, options: RequestOptions | None
) -> WorkflowRunModel | Failure[Error]:
    result = call(core, run_get, {"run_id": run_id, "queue_position": None}, options)
    return result.unwrap() if isinstance(result, Success) else result


async def _read_async(
    core: ComfyDeployCore, run_get: RunGet, run_id: Any, options: RequestOptions | None
) -> WorkflowRunModel | Failure[Error]:
    result = await call_async(core, run_get, {"run_id": run_id, "queue_position": None}, options)
    return result.unwrap() if isinstance(result, Success) else result


def _made(to: Any) -> Path:
    try:
        path = Path(to)
        path.mkdir(parents=True, exist_ok=True)
    except Exception as error:  # noqa: BLE001 - a path may be of any class
        raise invalid_argument("to", f"expected a folder: {error}") from None
    return path


def _linked(part: Path, folder: Path, name: str) -> Path:
    tried = (folder / candidate for candidate in candidates(name))
    return next(path for path in tried if _is_linked(part, path))


def _is_linked(part: Path, path: Path) -> bool:
    """Move a file to a name; return ``False`` where the name is taken."""
    try:
        os.link(part, path)  # unlike a rename, this never replaces a file
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        part.rename(path)
    return True
