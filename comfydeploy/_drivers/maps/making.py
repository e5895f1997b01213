"""A map from its arguments, blocking or async."""

from functools import partial
from typing import Any, Final
from uuid import uuid4

from comfydeploy._drivers.call import check_core
from comfydeploy._drivers.maps.calls import AwaitedCalls, Calls, Service, ThreadedCalls
from comfydeploy._drivers.maps.engine import Engine, Prepared
from comfydeploy._drivers.maps.iterators import AsyncRunMap, RunMap
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._mapping.journal import Journal, Memory
from comfydeploy._mapping.settings import Arguments, MapSettings, checked_settings
from comfydeploy.core import ComfyDeployCore

_BESIDE: Final = 4  # threads for other work than the requests of the jobs


def mapped(core: ComfyDeployCore, service: Service, jobs: Any, arguments: Arguments) -> RunMap:
    """Return a map of blocking calls."""
    return RunMap(Engine(jobs, partial(_prepared, core, service, arguments)))


def mapped_async(core: ComfyDeployCore, service: Service, jobs: Any, arguments: Arguments) -> AsyncRunMap:
    """Return a map of async calls."""
    return AsyncRunMap(Engine(jobs, partial(_prepared_async, core, service, arguments)))


def _prepared(core: ComfyDeployCore, service: Service, arguments: Arguments) -> Prepared:
    check_core(core)
    settings = checked_settings(arguments)
    calls: Calls = ThreadedCalls(core, service, Threads(settings.at_once + _BESIDE))
    return Prepared(settings, service, calls, partial(_journal, settings), None)


def _prepared_async(core: ComfyDeployCore, service: Service, arguments: Arguments) -> Prepared:
    check_core(core)
    settings = checked_settings(arguments)
    thread = None if settings.journal is None else Threads(1)
    return Prepared(settings, service, AwaitedCalls(core, service), partial(_journal, settings), thread)


def _journal(settings: MapSettings) -> Journal:
    if settings.journal is None:
        return Memory(settings.name or "map", uuid4().hex, settings.terms.post_limit)
    from comfydeploy._mapping.sqlite import Sqlite

    return Sqlite(settings.journal, settings.name, settings.terms.post_limit)
