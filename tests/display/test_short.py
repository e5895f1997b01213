"""The ``repr`` of models is short, and contains no secret and no signed part of an address."""

import importlib
import json
import pickle
import pkgutil
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from comfydeploy import models
from comfydeploy._display.short import short_repr, short_value
from comfydeploy._wire.codec import read
from comfydeploy.models import (
    DeploymentInput,
    DeploymentModel,
    DeploymentRunRequest,
    EventUpdate,
    MediaFile,
    MediaItem,
    NativeRun,
    RunLog,
    Secret,
    Session,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunRow,
)
from comfydeploy.models.document import Documents, Shown

SIGNED = "https://storage.test/a/cat.png?X-Amz-Signature=5ec2e7&X-Amz-Credential=5ec2e7"
SAMPLES = Path(__file__).parent.parent / "samples" / "exchanges.json"
RUNS = [
    json.loads(one["body"])
    for one in json.loads(SAMPLES.read_text(encoding="utf-8"))
    if one["method"] == "GET" and one["status"] == 200 and one["path"].startswith("/run/")
]
CLASSES = [
    found
    for name in [module.name for module in pkgutil.iter_modules(models.__path__)]
    for found in vars(importlib.import_module(f"comfydeploy.models.{name}")).values()
    if isinstance(found, type) and found.__module__ == f"comfydeploy.models.{name}"
]


def test_every_model_is_shown_alike():
    assert [found for found in CLASSES if attrs.has(found) and found.__repr__ is not Shown.__repr__] == []


@pytest.mark.parametrize("document", RUNS, ids=lambda document: document["status"])
def test_a_recorded_run_is_short(document):
    text = repr(read(document, WorkflowRunModel, "run"))
    assert text.startswith(f"WorkflowRunModel(id='{document['id']}', status='{document['status']}'")
    assert len(text) < 300


def test_a_run_names_its_files():
    files = [MediaItem(url=SIGNED, type="output", filename=f"{number}.png") for number in range(7)]
    run = WorkflowRunModel(
        id="r", status="success", outputs=[WorkflowRunOutputModel(id="o", run_id="r", data={"images": files})]
    )
    assert repr(run) == (
        "WorkflowRunModel(id='r', status='success', files=['0.png', '1.png', '2.png', ... 4 more], ...)"
    )
    assert repr(run.outputs) == "[WorkflowRunOutputModel(id='o', files=['0.png', '1.png', '2.png', ... 4 more], ...)]"
    assert repr(files[0]) == "MediaItem(filename='0.png', type='output', url='https://storage.test/a/cat.png')"
    assert repr(run.files[0]) == (
        "OutputFile(filename='0.png', kind='images', url='https://storage.test/a/cat.png', ...)"
    )


def test_a_deployment_names_its_inputs():
    deployment = DeploymentModel(id="d", input_types=[DeploymentInput(input_id="seed", type="integer", min_value=0.0)])
    assert repr(deployment) == "DeploymentModel(id='d', input_types=['seed'])"
    assert repr(deployment.input_types[0]) == "DeploymentInput(input_id='seed', type='integer', ...)"


def test_a_long_page_is_cut():
    rows = [WorkflowRunRow(id=f"{number}", status="queued") for number in range(50)]
    row = "WorkflowRunRow(id='{}', status='queued')".format
    assert repr(Documents(rows)) == f"[{row(0)}, {row(1)}, {row(2)}, ... 47 more]"
    assert repr(Documents(rows[:2])) == f"[{row(0)}, {row(1)}]"
    assert pickle.loads(pickle.dumps(Documents(rows))) == rows


def test_a_request_hides_proofs_and_secrets():
    request = DeploymentRunRequest(
        deployment_id="d",
        inputs={"image": SIGNED, "api_key": "5ec2e7", "prompt": "x" * 200, "graph": {"a": {"b": {"c": 1}}}},
        webhook="https://me.test/hook?webhook_token=5ec2e7",
    )
    assert "5ec2e7" not in repr(request)
    assert repr(request) == (
        "DeploymentRunRequest(deployment_id='d', inputs={'image': 'https://storage.test/a/cat.png', "
        f"'api_key': '[redacted]', 'prompt': '{'x' * 77}...', 'graph': {{'a': {{...}}}}}}, ...)"
    )


@pytest.mark.parametrize(
    "value",
    [
        RunLog(log='{"url": "https://me.test/hook?webhook_token=5ec2e7", "cd_token": "5ec2e7"}'),
        Session(session_id="s", url="https://user:5ec2e7@session.test/?token=5ec2e7"),
        NativeRun(prompt_id="r", cd_token=Secret("5ec2e7"), inputs={"cd_token": "5ec2e7", "url": SIGNED}),
        MediaFile(content_type="image/png", size=6, content=b"5ec2e7"),
        EventUpdate(event="x", data={"note": f"see {SIGNED} and https://a.test#5ec2e7"}),
        WorkflowRunModel(id="r", status="success", webhook="https://me.test/hook?webhook_token=5ec2e7"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_secret_is_shown(value):
    shown = value._repr_mimebundle_()
    assert "5ec2e7" not in repr(value) + shown["text/plain"] + shown["text/html"]


class Broken:
    def __repr__(self):
        raise ValueError


@attrs.frozen
class MediaItemOfMine:
    url: str = "u"
    seed: int = 1
    made: list[int] = attrs.field(factory=lambda: [1])
    named: str = attrs.field(default=attrs.Factory(lambda self: self.url, takes_self=True))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"123", "<3 bytes>"),
        (0.123456, "0.1235"),
        (None, "None"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "2026-01-02 03:04:05+00:00"),
        (Broken(), "<Broken>"),
        (object, "<class 'object'>"),
        ((), "()"),
        ((1,), "(1,)"),
        ([[[1]], {"a": {"b": 1}}], "[[[...]], {'a': {...}}]"),
        ([[[]], {"a": {}}], "[[[]], {'a': {}}]"),
        ([[MediaItemOfMine()]], "[[MediaItemOfMine(...)]]"),
        (MediaItemOfMine(), "MediaItemOfMine(made=[1])"),
    ],
)
def test_any_value_has_a_short_text(value, text):
    assert short_repr([value]) == f"[{text}]"


def test_a_list_that_holds_itself_ends():
    items = [1]
    items.append(items)
    assert short_repr(items) == "[1, [1, [1, [...]]]]"


def test_a_text_in_a_cell_is_one_line():
    assert short_value("a  cat\n on\ta mat") == "a cat on a mat"
    assert short_value("x" * 200, 10) == "xxxxxxxxx…"
    assert short_value([1, 2]) == "[1, 2]"
