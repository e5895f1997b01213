"""A map from its arguments, blocking or async."""

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve

from comfydeploy._drivers.call import check_core
from comfydeploy._drivers.maps.calls import AwaitedCalls, Calls, Service, ThreadedCalls
from comfydeploy._drivers.maps.engine import Engine, Prepared
from comfydeploy._drivers.maps.iterators import AsyncRunMap, RunMap
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._drivers.maps.workers import StepJob, Submit, checked_executor, start_workers
from comfydeploy._mapping.addresses import is_address
from comfydeploy._mapping.journal import Journal
from comfydeploy._mapping.opening import open_journal
from comfydeploy._mapping.settings import Arguments, MapSettings, checked_settings
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.mapping import MapStep
from comfydeploy.result import Result

if TYPE_CHECKING:
    from concurrent.futures import Executor

WorkerStep: TypeAlias = Callable[[ComfyDeployCore, Arguments, StepJob], Result[MapStep, Error]]

_BESIDE: Final = 4  # threads for other work than the requests of the jobs


def mapped(core: ComfyDeployCore, service: Service, jobs: Any, arguments: Arguments, step: WorkerStep) -> RunMap:
    """Return a map of blocking calls. ``step`` is what the workers of an executor call."""
    start_workers(arguments.executor)
    return RunMap(Engine(jobs, lambda: _with_workers(prepared(core, service, arguments), core, arguments, step)))


def mapped_async(
    core: ComfyDeployCore, service: Service, jobs: Any, arguments: Arguments, step: WorkerStep
) -> AsyncRunMap:
    """Return a map of async calls; those of the workers of an executor are blocking."""
    start_workers(arguments.executor)
    made = partial(prepared_async, core, service, arguments)
    return AsyncRunMap(Engine(jobs, lambda: _with_workers(made(), core, arguments, step)))


def prepared(core: ComfyDeployCore, service: Service, arguments: Arguments) -> Prepared:
    """Return the parts of a map of blocking calls; raise ``SDKValidationError`` for a wrong argument."""
    check_core(core)
    settings = checked_settings(arguments)
    # A database may be far away, or out of reach for a while, and the loop has other work.
    thread = Threads(1) if settings.journal is not None and is_address(settings.journal) else None
    calls: Calls = ThreadedCalls(core, service, Threads(settings.at_once + _BESIDE))
    return Prepared(settings, service, calls, _opened(settings), thread)


def prepared_async(core: ComfyDeployCore, service: Service, arguments: Arguments) -> Prepared:
    """Return the parts of a map of async calls; raise ``SDKValidationError`` for a wrong argument."""
    check_core(core)
    settings = checked_settings(arguments)
    thread = None if settings.journal is None else Threads(1)
    return Prepared(settings, service, AwaitedCalls(core, service), _opened(settings), thread)


def _with_workers(given: Prepared, core: ComfyDeployCore, arguments: Arguments, step: WorkerStep) -> Prepared:
    """Let the workers of the executor carry out the jobs, if there is one."""
    executor = checked_executor(arguments.executor, given.settings.journal)
    return given if executor is None else evolve(given, submit=_submit(executor, core, arguments, step))


def _submit(executor: "Executor", core: ComfyDeployCore, arguments: Arguments, step: WorkerStep) -> Submit:
    # A worker may have another working directory. The map has checked the inputs.
    to = None if arguments.to is None else _absolute(arguments.to, escaped=True)
    journal = _absolute(arguments.journal)
    passed = evolve(arguments, executor=None, journal=journal, to=to, check=False)
    return lambda job: executor.submit(step, core, passed, job)


def _absolute(path: str | os.PathLike[str], *, escaped: bool = False) -> str:
    """Return an address as it is, and the path of a file from the root on; ``escaped``: it is a pattern."""
    text, folder = os.fspath(path), os.getcwd()  # noqa: PTH109 - as text
    if escaped:
        folder = folder.replace("{", "{{").replace("}", "}}")
    return text if is_address(text) else os.path.join(folder, text)  # noqa: PTH118 - the same


def _opened(settings: MapSettings) -> Callable[[], Journal]:
    return partial(open_journal, settings.journal, settings.name, settings.terms.post_limit)
