"""Run ComfyUI workflows on ComfyDeploy: standalone functions, errors as values, typed streams.

>>> from comfydeploy import ComfyDeployCore, Failure, Success
>>> from comfydeploy.funcs.run_queue import run_queue

Importing this package loads nothing; each name loads its own module when it is first used.
"""

# Not that of `typing`: a Ctrl-C in its import, as a command starts, would end in a traceback.
TYPE_CHECKING = False

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

if TYPE_CHECKING:
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
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module 'comfydeploy' has no attribute {name!r}")
        module = import_module(f"comfydeploy.{_HOMES[name]}")
        value = globals()[name] = getattr(module, name, module)
        return value

    def __dir__() -> list[str]:
        return [*globals(), *__all__]
