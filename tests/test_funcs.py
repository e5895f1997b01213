"""Every operation has the same shape."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

from comfydeploy import ComfyDeploy, ComfyDeployCore, RequestOptions, funcs
from comfydeploy._wire.operation import Operation

ROOT = Path(__file__).parent.parent
NAMES = sorted(module.name for module in pkgutil.iter_modules(funcs.__path__))


def signature(function):
    """Return the parameters of a function without the annotations that differ in the async function."""
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


def is_flag_or_none(node):
    """Recognize ``flag or None``, which omits a parameter from the query."""
    return isinstance(node, ast.BoolOp) and ast.unparse(node).endswith(" or None")


def is_awaited(function):
    gives = str(inspect.signature(function).return_annotation)
    return inspect.iscoroutinefunction(function) or "Async" in gives


def place_in(client, name):
    """Return the group of the facade with an operation, and its name there: ``client.run.deployment``, ``queue``."""
    first, _, rest = name.partition("_")
    if not rest:  # ``usage`` is a method of the client itself
        return client, first
    group = getattr(client, first)
    if not hasattr(group, rest):
        second, _, rest = rest.partition("_")
        group = getattr(group, second)
    return group, rest


def test_there_are_operations_to_look_at():
    assert {"run_get", "run_queue", "run_sync", "run_stream", "run_get_run_run_run_id_get"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
class TestEveryOperation:
    @pytest.fixture
    def module(self, name):
        return importlib.import_module(f"comfydeploy.funcs.{name}")

    def test_is_operation_or_built_from_others(self, module):
        source = inspect.getsource(module)
        is_composite = "comfydeploy.funcs" in source or "comfydeploy._drivers.storage" in source
        assert isinstance(getattr(module, "OPERATION", None), Operation) or is_composite

    def test_has_function_and_async_function(self, name, module):
        blocking, awaited = getattr(module, name), getattr(module, f"{name}_async")
        assert is_awaited(awaited)
        assert not is_awaited(blocking)
        assert signature(blocking) == signature(awaited)

    def test_takes_core_first_and_options_last(self, name, module):
        parameters = list(inspect.signature(getattr(module, name)).parameters.values())
        positional = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        assert positional[0].annotation is ComfyDeployCore
        assert positional[-1].annotation == RequestOptions | None
        assert positional[-1].default is None

    def test_is_documented(self, name, module):
        assert module.__doc__
        assert getattr(module, name).__doc__
        assert getattr(module, f"{name}_async").__doc__

    def test_has_methods_in_the_facade(self, name, module):
        with ComfyDeploy(bearer="k") as client:
            group, method = place_in(client, name)
            bound = getattr(group, method)
            assert signature(bound) == signature(getattr(module, name))[1:]
            assert is_awaited(getattr(group, f"{method}_async"))

    def test_decides_nothing(self, module):
        tree = ast.parse(inspect.getsource(module))
        deciding = (ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.Match, ast.BoolOp, ast.Compare)
        assert not [node for node in ast.walk(tree) if isinstance(node, deciding) and not is_flag_or_none(node)]


def test_second_name_for_package_is_refused(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    with pytest.raises(ImportError, match=r"comfydeploy\.funcs"):
        importlib.import_module("funcs")
