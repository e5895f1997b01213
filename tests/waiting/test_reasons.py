"""Reasons of failed runs, through the whole client: message, kind and source for each failure of the real server."""

import pytest
from simulated_time import simulated

from comfydeploy import RequestOptions, Success, opened
from comfydeploy.emulator import (
    CannotStart,
    Crashes,
    Emulator,
    Fails,
    IsCancelled,
    IsRefused,
    LosesOutputs,
    NodeOutput,
    OnlyPreviews,
    Succeeds,
    TimesOut,
)
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.outcome import DeadlineExceeded, RunCancelled, RunFailed, RunTimedOut

NODE = "KSampler (node 5): RuntimeError: no luck"
MODEL = "CheckpointLoaderSimple (node 1): Value not in list: ckpt_name: 'sd15.safetensors' not in []"
REFUSED = {"7": {"class_type": "SaveImage", "errors": [{"message": "Required input is missing", "details": "images"}]}}
GUESS = "(a guess: the server keeps no reason)"
CLASS = (
    "ComfyUI refused the graph before any node was executed, usually because the machine lacks a node class or because "
    f"the graph has no output node {GUESS}"
)

# The outcome of the run, the error, and its kind, source and message.
FAILURES = {
    "a node raises": (Fails("no luck"), RunFailed, "node", "row", NODE),
    "a node raises after outputs": (Fails("no luck", outputs=[NodeOutput()]), RunFailed, "node", "row", NODE),
    "a model is missing": (IsRefused(), RunFailed, "refused", "row", MODEL),
    "an input is missing": (
        IsRefused(node_errors=REFUSED),
        RunFailed,
        "refused",
        "row",
        "SaveImage (node 7): Required input is missing: images",
    ),
    "an unknown class": (
        IsRefused(node_errors={}),
        RunFailed,
        "refused",
        "guess",
        CLASS,
    ),
    "the machine cannot start": (
        CannotStart(),
        RunFailed,
        "start",
        "logs",
        "ImportError: cannot import name 'x' from 'y'",
    ),
    "the machine cannot start silently": (
        CannotStart(lines=()),
        RunFailed,
        "start",
        "guess",
        f"The machine could not start the run {GUESS}",
    ),
    "killed": (
        Crashes(),
        RunFailed,
        "crashed",
        "guess",
        f"KSampler: ComfyUI ended abruptly: killed, out of memory, or a crash {GUESS}",
    ),
    "time limit": (
        TimesOut(),
        RunTimedOut,
        "unknown",
        "guess",
        "KSampler: was executing when the time limit of the machine passed (a guess from the last live status)",
    ),
    "previews only": (
        OnlyPreviews(),
        RunTimedOut,
        "unmarked",
        "row",
        "Every node was executed, but the server never marked the run as a success: nothing had to be uploaded",
    ),
}
GOOD = {
    "upload fails": (LosesOutputs(), "without outputs"),
    "one of two outputs refused": (Succeeds(node_errors=REFUSED), None),
}


@pytest.fixture(params=[(), ("late-archive", "noisy-logs")], ids=["plain", "late and noisy"])
def emulator(request):
    with Emulator(clock="manual", port=None, quirks=request.param) as made, simulated(made):
        yield made


@pytest.fixture
def wait(calls, emulator):
    core = calls.core(
        emulator.url,
        bearer=emulator.bearer,
        transport=emulator.transport,
        async_transport=emulator.async_transport,
    )

    def wait(outcome, options=None, **named):
        emulator.script("picture", outcome)
        return calls("run_queue_and_wait", core, {"deployment_id": emulator.deployments["picture"]}, options, **named)

    return wait


@pytest.mark.parametrize("case", FAILURES)
def test_failed_run(case, wait, emulator):
    outcome, expected, kind, source, message = FAILURES[case]
    error = wait(outcome).failure()
    assert type(error) is expected
    assert (error.kind, error.source, error.message) == (kind, source, message)
    assert error.run_id == error.run.id == emulator.runs[-1].id
    assert error.fate == "answered"


def test_older_run_is_found_by_its_place(wait, emulator, calls):
    emulator.script("picture", Succeeds(seconds=0), times=None)
    later = calls.core(emulator.url, bearer=emulator.bearer, transport=emulator.transport)

    def crowd(run):
        if run.status == "not-started":
            for _ in range(8):
                emulator.script("picture", Succeeds(seconds=0))
            for _ in range(8):
                run_queue(later, {"deployment_id": emulator.deployments["picture"]}).unwrap()

    error = wait(Fails("no luck"), on_update=crowd).failure()
    assert (error.message, error.source) == (NODE, "row")
    assert "workflow_runs" in [one.operation for one in emulator.requests]


@pytest.mark.parametrize("case", GOOD)
def test_success_with_warning(case, wait):
    outcome, warning = GOOD[case]
    run = wait(outcome).unwrap()
    assert run.is_success
    assert (warning in run.warning) if warning else (run.warning is None)


def test_cancelled_run(wait, emulator):
    error = wait(IsCancelled()).failure()
    assert type(error) is RunCancelled
    assert error.message == "The run was cancelled at KSampler"
    assert not {"runs_list", "run_logs"} & {one.operation for one in emulator.requests}


def test_start_that_is_500_creates_no_second_run(wait, emulator):
    error = wait(CannotStart(at_once=True)).failure()
    assert error.status_code == 500
    assert len(emulator.runs) == 1


def test_inputs_are_shown_nowhere(wait, emulator):
    result = wait(Fails("no luck"))
    assert "current_inputs" not in repr(result) + str(result.failure()) + str(result.failure().traceback)
    assert isinstance(opened(result).lash(lambda error: Success(error.run)).unwrap().id, str)


def test_deadline_leaves_reason_guess(wait, emulator):
    error = wait(CannotStart(seconds=0), RequestOptions(deadline=3)).failure()
    assert not isinstance(error, DeadlineExceeded)
    assert error.kind == "start"
