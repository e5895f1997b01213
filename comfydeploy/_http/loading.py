"""Forks that happen while another thread makes its first call.

A child process has only the thread that forked. A lock that another thread held stays locked in it: the one of a module
that is being imported, the one of a pool, or one of OpenSSL's. So a fork waits until none is held.
"""

import os
from _thread import RLock
from functools import cache
from importlib import import_module
from typing import Final

LOCK: Final = RLock()
"""The lock of all pools: one, so that a fork can hold it, and reentrant, since a finalizer may run anywhere."""

CERTIFICATES: Final = RLock()
"""The lock while CA certificates are read. Who holds ``LOCK`` never waits for it."""

# Everything that a first call imports; `tests/http/test_loading.py` finds what is missing.
CONTEXT: Final = ("comfydeploy._http.tls",)
BLOCKING: Final = (
    "comfydeploy._http.clients",
    "anyio",
    "encodings.idna",
    "stringprep",
    "returns.result",
    "comfydeploy._wire.json_decoding",
    "comfydeploy._wire.field_readers",
)
AWAITED: Final = ("concurrent.futures.thread", *BLOCKING, "comfydeploy._http.async_network", "anyio._backends._asyncio")
READING: Final = (
    "comfydeploy._http.forms",
    "comfydeploy._wire.constructors",
    "comfydeploy._wire.events",
    "comfydeploy._wire.fast_json",
    "comfydeploy._wire.hook_calls",
    "comfydeploy._wire.retry",
    "comfydeploy._wire.structure",
    "comfydeploy.models.validation",
)

_begun: Final[set[str]] = set()


def load(modules: tuple[str, ...], later: tuple[str, ...] = ()) -> None:
    """Import what a first call needs. From here on a fork waits for it, and for what the call imports later."""
    with LOCK:  # not during a fork
        _begun.update(modules, later)
    for name in modules:
        import_module(name)


def _before() -> None:
    CERTIFICATES.acquire()
    loaded: set[str] = set()
    LOCK.acquire()
    while loaded != _begun:
        loaded = set(_begun)
        LOCK.release()  # the thread that imports may need it
        for name in loaded:
            import_module(name)
        LOCK.acquire()


def _after() -> None:
    LOCK.release()
    CERTIFICATES.release()


@cache
def watch_forks() -> None:
    """Begin to hold forks back; a core calls this when it is created."""
    # After logging's hook, because hooks run in reverse: the wait for imports must not happen with logging locked.
    import_module("logging")
    if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
        os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
