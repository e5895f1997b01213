"""The owners of claims: each process that uses a journal holds a lock on its own file beside the journal.

A lock ends with its process in every case, without a clock. So the state of an owner on this machine is known with
certainty; that of one on another machine only by its lease.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from weakref import WeakSet

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_open: "WeakSet[Session]" = WeakSet()


def host() -> str:
    """Return a name for this machine since it was started."""
    with suppress(OSError):
        return _BOOT.read_text().strip().replace("-", "")[:12]
    from platform import node  # pragma: no cover - no Linux
    from uuid import getnode  # pragma: no cover

    return f"{getnode():x}{node()}".replace("/", "_")  # pragma: no cover


class Session:
    """The use of a journal by one process. ``name`` is the prefix of its owners."""

    def __init__(self, journal: str) -> None:
        self._journal = journal
        self._host = host()
        word = os.urandom(6).hex()
        self.name = f"{self._host}/{word}/"
        self._path = _lock_path(journal, word)
        self._file: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._file)
        _open.add(self)

    def is_alive(self, owner: str) -> bool | None:
        """Return whether the process of an owner is alive, ``None`` if that cannot be known."""
        if owner.startswith(self.name):
            return True
        machine, word, *_ = (*owner.split("/"), "")
        if machine != self._host:
            return None
        path = _lock_path(self._journal, word)
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        with _closing(file):
            return None if sys.platform == "win32" else not _takes_over(file, path)

    def close(self, *, removes: bool = True) -> None:
        """Release the lock."""
        file, self._file = self._file, None
        if file is None:
            return
        if removes:
            with suppress(OSError):
                self._path.unlink()
        os.close(file)


def _takes_over(file: int, path: Path) -> bool:
    """Take the lock of an owner that is dead, and remove its file; return ``False`` where it is held."""
    try:
        _lock(file)
    except BlockingIOError:
        return False
    with suppress(OSError):
        path.unlink()
    return True


def _lock(file: int) -> None:
    if sys.platform != "win32":  # pragma: no branch - there the lease alone decides
        flock(file, LOCK_EX | LOCK_NB)


def _lock_path(journal: str, word: str) -> Path:
    return Path(f"{journal}-{word}.lock")


@contextmanager
def _closing(file: int) -> Generator[None]:
    try:
        yield
    finally:
        os.close(file)


def _after_fork() -> None:
    # Otherwise a child would keep holding the lock of a process that has ended.
    for session in list(_open):
        session.close(removes=False)


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
