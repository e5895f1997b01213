"""The raising facade."""

import pytest

from comfydeploy import ComfyDeploy, ComfyDeployCore, RequestOptions, Success, errors
from comfydeploy.funcs.run_get import run_get
from comfydeploy.models import EventUpdateEvent, LogUpdateEvent

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
QUEUING = b'event: event_update\ndata: {"event": "queuing"}\n\n'
BROKEN = b'event: event_update\ndata: {"event": \n\n'
NO_RUN = "00000000-0000-4000-8000-000000000000"


class Facade:
    """The facade, blocking or async: ``facade.get(...)`` is ``client.run.get`` or ``client.run.get_async``."""

    def __init__(self, calls, url, bearer="local-key"):
        self._calls = calls
        self.client = ComfyDeploy(bearer=bearer, server_url=url)
        calls._cores.append(self.client)

    def __getattr__(self, name):
        if self._calls.awaited:
            method = getattr(self.client.run, f"{name}_async")
            return lambda *arguments, **named: self._calls.run(method(*arguments, **named))
        return getattr(self.client.run, name)


@pytest.fixture
def facade(calls, emulator):
    return Facade(calls, emulator.url)


def test_operations_give_values(facade, calls, emulator):
    request = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 32, "height": 16}}
    created = facade.queue(request, RequestOptions(timeout=30))
    assert facade.get(created.run_id, queue_position=True).id == created.run_id
    assert facade.get_run_run_run_id_get(created.run_id).id == created.run_id
    (output,) = facade.sync(request)
    assert output.files[0].filename.endswith(".png")
    events = facade.stream(request)
    seen = calls.items(events)
    assert {type(event) for event in seen} == {EventUpdateEvent, LogUpdateEvent}
    assert events.run_id == facade.get(events.run_id).id


def test_failure_is_raised_as_it_is(facade):
    with pytest.raises(errors.SDKError) as caught:
        facade.get(NO_RUN)
    assert caught.value.detail == "Run not found"
    for operation in (facade.queue, facade.sync, facade.stream):
        with pytest.raises(errors.SDKValidationError):
            operation({})


def test_malformed_event_ends_the_loop(calls, raw):
    server = raw([HEAD, QUEUING, BROKEN, QUEUING, "hang"])
    events = Facade(calls, server.url).stream({"deployment_id": "d"})
    with pytest.raises(errors.MalformedEvent):
        calls.items(events)
    assert calls.wait(server.left)


def test_next_goes_on_after_malformed_event(calls, raw):
    events = Facade(calls, raw([HEAD, QUEUING, BROKEN, QUEUING, "hang"]).url).stream({"deployment_id": "d"})

    def step():
        return calls.run(anext(events)) if calls.awaited else next(events)

    assert step().data.event == "queuing"
    with pytest.raises(errors.MalformedEvent):
        step()
    assert step().data.event == "queuing"
    if calls.awaited:
        calls.run(events.aclose())
    else:
        events.close()


def test_leaving_loop_or_block_closes_connection(calls, raw):
    server = raw([HEAD, QUEUING, "hang"])
    events = Facade(calls, server.url).stream({"deployment_id": "d"})
    assert len(calls.items(events, 1)) == 1
    assert calls.wait(server.left)

    server = raw([HEAD, QUEUING, "hang"])
    events = Facade(calls, server.url).stream({"deployment_id": "d"})

    async def block():
        async with events as same:
            assert same is events

    if calls.awaited:
        calls.run(block())
    else:
        with events as same:
            assert same is events
    assert server.left.wait(5)


def test_functions_accept_a_client(emulator):
    with ComfyDeploy(bearer=emulator.bearer, server_url=emulator.url) as client:
        created = client.run.queue({"deployment_id": emulator.deployments["picture"]})
        assert isinstance(run_get(client, created.run_id), Success)
        assert isinstance(client, ComfyDeployCore)


def test_group_is_made_when_first_used():
    with ComfyDeploy(bearer="k") as client:
        assert "run" not in vars(client)
        assert client.run is client.run
