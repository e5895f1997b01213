"""Run a function in a fork of this process, within limits."""

import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MEMORY = 4 << 30
IDLE = 12.0  # seconds without work, after which a fork hangs


def run_in_fork(run: Callable[[], object], seconds: float | None = None, log: str = os.devnull) -> int | None:
    """Run a function in a fork that writes to a log, and return its exit code, or None if it takes too long.

    The limit is of processor time, because the computer may be busy; a fork that waits is ended later.
    """
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        written = os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        for number in (0, 1, 2):
            os.dup2(written, number)
        if seconds:
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            code = int(run() or 0)
        except BaseException:
            traceback.print_exc()
            code = 70
        os._exit(code)
    try:
        return _exit_code(child, seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and what it has started


def _exit_code(child: int, seconds: float | None) -> int | None:
    began = moved = time.monotonic()
    pause, used = 0.002, b""
    while seconds is None or (time.monotonic() - began < 5 * seconds and time.monotonic() - moved < IDLE):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if seconds and (now := _used(child)) != used:
            used, moved = now, time.monotonic()
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _used(child: int) -> bytes:
    """Return the processor time of a process and of what it has waited for, in ticks, as text."""
    fields = Path(f"/proc/{child}/stat").read_bytes().rpartition(b")")[2].split()
    return b" ".join(fields[11:15])
