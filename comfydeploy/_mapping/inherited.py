"""Journals that were open in the process from which this one was forked.

SQLite keeps one list of the locks of a process. A child inherits it together with locks that it does not have, so that
its parent may remove the write-ahead log while the child writes: what the child recorded is lost (measured).
"""

import os
from collections import Counter
from typing import Final

from comfydeploy._wire.arguments import invalid_argument

_CURE: Final = "make the pool with mp_context=multiprocessing.get_context('spawn')"
_open: Final = Counter[str]()
_inherited: Final[set[str]] = set()


def check_fork(path: str) -> None:
    """Raise ``SDKValidationError`` for a journal that was open at the fork."""
    if path in _inherited:
        reason = "was open in the process from which this one was forked, which SQLite does not allow"
        raise invalid_argument("journal", f"{path} {reason}: {_CURE}")


def opened(path: str) -> None:
    """Record that a journal is open in this process."""
    _open[path] += 1


def closed(path: str) -> None:
    """Record that a journal was closed once."""
    _open[path] -= 1


def _after_fork() -> None:
    _inherited.update(+_open)


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
