"""The files of a job: each is received under a temporary name of the job, and replaces a file of its name."""

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

from attrs import frozen

from comfydeploy._drivers.run_files import RunFiles
from comfydeploy._mapping.patterns import Pattern
from comfydeploy._wire.transport_errors import response_error
from comfydeploy.errors import Error
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.result import Failure, Result, Success

_AT_ONCE: Final = 4  # files of one run


@frozen
class JobTerms:
    """The target of the files of a job.

    ``owner`` is its claim: an earlier one may still write. ``is_resumed``: an earlier one may have left files.
    """

    pattern: Pattern
    key: str
    inputs: Mapping[str, Any]
    attempt: int
    owner: str
    is_resumed: bool
    at_once: int = _AT_ONCE

    def check(self) -> None:
        """Do nothing: the pattern was checked before."""

    def files(self, run: WorkflowRunModel) -> RunFiles:
        """Return the files of a run, and remove those that an earlier claim of the job has left."""
        return _JobFiles(run, self)


class _JobFiles(RunFiles):
    """Files whose names depend on the job and its run alone."""

    def __init__(self, run: WorkflowRunModel, terms: JobTerms) -> None:
        super().__init__(run)
        self._paths = terms.pattern.paths(terms.key, terms.inputs, run.id, terms.attempt, self.files)
        job, claim = (sha256(text.encode(errors="replace")).hexdigest()[:12] for text in (terms.key, terms.owner))
        self._parts = [path.with_name(f".{job}-{claim}-{index}.part") for index, path in enumerate(self._paths)]
        for folder in {path.parent for path in self._paths}:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(f".{job}-*.part") if terms.is_resumed else ():
                left.unlink(missing_ok=True)

    def target(self, index: int) -> IO[bytes]:
        """Open the temporary file."""
        return self._parts[index].open("wb", buffering=0)

    def place(self, index: int, target: Any, result: Result[Any, Error]) -> None:
        """Move a received file to its name, and replace a file there."""
        try:
            target.close()
            if isinstance(result, Success):
                os.replace(self._parts[index], self._paths[index])  # noqa: PTH105 - `Path.replace` reads like that of text
                result = Success(self._paths[index])
        except OSError as error:  # a full disk
            result = Failure(response_error(error, "answered", closed=False))
        finally:
            self.drop(target)
        self.results[index] = result

    def drop(self, target: Any) -> None:
        """Remove the temporary file."""
        with suppress(OSError):
            target.close()
        Path(target.name).unlink(missing_ok=True)
