"""Saving the files of a run to a folder: several at once, and never over another file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import frozen

from comfydeploy._drivers.call import call, call_async, check_core
from comfydeploy._drivers.files import unwritten
from comfydeploy._drivers.receiving import Terms
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


@frozen
class FolderTerms:
    """Where the files of a run go: the folder, the template of their names, and how many are received at once."""

    to: Any
    name: str
    at_once: int


class _Folder:
    """The files of one run, and the result of each."""

    def __init__(self, run: WorkflowRunModel, terms: FolderTerms) -> None:
        self.run_id = run.id
        self.files = run.files
        self.names = file_names(run.id, self.files, terms.name)
        self.path = _made(terms.to)
        self.results: dict[int, Result[Path, Error]] = {}

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

    def part(self) -> Path:
        """Return a temporary name for a file that is being received."""
        return self.path / f".{os.urandom(6).hex()}.part"

    def place(self, index: int, part: Path, result: Result[Any, Error]) -> None:
        """Move a received file to its name, or to the next free one."""
        try:
            if isinstance(result, Success):
                result = Success(_linked(part, self.path, self.names[index]))
        except OSError as error:
            result = Failure(response_error(error, "answered", closed=False))
        finally:
            part.unlink(missing_ok=True)
        self.results[index] = result

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


def save(
    core: ComfyDeployCore, run_get: RunGet, run_or_id: Any, options: RequestOptions | None, terms: FolderTerms
) -> Saved:
    """Save all files of a run."""
    from concurrent.futures import ThreadPoolExecutor

    try:
        _check(core, terms)
        run = _given(run_or_id) or _read(core, run_get, run_or_id, options)
        if isinstance(run, Failure):
            return run
        folder = _Folder(run, terms)

        def receive(index: int) -> None:
            part = folder.part()
            folder.place(index, part, fetch(core, folder.files[index], options, part, _EVERYTHING))

        def receive_all() -> None:
            pool = ThreadPoolExecutor(terms.at_once)
            try:
                list(pool.map(receive, folder.indexes))
            finally:
                pool.shutdown(cancel_futures=True)

        receive_all()
        if folder.indexes:
            again = _read(core, run_get, folder.run_id, options)
            if not isinstance(again, Failure):
                folder.renew(again)
                receive_all()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return unwritten(error)
    return folder.saved


async def save_async(
    core: ComfyDeployCore, run_get: RunGet, run_or_id: Any, options: RequestOptions | None, terms: FolderTerms
) -> Saved:
    """Save all files of a run, async."""
    from asyncio import Semaphore, TaskGroup, to_thread

    try:
        _check(core, terms)
        run = _given(run_or_id) or await _read_async(core, run_get, run_or_id, options)
        if isinstance(run, Failure):
            return run
        folder = await to_thread(_Folder, run, terms)
        turn = Semaphore(terms.at_once)

        async def receive(index: int) -> None:
            async with turn:
                part = folder.part()
                try:
                    result = await fetch_async(core, folder.files[index], options, part, _EVERYTHING)
                    await to_thread(folder.place, index, part, result)
                except BaseException:  # a cancellation between the two
                    part.unlink(missing_ok=True)
                    raise

        async def receive_all() -> None:
            async with TaskGroup() as group:
                for index in folder.indexes:
                    group.create_task(receive(index))

        await receive_all()
        if folder.indexes:
            again = await _read_async(core, run_get, folder.run_id, options)
            if not isinstance(again, Failure):
                folder.renew(again)
                await receive_all()
    except Exception as error:  # noqa: BLE001 - a function never raises
        of_tasks: tuple[Exception, ...] = getattr(error, "exceptions", (error,))
        found = of_tasks[0]
        if isinstance(found, MemoryError):
            raise found from None
        return unwritten(found)
    return folder.saved


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


def _check(core: ComfyDeployCore, terms: FolderTerms) -> None:
    check_core(core)
    if type(terms.at_once) is not int or terms.at_once < 1:
        raise invalid_argument("at_once", f"expected an integer not below 1, got {terms.at_once!r}")
    file_names("", [OutputFile(url="", filename="a.png", kind="images")], terms.name)


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
