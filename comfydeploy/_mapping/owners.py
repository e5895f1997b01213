"""The owners of claims: each process that uses a journal holds a lock on its own file beside the journal.

A lock ends with its process in every case, without a clock. So the state of an owner on this machine is known with
certainty; that of one on another machine only by its lease.
"""

import os
import sys
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Final

from comfydeploy._mapping.forks import close_in_children

if sys.platform != "win32":  # pragma: no branch - as below
    from fcntl import LOCK_EX, LOCK_NB, flock

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def machine() -> str:
    """Return the name of this machine, and of its time since it was started."""
    from platform import node

    try:
        boot = _BOOT.read_text().replace("-", "").strip()[:12]
    except OSError:  # no Linux: each start looks the same, and the lock decides
        boot = "0"
    return f"{node().replace('/', '_').replace('~', '_')}~{boot}"


class Session:
    """The use of a journal by one process. ``name`` is how its owners begin."""

    def __init__(self, journal: str) -> None:
        self._journal = journal
        self._machine = machine()
        _remove_left(journal)
        word = os.urandom(6).hex()
        self.name = f"{self._machine}/{word}/"
        self._path = _lock_path(journal, word)
        self._file: int | None = _locked(self._path)
        close_in_children(self)

    def is_alive(self, owner: str) -> bool | None:
        """Return whether the process of an owner lives, ``None`` where that cannot be known."""
        if owner.startswith(self.name):
            return True
        place, _, rest = owner.partition("/")
        if place != self._machine:
            # Either this machine was started since, or it is another one.
            return False if place.partition("~")[0] == self._machine.partition("~")[0] else None
        try:
            return not _takes_over(_lock_path(self._journal, rest.partition("/")[0]))
        except (OSError, ValueError):  # a name with a NUL is that of no file
            return None

    def close(self) -> None:
        """Release the lock."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
        self.forget()

    def forget(self) -> None:
        """Close the file of the lock, which otherwise a child would keep holding when its parent has ended."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _locked(path: Path) -> int:
    """Create a file and lock it; begin anew where another process has removed it before it was locked."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
            is_there = os.path.samestat(os.fstat(file), os.stat(path))  # noqa: PTH116 - as `fstat`
        except (BlockingIOError, FileNotFoundError):
            is_there = False
        except OSError:  # a file system without locks
            os.close(file)
            raise
        if is_there:
            return file
        os.close(file)


def _takes_over(path: Path) -> bool:
    """Remove the lock of an owner that is dead; return ``False`` where it is held."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        _lock(file)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def _remove_left(journal: str) -> None:
    """Remove the locks of processes that have died."""
    folder, name = os.path.split(journal)
    for path in Path(folder).glob(f"{escape(name)}-*.lock"):
        with suppress(OSError):
            _takes_over(path)


def _lock(file: int) -> None:
    if sys.platform != "win32":  # pragma: no branch - there a file that is open cannot be removed, which does as well
        flock(file, LOCK_EX | LOCK_NB)


def _lock_path(journal: str, word: str) -> Path:
    return Path(f"{journal}-{word}.lock")
