"""Runs as the page shows them."""

from datetime import UTC, datetime, timedelta

import pytest

from comfydeploy._emulator.page.views import RunView
from comfydeploy._emulator.page.writing import age, clock, duration
from comfydeploy._emulator.runs.events import update
from comfydeploy._emulator.runs.feed import History, TimedEvent
from comfydeploy._emulator.runs.output import InternalOutput, Output, OutputFile
from comfydeploy._emulator.runs.run import Run

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (-1, "0.00 s"),
        (0.424, "0.42 s"),
        (9.1, "9.10 s"),
        (60, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_are_written_in_two_units(seconds, text):
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "just now"),
        (9.9, "just now"),
        (10, "10 s ago"),
        (59, "50 s ago"),
        (119, "1 min ago"),
        (3600, "1 h ago"),
        (172_800, "2 d ago"),
    ],
)
def test_ages_are_written_coarsely(seconds, text):
    assert age(timedelta(seconds=seconds)) == text


def test_moments_are_written_to_millisecond():
    assert clock(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)) == "2026-01-02 03:04:05.678"


@pytest.fixture
def view():
    """A run that executes a sampler, with the events of its stream."""

    def make(*events):
        run = Run(
            id="r",
            workflow_version_id=None,
            workflow_inputs={},
            workflow_id="w",
            machine_id="m",
            origin="api",
            created_at=MOMENT,
            updated_at=MOMENT,
            gpu_event_id=None,
            gpu="CPU",
            modal_function_call_id=None,
            webhook=None,
            webhook_intermediate_status=False,
            status="running",
            live_status="Executing KSampler",
        )
        history = History()
        history.latest.extend(TimedEvent(MOMENT, event) for event in events)
        return RunView(run, "picture", MOMENT, history)

    return make


def progress(value, most):
    return update("progress", {"value": value, "max": most, "node": "5"})


def test_node_of_several_steps_shows_its_step(view):
    assert (
        view(update("executing", {"node": "5"}), progress(3, 20), progress(12, 20)).live == "Executing KSampler 12/20"
    )


@pytest.mark.parametrize(
    "events", [(), (progress(1, 1),), (progress(12, 20), update("executing", {"node": "6"})), (update("status", "x"),)]
)
def test_other_nodes_show_none(view, events):
    assert view(*events).live == "Executing KSampler"


def test_success_that_lacks_outputs_is_marked(view):
    lost = InternalOutput(id="i", data={"error": {"node_errors": {}}}, created_at=MOMENT)
    run = view().run.model_copy(update={"status": "success", "internal_outputs": (lost,)})
    assert RunView(run, "picture", MOMENT).live == "Some outputs are missing"


def test_outputs_are_named_by_their_nodes(view):
    data = {"images": [OutputFile(filename="a b.png", upload_duration=0)], "text": ["a cat", 5]}
    run = view().run
    output = Output(
        id="o", output_id="result", run_id="r", node="9", node_class="SaveImage", data=data, created_at=MOMENT
    )
    (made,) = RunView(run.model_copy(update={"outputs": (output,)}), "picture", MOMENT).outputs
    assert (made.name, made.texts) == ("result: SaveImage (node 9)", ["a cat", "5"])
    assert made.files[0].thumbnail.format(size="small") == "/page/thumbnails/small/r/a%20b.png"
