"""A map from its arguments, blocking or async."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from comfydeploy._drivers.call import check_core
from comfydeploy._drivers.maps.calls import AwaitedCalls, Calls, Service, ThreadedCalls
from comfydeploy._drivers.maps.engine import Engine, Prepared
from comfydeploy._drivers.maps.iterators import AsyncRunMap, RunMap
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._mapping.addresses import is_address
from comfydeploy._mapping.journal import Journal
from comfydeploy._mapping.opening import open_journal
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
    # A database may be far away, or out of reach for a while, and the loop has other work.
    thread = Threads(1) if settings.journal is not None and is_address(settings.journal) else None
    calls: Calls = ThreadedCalls(core, service, Threads(settings.at_once + _BESIDE))
    return Prepared(settings, service, calls, _opened(settings), thread)


def _prepared_async(core: ComfyDeployCore, service: Service, arguments: Arguments) -> Prepared:
    check_core(core)
    settings = checked_settings(arguments)
    thread = None if settings.journal is None else Threads(1)
    return Prepared(settings, service, AwaitedCalls(core, service), _opened(settings), thread)


def _opened(settings: MapSettings) -> Callable[[], Journal]:
    return partial(open_journal, settings.journal, settings.name, settings.terms.post_limit)
