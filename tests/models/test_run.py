"""The end of a run, and the files of its outputs."""

import pickle
from datetime import UTC, datetime

import pytest
from attrs.exceptions import FrozenInstanceError

from comfydeploy.models import (
    CreateRunResponse,
    MediaItem,
    OutputFile,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunRow,
    WorkflowRunWebhookBody,
    WorkflowRunWebhookResponse,
)

FILE = MediaItem(url="https://f/1", type="output", filename="1.png")
OTHER = MediaItem(url="https://f/2", type="temp", filename="2.png")


@pytest.mark.parametrize("status", ["success", "failed", "timeout", "cancelled"])
def test_run_that_came_to_end_is_ended(status):
    assert WorkflowRunModel(id="r", status=status).is_ended


@pytest.mark.parametrize("status", ["paused", ""])
def test_unknown_status_ends_with_ended_at(status):
    assert not WorkflowRunModel(id="r", status=status).is_ended
    assert WorkflowRunModel(id="r", status=status, ended_at=datetime.now(UTC)).is_ended


@pytest.mark.parametrize("status", ["not-started", "queued", "started", "running", "uploading"])
def test_run_of_any_other_status_is_not(status):
    assert not WorkflowRunModel(id="r", status=status, ended_at=datetime.now(UTC)).is_ended


def test_files_are_of_all_kinds_in_order():
    output = WorkflowRunOutputModel(
        id="o",
        run_id="r",
        data={"text": ["a", True], "images": [FILE, "x"], "odd": FILE, "none": None, "gifs": [OTHER]},
    )
    assert output.files == [FILE, OTHER]


@pytest.mark.parametrize(
    ("node_id", "meta", "expected"),
    [("5", {"node_id": "6"}, "5"), (None, {"node_id": "6"}, "6"), (None, {"node_id": 6}, "6"), ("", {"node_id": 6}, "")]
    + [(None, meta, None) for meta in (None, [], {}, "node_id", {"node_id": [6]}, {"node_id": None})],
)
def test_file_has_all_of_its_output(node_id, meta, expected):
    item = MediaItem(url="u", type="temp", filename="f", subfolder="s")
    output = WorkflowRunOutputModel(
        id="o", run_id="r", data={"gifs": [item]}, output_id="out", node_id=node_id, node_meta=meta
    )
    (file,) = WorkflowRunModel(id="r", status="success", outputs=[output]).files
    assert file == OutputFile(
        url="u", filename="f", kind="gifs", output_id="out", node_id=expected, subfolder="s", type="temp"
    )


@pytest.mark.parametrize(
    ("status", "data", "is_warned"),
    [("success", None, True), ("success", {}, True), ("success", {"text": ["a"]}, False), ("failed", None, False)],
)
def test_success_without_outputs_has_warning(status, data, is_warned):
    outputs = [] if data is None else [WorkflowRunOutputModel(id="o", run_id="r", data=data)]
    run = WorkflowRunModel(id="r", status=status, outputs=outputs)
    assert (run.is_success, run.warning is not None) == (status == "success", is_warned)


@pytest.mark.parametrize(("status", "ended_at"), [("success", None), ("running", None), ("new", 1), ("new", None)])
def test_row_ends_as_run_does(status, ended_at):
    ended_at = ended_at and datetime.now(UTC)
    run, row = (kind(id="r", status=status, ended_at=ended_at) for kind in (WorkflowRunModel, WorkflowRunRow))
    assert (row.is_ended, row.is_success) == (run.is_ended, run.is_success)


def test_output_without_files_has_none():
    assert WorkflowRunOutputModel(id="o", run_id="r").files == []


@pytest.mark.parametrize(
    "model",
    [
        FILE,
        CreateRunResponse(run_id="r", raw={"run_id": "r"}),
        WorkflowRunModel(id="r", status="queued", raw={"id": "r"}),
        WorkflowRunOutputModel(id="o", run_id="r", data={"images": [FILE]}),
        WorkflowRunWebhookBody(run_id="r", status="queued"),
        WorkflowRunWebhookResponse(status="ok"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_model_is_value_that_cannot_be_changed(model):
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert again.raw == model.raw
    with pytest.raises(FrozenInstanceError):
        model.raw = {}
    with pytest.raises(TypeError):
        type(model)("by place")


def test_raw_is_not_compared_or_printed():
    with_raw, without_raw = CreateRunResponse(run_id="r", raw={"secret": 1}), CreateRunResponse(run_id="r")
    assert with_raw == without_raw
    assert repr(with_raw) == repr(without_raw) == "CreateRunResponse(run_id='r')"


def test_models_share_no_defaults():
    first, second = (WorkflowRunModel(id="r", status="queued") for _ in range(2))
    assert first.outputs is not second.outputs
    assert first.raw is not second.raw
