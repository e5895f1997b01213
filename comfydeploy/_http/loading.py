"""Forks that happen while another thread makes its first call.

A child process has only the thread that forked. A lock that another thread held stays locked in it: the one of a module
that is being imported, or the one of a pool. So a fork waits until neither is held.
"""

import os
from _thread import RLock
from importlib import import_module
from typing import Final

LOCK: Final = RLock()
"""The lock of all pools: one, so that a fork can hold it, and reentrant, since a finalizer may run anywhere."""

# All that calls import when they are first made; `tests/http/test_loading.py` finds what is missing.
BLOCKING: Final = ("comfydeploy._http.clients", "anyio", "encodings.idna", "stringprep")
AWAITED: Final = ("concurrent.futures.thread", *BLOCKING, "comfydeploy._http.async_network", "anyio._backends._asyncio")
READING: Final = (
    "comfydeploy._wire.constructors",
    "comfydeploy._wire.events",
    "comfydeploy._wire.field_readers",
    "comfydeploy._wire.json_decoding",
    "comfydeploy._wire.retry",
    "comfydeploy._wire.structure",
    "comfydeploy.models.validation",
)

_begun: Final[set[str]] = set()
_registered: Final[list[int]] = []


def load(modules: tuple[str, ...], later: tuple[str, ...] = ()) -> None:
    """Import what a first call needs. From here on a fork waits for it, and for what the call imports later."""
    _register()
    with LOCK:  # not during a fork
        _begun.update(modules, later)
    for name in modules:
        import_module(name)


def _register() -> None:
    """Make forks wait, from the first call on."""
    if _registered or not hasattr(os, "register_at_fork"):  # Windows does not fork
        return
    _registered.append(1)
    # Hooks run in reverse. What waits for imports must run before that of logging, which holds logging's lock; so it is
    # registered after it, and once before, because logging may be imported here.
    for name in ("_thread", "logging"):
        import_module(name)
        os.register_at_fork(before=_before, after_in_parent=LOCK.release, after_in_child=LOCK.release)


def _before() -> None:
    loaded: set[str] = set()
    LOCK.acquire()
    while loaded != _begun:
        loaded = set(_begun)
        LOCK.release()  # because the thread that imports may need it
        for name in loaded:
            import_module(name)
        LOCK.acquire()
