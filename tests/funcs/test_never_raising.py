"""No operation raises: every argument of each one is tried with every strange value."""

import importlib
import inspect
import itertools
import pkgutil
from datetime import UTC, datetime

import httpx
import pytest

from comfydeploy import Failure, RequestOptions, Success, funcs

NAMES = [module.name for module in pkgutil.iter_modules(funcs.__path__)]
REQUEST = {"deployment_id": "d"}


class Evil:
    """An object all of whose attributes and methods raise."""

    __hash__ = None

    def __getattr__(self, name):
        raise LookupError(name)

    def __repr__(self):
        raise LookupError("repr")

    def __eq__(self, other):
        raise LookupError("eq")


class EvilMapping(dict):
    """A mapping that cannot be iterated."""

    def __iter__(self):
        raise LookupError("iter")

    def keys(self):
        raise LookupError("keys")


STRANGE = [
    *(None, True, 5, 1.5, float("nan"), b"x", "x", "", "\ud800", "a\0b", [], {}, (), object, len, Exception("x")),
    *(Evil(), EvilMapping(deployment_id="d"), {5: 6}, {"deployment_id": Evil()}, {**REQUEST, "inputs": {"a": Evil()}}),
    *({**REQUEST, "batch_number": "many"}, {"machine_id": "m", "timeout": Evil()}),
]
CORE_SETTINGS = ["bearer", "server_idx", "server_url", "timeout", "retry_config", "hooks", "debug_logger"]


@pytest.fixture
def transport():
    return httpx.MockTransport(lambda _: httpx.Response(200, json={"run_id": "r"}))


def result_of(calls, name, core, /, *arguments, **named):
    module = importlib.import_module(f"comfydeploy.funcs.{name}")
    function = getattr(module, f"{name}_async" if calls.awaited else name)
    if name == "run_map":
        items = calls.items(function(core, *arguments, **named))
        return items[-1].result if items else Success(None)  # a map of no jobs
    if "Watch" in str(inspect.signature(function).return_annotation):
        return calls.items(function(core, *arguments, **named))[-1]
    if "Pages" in str(inspect.signature(function).return_annotation):
        return calls.items(function(core, *arguments, **named), 2)[-1]
    return calls(name, core, *arguments, **named)


@pytest.mark.parametrize("name", NAMES)
def test_strange_arguments_are_a_failure(calls, transport, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a strange name may be that of a file
    core = calls.core(transport=transport)
    parameters = inspect.signature(getattr(importlib.import_module(f"comfydeploy.funcs.{name}"), name)).parameters
    usual = {
        "asset_upload": b"x",
        "file_upload": b"x",
        "file_download": "http://x/",
        "map_step": "journal",
        "run_find": "k",
        "run_map": [],
    }.get(name, REQUEST)
    lists = ("deployments_list", "machines_list", "models_list", "session_list", "usage", "deployments_featured")
    usual = None if name in lists else usual
    needed = {
        "asset_upload": {"name": "cat.png"},
        "deployment_update": {"request": {"gpu": "T4"}},
        "file_upload": {"name": "cat.png"},
        "session_increase_timeout": {"minutes": 5},
        "share_get": {"slug": "s"},
        "run_queue_once": {"key": "k"},
        "run_download": {"to": tmp_path / "files"},
        "map_step": {"key": "k"},
        "run_map_adopt": {"name": "night", "since": datetime.now(UTC), "workflow_id": "w"},
    }.get(name, {})
    for parameter, value in itertools.product(list(parameters)[1:], STRANGE):
        first = next(iter(list(parameters)[1:]))
        given = {first: usual, **needed, parameter: value}
        result = result_of(calls, name, core, **given)
        assert isinstance(result, Success | Failure), (parameter, type(value))


@pytest.mark.parametrize("setting", CORE_SETTINGS)
def test_strange_core_is_a_failure(calls, transport, setting):
    for value in STRANGE:
        core = calls.core(**{"transport": transport, setting: value})
        assert isinstance(calls("run_queue", core, REQUEST), Success | Failure), type(value)


@pytest.mark.parametrize("core", STRANGE, ids=lambda value: type(value).__name__)
def test_invalid_core_is_a_failure(calls, core):
    assert isinstance(calls("run_queue", core, REQUEST), Failure)


@pytest.mark.parametrize("option", ["timeout", "retries", "retry_codes", "headers", "server_url", "idle_timeout"])
def test_strange_options_are_a_failure(calls, transport, option):
    core = calls.core(transport=transport)
    for value in STRANGE:
        result = calls("run_queue", core, REQUEST, RequestOptions(**{option: value}))
        assert isinstance(result, Success | Failure), type(value)
