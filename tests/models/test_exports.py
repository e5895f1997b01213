"""Every model is exported under its name, and a name loads only what it needs."""

import json
import subprocess
import sys

import pytest

from comfydeploy import models

LOADS = {
    "CreateRunResponse": ["create_run", "document"],
    "DeploymentRunRequest": ["document", "run_request"],
    "Document": ["document"],
    "EventUpdate": ["document", "run_stream"],
    "MediaItem": ["document", "run_output"],
    "RunStatus": ["document", "run", "run_output"],
    "UnknownEvent": ["document", "run_stream"],
    "ValidationError": ["document", "validation"],
    "WorkflowRunWebhookBody": ["document", "run", "run_output", "webhook"],
}
PROGRAM = """
import importlib, json, sys
import comfydeploy.models as models
before = sorted(name for name in sys.modules if name.startswith("comfydeploy."))
loaded = {}
for name in json.loads(sys.argv[1]):
    kept = {module for module in sys.modules if module.startswith("comfydeploy.models.")}
    for module in kept:
        del sys.modules[module]
    for known in models.__all__:
        vars(models).pop(known, None)
    getattr(models, name)
    found = {module for module in sys.modules if module.startswith("comfydeploy.") and module not in before}
    loaded[name] = sorted(module.removeprefix("comfydeploy.models.") for module in found)
print(json.dumps([before, loaded, [name for name in ("httpx", "cattrs", "returns") if name in sys.modules]]))
"""


@pytest.fixture(scope="module")
def fresh():
    """Load every name in a new process."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(list(LOADS))]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_importing_package_loads_no_model(fresh):
    assert fresh[0] == ["comfydeploy.models"]


@pytest.mark.parametrize("name", LOADS)
def test_name_loads_only_its_own_modules(fresh, name):
    assert fresh[1][name] == LOADS[name]


def test_models_load_no_transport(fresh):
    assert fresh[2] == []


@pytest.mark.parametrize("name", models.__all__)
def test_every_name_is_there(name):
    assert getattr(models, name) is getattr(models, name)
    assert name in dir(models)


def test_names_are_in_order():
    assert models.__all__ == sorted(models.__all__)


def test_name_that_is_none_is_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'comfydeploy.models' has no attribute 'Nothing'$"):
        _ = models.Nothing
    assert not hasattr(models, "Nothing")
