"""Run ComfyUI workflows on ComfyDeploy: standalone functions, errors as values, typed streams.

A client as methods, which raise what goes wrong:

>>> from comfydeploy import ComfyDeploy
>>> client = ComfyDeploy()  # the key of COMFYDEPLOY_API_KEY
>>> run = client.run.queue_and_wait({"deployment_id": "...", "inputs": {"prompt": "a cat"}})

The same as functions, which return ``Success`` or ``Failure`` and never raise:

>>> from comfydeploy import ComfyDeployCore, Failure, Success
>>> from comfydeploy.funcs.run_queue import run_queue
>>> result = run_queue(ComfyDeployCore(), {"deployment_id": "...", "inputs": {"prompt": "a cat"}})

Each group of methods is a page of its own: ``help(client.run)``, ``help(client.run.queue)``. So is each function.

====================================  ==================================================================
``ComfyDeploy``, ``ComfyDeployCore``  the client with methods, and without
``RequestOptions``                    timeout, retries, headers and deadline of one call
``RetryConfig``, ``BackoffStrategy``  whether and when a request is retried
``Hooks``                             functions of yours that see every request and response
``Result``, ``Success``, ``Failure``  what the functions return
``unwrap``, ``opened``, ``closed``    the value or the error raised; for the pipelines of *returns*, and back
``errors``, ``models``                the modules with every error and every model
``funcs``                             the functions, one module each
``mapping``                           many runs: jobs, their grid, what became of them, the contact sheet
``outcome``, ``inputs``               how a run ended; keys and checks of inputs before a run
``display``                           runs that are shown while they go on, in a notebook or a terminal
``tracing``                           spans, metrics and logs for OpenTelemetry
``webhooks``, ``emulator``            what receivers of webhooks need; the local server
====================================  ==================================================================

Importing this package loads nothing; each name loads its own module when it is first used.
"""

# Not that of `typing`: a Ctrl-C in its import, as a command starts, would end in a traceback.
TYPE_CHECKING = bool()  # noqa: UP018 - for a literal, jedi would take what follows as never executed

if TYPE_CHECKING:
    __all__ = [
        "BackoffStrategy",
        "ComfyDeploy",
        "ComfyDeployCore",
        "Failure",
        "Hooks",
        "RequestOptions",
        "Result",
        "RetryConfig",
        "Success",
        "closed",
        "errors",
        "models",
        "opened",
        "unwrap",
    ]

    from comfydeploy import errors, models
    from comfydeploy._version import __version__ as __version__
    from comfydeploy.client import ComfyDeploy
    from comfydeploy.core import ComfyDeployCore
    from comfydeploy.hooks import Hooks
    from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig
    from comfydeploy.result import Failure, Result, Success, closed, opened, unwrap
else:
    _HOMES = {
        "ComfyDeploy": "client",
        "ComfyDeployCore": "core",
        "Hooks": "hooks",
        "__version__": "_version",
        "errors": "errors",
        "models": "models",
        **dict.fromkeys(("BackoffStrategy", "RequestOptions", "RetryConfig"), "options"),
        **dict.fromkeys(("Failure", "Result", "Success", "closed", "opened", "unwrap"), "result"),
    }

    def __getattr__(name: str) -> object:
        import sys
        from importlib import import_module

        # Not for pydoc: it prints every class of a list, and help(comfydeploy) is a thousand lines, half of *returns*.
        if name == "__all__" and sys._getframe(1).f_globals.get("__name__") != "pydoc":  # noqa: SLF001 - no other way
            return sorted(_HOMES.keys() - {"__version__"})
        if name not in _HOMES:
            raise AttributeError(f"module 'comfydeploy' has no attribute {name!r}")
        module = import_module(f"comfydeploy.{_HOMES[name]}")
        value = globals()[name] = getattr(module, name, module)
        return value

    def __dir__() -> list[str]:
        return [*globals(), *_HOMES]
