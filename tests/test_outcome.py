"""Outcomes are values that match, print, pickle and can be raised."""

import copy
import json
import pickle
import subprocess
import sys
import typing
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy import outcome
from comfydeploy.errors import ComfyDeployError, ConnectionError, Error, Fate, SDKError
from comfydeploy.models import OutputFile, WorkflowRunModel, WorkflowRunOutputModel, WorkflowRunRow
from comfydeploy.models.run import RunStatus
from comfydeploy.outcome import (
    DeadlineExceeded,
    DownloadIncomplete,
    PollFailed,
    RunCancelled,
    RunEnd,
    RunFailed,
    RunTimedOut,
    WaitError,
    node_at_work,
    run_outcome,
    unmarked,
)
from comfydeploy.result import Failure, Success

MOMENT = datetime(2026, 11, 25, tzinfo=UTC)
OUTPUT = WorkflowRunOutputModel(id="o", run_id="r", data={"text": ["x"]})
RUN = WorkflowRunModel(id="r", status="failed", workflow_inputs={"prompt": "SECRET"}, outputs=[OUTPUT])
FILE = OutputFile(url="https://f", filename="f.png", kind="images")
LOST = ConnectionError("lost", "answered")
ERRORS = [
    RunFailed(
        "K (node 5): E: m", RUN, "r", "node", "5", "K", "E", "m\n\nmore", "a trace", ("a log",), "row", "Look there."
    ),
    DownloadIncomplete("m", "r", (), ((FILE, LOST),)),
    RunFailed("m", None, None),
    RunCancelled("m", RUN, "r"),
    RunTimedOut("m", RUN, "r", "unmarked", "row", "Look there."),
    RunTimedOut("m", RUN, "r"),
    DeadlineExceeded("m", "r", RUN, "unknown", "Wait on."),
    DeadlineExceeded("m", "r", None, "no"),
    PollFailed(ConnectionError("lost", "unknown"), "Wait on.", "r"),
    PollFailed(SDKError("busy", 503)),
]
by_name = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


def fields_of(error):
    values = {field.name: getattr(error, field.name) for field in attrs.fields(type(error))}
    return {name: repr(value) if isinstance(value, Exception | tuple) else value for name, value in values.items()}


def run(status, **fields):
    return WorkflowRunModel(id="r", status=status, **fields)


def test_there_is_example_of_every_error():
    kinds = {type(error) for error in ERRORS}
    assert kinds == {
        kind for kind in vars(outcome).values() if isinstance(kind, type) and kind.__base__ is ComfyDeployError
    }
    assert kinds == {*typing.get_args(RunEnd), DeadlineExceeded, PollFailed, DownloadIncomplete}
    assert set(typing.get_args(WaitError)) == {*typing.get_args(RunEnd), DeadlineExceeded, *typing.get_args(Error)}


def test_fields_of_failed_run():
    names = "message run run_id kind node_id node_type exception_type exception_message traceback logs source hint fate"
    assert [field.name for field in attrs.fields(RunFailed)] == names.split()


@by_name
def test_error_can_be_raised(error):
    with pytest.raises(ComfyDeployError) as caught:
        raise error
    assert caught.value is error
    assert str(error).startswith(error.message)
    assert error.fate in typing.get_args(Fate)
    assert hasattr(error, "hint")
    assert hasattr(error, "run_id")


@by_name
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_error_keeps_its_fields(error, protocol):
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error)
    assert fields_of(again) == fields_of(error)
    assert (str(again), repr(again)) == (str(error), repr(error))


@by_name
def test_error_cannot_be_changed(error):
    assert fields_of(copy.copy(error)) == fields_of(copy.deepcopy(error)) == fields_of(error)
    with pytest.raises(AttributeError):
        error.hint = "other"


@by_name
def test_error_prints_no_inputs(error):
    assert "SECRET" not in repr(error)
    assert f"fate={error.fate!r}" in repr(error)


def test_repr_has_neither_run_nor_texts():
    ended = [run_outcome(attrs.evolve(RUN, status=status)).failure() for status in ("failed", "cancelled", "timeout")]
    left = [DeadlineExceeded("m", "r", RUN, "no"), PollFailed(LOST, None, "r"), ERRORS[0]]
    assert [repr(error) for error in (*ended, *left)] == [
        (
            f"RunFailed(message={ended[0].message!r}, run_id='r', kind='unknown', node_id=None, node_type=None, "
            "exception_type=None, source='guess', hint=None, fate='answered')"
        ),
        "RunCancelled(message='The run was cancelled before its first node', run_id='r', hint=None, fate='answered')",
        (
            f"RunTimedOut(message={ended[2].message!r}, run_id='r', kind='unmarked', source='guess', "
            f"hint={ended[2].hint!r}, fate='answered')"
        ),
        "DeadlineExceeded(message='m', run_id='r', cancelled='no', hint=None, fate='answered')",
        f"PollFailed(error={LOST!r}, hint=None, run_id='r', fate='answered')",
        (
            "RunFailed(message='K (node 5): E: m', run_id='r', kind='node', node_id='5', node_type='K', "
            "exception_type='E', source='row', hint='Look there.', fate='answered')"
        ),
    ]
    assert run_outcome(run("timeout", started_at=MOMENT)).failure().kind == "unknown"
    assert (ended[0].exception_message, ended[0].traceback, ended[0].logs) == (None, None, ())


def test_fate_of_end_is_no_argument():
    assert node_at_work(RUN) is None
    made = [
        (RunFailed, ("m", RUN, "r")),
        (RunCancelled, ("m", RUN, "r")),
        (RunTimedOut, ("m", RUN, "r")),
        (DeadlineExceeded, ("m", "r", None, "no")),
        (DownloadIncomplete, ("m", "r", (), ())),
    ]
    for kind, arguments in made:
        assert kind(*arguments).fate == "answered"
        with pytest.raises(TypeError):
            kind(*arguments, fate="unknown")
    for name in ("message", "fate"):
        with pytest.raises(TypeError):
            PollFailed(LOST, **{name: "unknown"})


def test_unmarked_run_says_how_it_is_known():
    known, guess = (unmarked(RUN, source) for source in ("row", "guess"))
    assert known.message.startswith("Every node was executed, but the server never marked the run as a success")
    assert guess.message.startswith("The run has outputs, but the server never marked it as a success (a guess")
    assert (known.kind, known.source, guess.source, known.run_id) == ("unmarked", "row", "guess", "r")
    assert known.hint == guess.hint
    assert known.hint.startswith("Its results are in run.outputs")


@pytest.mark.parametrize(
    ("live_status", "node"),
    [(None, None), ("Executing ", None), ("Executing  K \n", "K"), ("Executing", None), ("Not Executing K", None)],
)
def test_node_at_work(live_status, node):
    assert node_at_work(run("running", live_status=live_status)) == node


def test_failed_poll_has_fate_of_poll():
    assert [error.fate for error in ERRORS[-2:]] == ["unknown", "answered"]
    assert ERRORS[-2].message == "A poll failed and is tried again: lost"


@pytest.mark.parametrize("status", ["not-started", "queued", "started", "running", "uploading"])
@pytest.mark.parametrize("ended_at", [None, MOMENT])
def test_run_on_its_way_has_no_outcome(status, ended_at):
    assert run_outcome(run(status, ended_at=ended_at)) is None


def test_success_means_that_run_succeeded():
    for status in typing.get_args(RunStatus):
        result = run_outcome(run(status))
        assert isinstance(result, Success) is (status == "success")
    succeeded = run("success")
    assert run_outcome(succeeded).unwrap() is succeeded


def test_unknown_status_is_end_with_ended_at():
    assert run_outcome(run("thawing")) is None
    error = run_outcome(run("evicted", ended_at=MOMENT)).failure()
    assert isinstance(error, RunFailed)
    assert (error.kind, error.source) == ("unknown", "guess")
    assert error.message == "The run ended with the status 'evicted', which this version does not know"


@pytest.mark.parametrize(
    ("fields", "kind", "message"),
    [
        ({"status": "failed"}, RunFailed, "The run failed before a node was reported (a guess"),
        ({"status": "failed", "live_status": "Executing K"}, RunFailed, "The run failed at K (a guess"),
        ({"status": "cancelled"}, RunCancelled, "The run was cancelled before its first node"),
        ({"status": "cancelled", "live_status": "Executing K"}, RunCancelled, "The run was cancelled at K"),
        ({"status": "cancelled", "live_status": "Executing "}, RunCancelled, "The run was cancelled before its first"),
        ({"status": "cancelled", "live_status": "Loading"}, RunCancelled, "The run was cancelled before its first"),
        ({"status": "timeout", "live_status": "Executing K"}, RunTimedOut, "K: was executing when the time limit"),
        ({"status": "timeout"}, RunTimedOut, "The machine did not start the run"),
        ({"status": "timeout", "started_at": MOMENT}, RunTimedOut, "The time limit of the machine passed (a guess"),
        ({"status": "timeout", "outputs": [OUTPUT]}, RunTimedOut, "The run has outputs, but the server never marked"),
    ],
)
def test_end_of_run(fields, kind, message):
    ended = run(**fields)
    error = run_outcome(ended).failure()
    assert type(error) is kind
    assert error.message.startswith(message)
    assert (error.run, error.run_id, error.fate) == (ended, "r", "answered")


def test_timed_out_run_with_outputs_is_unmarked():
    assert run_outcome(run("timeout", outputs=[OUTPUT])).failure().kind == "unmarked"
    assert run_outcome(run("timeout", outputs=[attrs.evolve(OUTPUT, data={})])).failure().kind == "start"


@given(st.text() | st.sampled_from(typing.get_args(RunStatus)), st.none() | st.just(MOMENT), st.none() | st.text())
def test_ended_run_has_outcome(status, ended_at, live_status):
    model = run(status, ended_at=ended_at, live_status=live_status)
    row = WorkflowRunRow(id="r", status=status, ended_at=ended_at)
    result = run_outcome(model)
    assert model.is_ended is row.is_ended is (result is not None)
    assert model.is_success is row.is_success is isinstance(result, Success)
    assert result is None or isinstance(result, Success | Failure)


def test_success_without_outputs_warns():
    assert "without outputs" in run("success").warning
    assert "without outputs" in run("success", outputs=[attrs.evolve(OUTPUT, data={})]).warning
    assert run("success", outputs=[OUTPUT]).warning is None
    assert run("failed").warning is None


def test_errors_match_by_class_and_field():
    def found(error):
        match error:
            case RunFailed(kind="node", node_id=node, source="row"):
                return node
            case RunFailed(message, None) | RunCancelled(message):
                return message
            case RunTimedOut(kind="unmarked") | DeadlineExceeded(cancelled="unknown"):
                return error.hint
            case PollFailed(ConnectionError()):
                return "lost"
            case _:
                return None

    assert [found(error) for error in ERRORS] == [
        "5",
        None,
        "m",
        "m",
        "Look there.",
        None,
        "Wait on.",
        None,
        "lost",
        None,
    ]


def test_every_public_name_is_there():
    assert list(outcome.__all__) == sorted(outcome.__all__, key=lambda name: (name.islower(), name))
    assert all(hasattr(outcome, name) for name in outcome.__all__)


def test_queueing_run_loads_no_outcomes():
    code = "import json, sys; import comfydeploy.funcs.run_queue; print(json.dumps(list(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "comfydeploy.outcome" not in json.loads(output)
