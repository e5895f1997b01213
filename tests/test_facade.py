"""The raising client calls the functions, and raises the errors of their failures."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from comfydeploy import ComfyDeploy, errors, funcs

NAMES = sorted(module.name for module in pkgutil.iter_modules(funcs.__path__))
REQUEST = {"deployment_id": "d"}
ON_MACHINE = {"workflow_version_id": "v", "machine_id": "m"}
GRAPH = {"workflow_id": "w", "workflow_api_json": {"1": {}}}


@pytest.fixture
def client():
    wire = httpx.MockTransport(lambda _: httpx.Response(404, json={"detail": "Run not found"}))
    with ComfyDeploy(bearer="key-of-the-test", transport=wire, async_transport=wire) as made:
        yield made


def arguments_of(name, tmp_path):
    graph = {"run_workflow_queue": GRAPH, "run_workflow_sync": GRAPH, "run_workflow_stream": GRAPH}
    first = {
        **graph,
        "file_upload": b"x",
        "file_download": "http://storage/f.png",
        "inputs_upload": {"image": ("f.png", b"x")},
        "run_batch": {**REQUEST, "batch_number": 2},
        "session_create": {"machine_id": "m"},
        "asset_upload": b"x",
        "deployment_create": {**ON_MACHINE, "workflow_id": "w", "environment": "staging"},
        **dict.fromkeys(
            ("deployments_list", "machines_list", "models_list", "session_list", "usage", "deployments_featured")
        ),
    }
    takes_request = list(inspect.signature(function_of(name)).parameters)[1] == "request"
    named = {
        "asset_upload": {"name": "f.png"},
        "deployment_update": {"request": ON_MACHINE},
        "file_upload": {"name": "f.png"},
        "run_download": {"to": tmp_path},
        "run_find": {"workflow_id": "w"},
        "map_step": {"key": "k"},
        "run_map_adopt": {"name": "night", "since": datetime.now(UTC), "workflow_id": "w"},
        "run_queue_once": {"key": "k"},
        "session_increase_timeout": {"minutes": 5},
        "share_get": {"slug": "s"},
    }
    return first.get(name, REQUEST if takes_request else "an-id"), named.get(name, {})


def place_in(client, name):
    """Return the group of the client that has a function, and its name there."""
    first, _, rest = name.partition("_")
    if not rest:  # ``usage`` is a method of the client itself
        return client, first
    group = getattr(client, first)
    if not hasattr(group, rest):
        second, _, rest = rest.partition("_")
        group = getattr(group, second)
    return group, rest


def function_of(name):
    return getattr(importlib.import_module(f"comfydeploy.funcs.{name}"), name)


@pytest.mark.parametrize("name", NAMES)
def test_failure_is_raised(client, name, tmp_path):
    argument, named = arguments_of(name, tmp_path)
    group, method = place_in(client, name)

    def call():
        given = getattr(group, method)(argument, **named)
        return list(given) if isinstance(given, Iterator) else given

    with pytest.raises(errors.ComfyDeployError):
        call()


@pytest.mark.parametrize("name", NAMES)
def test_failure_is_raised_by_async_method(client, name, tmp_path):
    argument, named = arguments_of(name, tmp_path)
    group, method = place_in(client, name)

    async def call():
        given = getattr(group, f"{method}_async")(argument, **named)
        if not isinstance(given, AsyncIterator):
            return await given
        return [item async for item in given]

    with pytest.raises(errors.ComfyDeployError):
        asyncio.run(call())


class TestMaps:
    def test_failed_job_is_an_item(self, client):
        jobs = [{"deployment_id": "d"}, {"deployment_id": "e"}]
        with client.run.map(jobs, check=False) as items:
            assert [item.index for item in items.in_order()] == [0, 1]
            assert items.twins == []
        with client.run.map(jobs, check=False) as items:
            assert sorted(item.index for item in items) == [0, 1]

    def test_items_of_the_async_map(self, client):
        async def indexes():
            async with client.run.map_async([REQUEST], check=False) as items:
                found = [item.index async for item in items.in_order()]
                assert items.twins == []
            async with client.run.map_async([REQUEST], check=False) as items:
                return found + [item.index async for item in items]

        assert asyncio.run(indexes()) == [0, 0]
