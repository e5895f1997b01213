import pytest

from comfydeploy._emulator.page.reasons import reason
from comfydeploy.emulator import CannotStart, Crashes, Emulator, Fails, IsRefused, LosesOutputs, Succeeds

NODE_ERRORS = {"8": {"errors": [{"message": "m", "details": "d"}], "class_type": "LoadImage"}}


@pytest.fixture
def found(connect):
    """Run a run with an outcome, and return the reason that its page shows."""

    def run(outcome):
        with Emulator(clock="manual") as emulator:
            emulator.script("picture", outcome)
            connect(emulator).post("/run/queue", json={"deployment_id": emulator.deployments["picture"]})
            emulator.advance(60)
            (run,) = emulator.runs
            return reason(run, emulator._backend.store.log(run.id))

    return run


def test_node_that_raised_has_its_traceback_apart(found):
    shown = found(Fails("out of memory\nby 3 GB", "torch.OutOfMemoryError"))
    assert shown.title == "Why it failed"
    assert shown.lines == ["KSampler (node 5) raised torch.OutOfMemoryError:", "out of memory\nby 3 GB"]
    assert shown.traceback.startswith('  File "')


def test_refused_graph_has_line_for_each_error(found):
    shown = found(IsRefused(NODE_ERRORS))
    assert shown.lines == ["ComfyUI refused the graph: Prompt outputs failed validation", "LoadImage (node 8): m: d"]


def test_missing_outputs_of_success_are_marked(found):
    assert found(Succeeds(node_errors=NODE_ERRORS)).title == "Some outputs are missing"
    assert found(LosesOutputs("no route")).lines == ["Upload failed for cd_00001_.png: no route"]
    assert found(Succeeds()) is None


def test_without_row_it_is_last_line_of_log(found):
    assert found(CannotStart(["Session crashed in startup", "Error in x: no y"])).lines[1:] == ["Error in x: no y"]
    assert found(Crashes()).lines[1].startswith("At: ")
    assert found(IsRefused({})) is None
