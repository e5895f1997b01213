"""The client against a server with all quirks: it never raises, and its results say what is known."""

import json
import pkgutil

import pytest

from comfydeploy import ComfyDeploy, Failure, Success, errors, funcs, unwrap
from comfydeploy.emulator import Emulator, Quirk
from comfydeploy.webhooks import webhook_parse, webhook_progress

NO_ID = "00000000-0000-4000-8000-000000000000"
INVALID = {"1": {"class_type": "NoSuchNode", "inputs": {}}}

# These tests wait for the end of log streams.
ELSEWHERE = {Quirk.UNAVAILABLE_LOGS}


@pytest.fixture(scope="module")
def quirky():
    with Emulator(pace=0, quirks=set(Quirk) - ELSEWHERE) as emulator:
        yield emulator


@pytest.fixture
def core(calls, quirky):
    return calls.core(quirky.url, bearer=quirky.bearer)


@pytest.fixture
def order(quirky):
    return lambda name="picture", **fields: {"deployment_id": quirky.deployments[name], **fields}


@pytest.fixture
def invalid(calls, core):
    """A request with a graph that cannot be executed."""
    row = unwrap(calls("deployments_list", core))[0]
    return {"workflow_id": row.workflow_id, "machine_id": row.machine_id, "workflow_api_json": INVALID}


def ended(calls, core, run_id):
    calls.items(unwrap(calls("run_logs_stream", core, run_id)))
    return unwrap(calls("run_get", core, run_id))


@pytest.mark.parametrize("fields", [{"batch_number": 2}, {"is_native_run": True}, {"execution_mode": "sync"}])
@pytest.mark.parametrize("name", ["run_queue", "run_deployment_queue"])
def test_500_is_not_retried_and_hints_at_run(  # noqa: PLR0917 - named by pytest
    calls, core, quirky, order, name, fields
):
    before = len(quirky.runs)
    error = calls(name, core, order(**fields)).failure()
    assert (type(error), error.status_code, error.detail) == (errors.SDKError, 500, "Internal Server Error")
    assert "may have been created" in error.hint
    assert len(quirky.runs) - before == fields.get("batch_number", 1)


def test_batch_is_begun_by_its_own_operation(calls, core, order):
    assert unwrap(calls("run_batch", core, order(batch_number=2))).batch_id


def test_unexpected_stream_hints_at_run(calls, core, order):
    error = calls("run_queue", core, order(execution_mode="stream")).failure()
    assert (error.status_code, error.content_type) == (200, "text/event-stream")
    assert "may have been" in str(error)


def test_failed_sync_run_is_empty_list(calls, core, order):
    assert calls("run_sync", core, order("failing")) == Success([])


@pytest.mark.parametrize("run_id", [NO_ID, "nope"])
def test_cancelling_unknown_run_is_error(calls, core, run_id):
    error = calls("run_cancel", core, run_id).failure()
    assert error.status_code == 500
    assert run_id == "nope" or "not found" in error.hint


def test_session_that_was_closed_with_400_is_gone(calls, core):
    machine_id = unwrap(calls("deployments_list", core))[0].machine_id
    session_id = unwrap(calls("session_create", core, {"machine_id": machine_id})).session_id
    assert calls("session_cancel", core, session_id).failure().status_code == 400
    assert calls("session_get", core, session_id).failure().status_code == 404


def test_stream_goes_on_after_corrupted_event(calls, core, order):
    stream = unwrap(calls("run_stream", core, order("slow")))
    items = calls.items(stream)
    broken = [item.failure() for item in items if isinstance(item, Failure)]
    assert {type(error) for error in broken} == {errors.MalformedEvent}
    assert any("progress_state" in error.raw and "log_update" in error.raw for error in broken)
    assert items[-1].unwrap().data.data["status"] == "success"
    assert ended(calls, core, stream.run_id).status == "success"


def test_endless_stream_ends_after_its_error(calls, core, invalid):
    stream = unwrap(calls("run_workflow_stream", core, invalid))
    items = calls.items(stream)
    assert items[-1].unwrap().data.raw["error"]["type"] == "invalid_prompt"
    assert (stream.failure.kind, stream.failure.source) == ("refused", "stream")


def test_silent_end_is_end_and_run_can_be_read(calls, core, order):
    stream = unwrap(calls("run_stream", core, order(inputs={"text": [None]})))
    assert isinstance(calls.items(stream)[-1], Success)
    assert ended(calls, core, stream.run_id).status == "timeout"


def test_outputs_that_vanish_leave_empty_list(calls, core, order):
    assert calls("run_sync", core, order(inputs={"text": [5]})) == Success([])


def test_run_that_timed_out_has_its_outputs(calls, core, order):
    run_id = unwrap(calls("run_queue", core, order(inputs={"text": "hello"}))).run_id
    run = ended(calls, core, run_id)
    assert (run.status, run.is_ended) == ("timeout", True)
    assert [output.data for output in run.outputs] == [{"text": ["hello"]}]


def test_odd_times_are_read(calls, core, order):
    run = ended(calls, core, unwrap(calls("run_queue", core, order())).run_id)
    assert run.raw["created_at"].endswith("+00Z")
    for moment in (run.created_at, run.ended_at, run.outputs[0].created_at):
        assert moment.utcoffset().total_seconds() == 0


@pytest.mark.parametrize(("name", "end"), [("picture", "success"), ("failing", "failed")])
def test_webhooks_in_any_order_and_form(  # noqa: PLR0917 - named by pytest
    calls, core, quirky, order, sink, name, end
):
    run_id = unwrap(calls("run_queue", core, order(name, webhook=sink.url, webhook_intermediate_status=True))).run_id
    state, methods = None, set()
    while not (state and state.is_ended and any("queued" in update for update in methods)):
        method, headers, body = sink.received.get(timeout=5)
        update = unwrap(webhook_parse(method, headers, json.dumps(body)))
        methods.add((method, update.status))
        state = webhook_progress(state, update)
    assert (state.run_id, state.status) == (run_id, end)
    assert [output.files[0].filename for output in state.outputs] == (["cd_00001_.png"] if end == "success" else [])
    assert {method for method, _ in methods} == {"POST", "GET"}


PAGED = ("deployment_runs", "machines_list", "runs_list", "workflow_runs")


def arguments_of(name, core, order, calls):
    request = order(inputs={"text": [None]})
    row = unwrap(calls("deployments_list", core))[0]
    graph = {"workflow_id": row.workflow_id, "machine_id": row.machine_id, "workflow_api_json": INVALID}
    by_name = {
        **dict.fromkeys(
            ("deployments_list", "machines_list", "models_list", "session_list", "usage", "deployments_featured"), ()
        ),
        "asset_upload": (b"x",),
        "deployment_create": ({"workflow_id": row.workflow_id, "machine_id": NO_ID},),
        "deployment_update": (NO_ID, {"gpu": "T4"}),
        "file_download": (f"{core.address}/nothing",),
        "file_upload": (b"x",),
        "runs_list": (row.workflow_id,),
        "session_create": ({"machine_id": row.machine_id},),
        "session_increase_timeout": (NO_ID, 5),
        "share_get": ("user", "other"),
        "run_batch": ({**request, "batch_number": 2},),
        "run_first_result": (request,),
    }
    if name in by_name:
        return by_name[name]
    if name.startswith("run_workflow"):
        return (graph,)
    starts = name.endswith(("_queue", "_sync", "run_stream", "deployment_stream", "_native"))
    return (request,) if starts else (NO_ID,)


# Without maps, whose items are results of jobs.
@pytest.mark.parametrize(
    "name", [one.name for one in pkgutil.iter_modules(funcs.__path__) if not one.name.startswith("run_map")]
)
def test_no_operation_raises(calls, core, order, name, tmp_path):
    arguments = (tmp_path / "map.sqlite",) if name == "map_step" else arguments_of(name, core, order, calls)
    named = {
        "map_step": {"key": "k", "request": order()},
        "asset_upload": {"name": "cat.png"},
        "file_upload": {"name": "cat.png"},
        "run_download": {"to": tmp_path},
        "run_queue_once": {"key": "k", "settle": 0},
    }.get(name, {})
    listed = name.startswith("run_watch") or name in PAGED
    results = calls.pages(name, core, *arguments) if listed else [calls(name, core, *arguments, **named)]
    assert results
    assert all(isinstance(result, Success | Failure) for result in results)


def test_facade_raises_errors_of_functions(quirky, order):
    with ComfyDeploy(bearer=quirky.bearer, server_url=quirky.url) as client:
        with pytest.raises(errors.SDKError, match="may have been created"):
            client.run.queue(order(batch_number=2))
        assert client.run.sync(order("failing")) == []
