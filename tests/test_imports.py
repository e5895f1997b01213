"""The imports of a new interpreter."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys

import pytest

import comfydeploy
from comfydeploy import funcs, models

# Without the alias, which is another name of one of them.
MODULES = [module.name for module in pkgutil.iter_modules(funcs.__path__) if "run_run" not in module.name]
COMPOSITES = [
    name for name in MODULES if not hasattr(importlib.import_module(f"comfydeploy.funcs.{name}"), "OPERATION")
]
LISTING = "import json, sys; {code}; print(json.dumps(sorted(sys.modules)))"
# A fork is a tenth of a new interpreter.
EACH = """
import json, os, sys
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        exec(f"from comfydeploy.funcs.{name} import {name}")
        print(json.dumps([name, sorted(sys.modules)]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def loaded(code):
    output = subprocess.run(
        [sys.executable, "-c", LISTING.format(code=code)], check=True, capture_output=True, text=True
    ).stdout
    return json.loads(output)


def heads(modules):
    return {name.partition(".")[0] for name in modules}


def test_package_itself_loads_nothing():
    modules = loaded("import comfydeploy")
    assert not heads(modules) & {"attr", "attrs", "cattr", "cattrs", "httpx", "returns"}
    assert [name for name in modules if name.startswith("comfydeploy.")] == []


def test_method_that_raises_loads_one_function():
    call = "with suppress(Exception): ComfyDeploy(bearer='k').run.get('')"
    modules = loaded(f"from contextlib import suppress; from comfydeploy.client import ComfyDeploy\n{call}\npass")
    assert [name for name in modules if "comfydeploy.funcs." in name] == ["comfydeploy.funcs.run_get"]


@pytest.fixture(scope="module")
def loaded_by_each():
    output = subprocess.run([sys.executable, "-c", EACH, *MODULES], check=True, capture_output=True, text=True).stdout
    return dict(map(json.loads, output.splitlines()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.parametrize("name", MODULES)
def test_operation_loads_no_other_and_no_http(loaded_by_each, name):
    modules = loaded_by_each[name]
    assert not heads(modules) & {
        "cattr",
        "cattrs",
        "httpx",
        "httpcore",
        "anyio",
        "asyncio",
        "ssl",
        "click",
        "rich",
        "starlette",
    }
    others = [one for one in modules if one.startswith("comfydeploy.funcs.") and not one.endswith(f".{name}")]
    assert not others or name in COMPOSITES
    assert not [
        one
        for one in modules
        if one.startswith(
            tuple(f"comfydeploy.{name}" for name in ("emulator", "_emulator", "_cli", "_display", "_facade"))
        )
    ]


def test_one_operation_loads_only_its_own_models():
    modules = loaded("from comfydeploy.funcs.run_queue import run_queue")
    assert [name for name in modules if name.startswith("comfydeploy.models.")] == [
        "comfydeploy.models.create_run",
        "comfydeploy.models.document",
        "comfydeploy.models.run_request",
        "comfydeploy.models.secret",
    ]


@pytest.mark.parametrize("package", [comfydeploy, models])
def test_every_public_name_exists_and_is_listed(package):
    assert list(package.__all__) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018 - the access is the test


def test_nothing_else_loads_composites():
    modules = set(
        loaded("from comfydeploy.funcs.run_queue import run_queue; from comfydeploy.funcs.run_get import run_get")
    )
    assert not modules & {
        "comfydeploy._drivers.steps",
        "comfydeploy._wire.file_values",
        "comfydeploy._wire.input_files",
        "comfydeploy._wire.keys",
        "comfydeploy._wire.queue_once",
        "comfydeploy._wire.run_search",
        "comfydeploy._wire.timeline",
        "comfydeploy._wire.upload",
        "comfydeploy.outcome",
        "comfydeploy._wire.follower",
        "comfydeploy.streaming",
        "comfydeploy.inputs",
    }
