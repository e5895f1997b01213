"""The display of each kind of value in a notebook: HTML with all texts escaped, and the same as text."""

import base64
import io
import re
import sys
from datetime import UTC, datetime
from math import inf, nan

import pytest
from html_page import Page
from PIL import Image

from comfydeploy._display.bundle import card_bundle
from comfydeploy._display.card import Card, Link, Status, Table
from comfydeploy._display.pictures import BUDGET, MOST
from comfydeploy._display.units import seconds_text, size_text
from comfydeploy.models import (
    CreateRunResponse,
    DeploymentInput,
    DeploymentModel,
    DeploymentOutput,
    FileUploadResponse,
    FoundRuns,
    MediaFile,
    MediaItem,
    RunLog,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunRow,
)
from comfydeploy.models.document import Documents
from comfydeploy.models.saved_files import SavedFiles

SCRIPT = "<script>alert(1)</script>"
SIGNED = "https://storage.test/a/cat.png?X-Amz-Signature=5ec2e7"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FILE = MediaItem(url=SIGNED, type="output", filename="cat.png")
OUTPUT = WorkflowRunOutputModel(
    id="o", run_id="r", output_id="picture", data={"images": [FILE], "text": ["a caption"], "flag": True}
)
RUN = WorkflowRunModel(
    id="r",
    status="success",
    created_at=NOON,
    duration=4.25,
    gpu="A100",
    workflow_inputs={"prompt": SCRIPT, "comfydeploy_key": "k", "image": SIGNED, "api_key": "5ec2e7"},
    outputs=[OUTPUT],
)
PIXEL = b"\x89PNG\r\n\x1a\n and the rest"


def page_of(value):
    return Page(value._repr_mimebundle_(include=None, exclude=None)["text/html"])


def text_of(value):
    return value._repr_mimebundle_()["text/plain"]


def test_a_run():
    page = page_of(RUN)
    assert "script" not in page.tags
    assert page.addresses == ["https://storage.test/a/cat.png"] * 2
    for text in ("Run", "r", "success", "4.2 s", "2026-01-02 12:00:00 UTC", "A100", SCRIPT, "cat.png", "a caption"):
        assert text in page.texts
    assert "comfydeploy_key" not in page.texts
    assert text_of(RUN).splitlines() == [
        "Run  r  success",
        "  created   2026-01-02 12:00:00 UTC",
        "  duration  4.2 s",
        "  gpu       A100",
        "  inputs",
        "    prompt   <script>alert(1)</script>",
        "    image    https://storage.test/a/cat.png",
        "    api_key  [redacted]",
        "  files",
        "    cat.png https://storage.test/a/cat.png  images  picture",
        "  other outputs",
        "    text  a caption",
        "    flag  True",
    ]


def test_a_run_that_goes_on():
    run = WorkflowRunModel(id="r", status="running", live_status="Executing X", progress=1.5, queue_position=1_200)
    assert text_of(run).splitlines() == [
        "Run  r  running",
        "  live status     Executing X",
        "  progress        100%",
        "  queue position  1,200",
    ]
    assert "progress" in page_of(run).tags


def test_success_without_outputs_has_warning():
    assert "without outputs" in text_of(WorkflowRunModel(id="r", status="success"))
    assert any("without outputs" in text for text in page_of(WorkflowRunModel(id="r", status="success")).texts)


def test_files_and_outputs():
    assert text_of(OUTPUT).startswith("Output  picture\n  files\n")
    assert text_of(RUN.files[0]).splitlines() == [
        "File  cat.png",
        "  address  https://storage.test/a/cat.png",
        "  kind     images",
        "  output   picture",
    ]
    assert text_of(FILE).splitlines() == ["File  cat.png", "  address  https://storage.test/a/cat.png"]
    assert page_of(MediaItem(url="javascript:alert(1)", type="output", filename="x")).addresses == []
    unsafe = WorkflowRunOutputModel(
        id="o", run_id="r", data={"images": [MediaItem(url="javascript:alert(1)", type="output", filename=SCRIPT)]}
    )
    assert page_of(unsafe).addresses == []


def test_a_chosen_address_is_whole():
    from comfydeploy._display.cards import card_of

    html = card_bundle(card_of(RUN), addresses=True)["text/html"]
    assert Page(html).addresses == [SIGNED, SIGNED]
    proof = MediaItem(url="https://me.test/?webhook_token=5ec2e7&a=1", type="output", filename="x")
    assert "5ec2e7" not in card_bundle(card_of(proof), addresses=True)["text/html"]


def test_a_file_in_memory():
    picture = page_of(MediaFile(content_type="image/png; q=1", size=len(PIXEL), content=PIXEL))
    assert picture.addresses[0].startswith("data:image/png;base64,iVBOR")
    for kind, content in (("text/html", b"<script>"), ("image/png", b""), ("image/png", bytes(BUDGET + 1))):
        assert page_of(MediaFile(content_type=kind, size=1, content=content)).addresses == []
    assert text_of(MediaFile(content_type="image/png", size=1_400, content=b"")) == "File  image/png, 1.4 kB"


def test_large_pictures_are_made_smaller(tmp_path, monkeypatch):
    noise = tmp_path / "noise.png"
    Image.effect_noise((700, 600), 100).save(noise)
    assert noise.stat().st_size > 200_000
    shown = page_of(MediaFile(content_type="image/png", size=1, content=noise.read_bytes())).addresses[0]
    assert shown.startswith("data:image/webp;base64,")
    small = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2])))
    assert small.size == (512, 439)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    copies = [tmp_path / f"copy-{number}.png" for number in range(MOST)]
    for copy in copies:
        copy.write_bytes(noise.read_bytes())
    page = page_of(SavedFiles(copies))
    assert 0 < len(page.addresses) < MOST  # as many as the budget has room for
    assert sum(map(len, page.addresses)) <= BUDGET * 4 // 3
    assert page.addresses[0].startswith("data:image/png;base64,")


def test_saved_files(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(MOST + 2)]
    for path in paths[1:]:
        path.write_bytes(PIXEL)
    other = tmp_path / "clip.mp4"
    saved = SavedFiles([other, *paths])
    page = page_of(saved)
    assert len(page.addresses) == MOST
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert "0.png" not in page.texts  # the file is missing
    assert text_of(saved).startswith(f"Files  {len(saved)} files\n  saved\n    {other}")
    assert repr(saved) == repr(list(saved))
    assert page_of(SavedFiles()).texts == ["Files", "0 files"]


def test_a_deployment():
    seed = DeploymentInput(input_id="seed", type="integer", default_value=1, min_value=0, max_value="9")
    mode = DeploymentInput(input_id="mode", type="enum", enum_options=["a", "b"], description=SCRIPT)
    free = DeploymentInput(input_id="prompt")
    deployment = DeploymentModel(
        id="d", environment="production", input_types=[seed, mode, free], output_types=[DeploymentOutput(output_id="o")]
    )
    assert text_of(deployment).splitlines() == [
        "Deployment  d",
        "  environment  production",
        "  outputs      o",
        "  inputs",
        "    seed    integer  1  0 to 9",
        "    mode    enum        a, b    <script>alert(1)</script>",
        "    prompt",
    ]
    assert "script" not in page_of(deployment).tags
    assert page_of(DeploymentModel(id="d")).texts == ["Deployment", "d"]


def test_pages_of_each_kind():
    row = WorkflowRunRow(id="r", status="running", created_at=NOON, run_duration=75, workflow_inputs={"seed": 1})
    assert text_of(Documents([row, row])).splitlines() == [
        "List  2 items",
        *["  r  running  2026-01-02 12:00:00 UTC  1 min 15 s  seed: 1"] * 2,
    ]
    deployment = DeploymentModel(id="d", gpu="T4", input_types=[DeploymentInput(input_id="seed")])
    assert text_of(Documents([deployment])) == "List  1 item\n  d  T4  seed"
    assert text_of(Documents([OUTPUT])) == "List  1 item\n  picture  images, text, flag  cat.png"
    many = WorkflowRunOutputModel(id="o", run_id="r", data={"images": [FILE] * 5})
    assert text_of(Documents([many])) == "List  1 item\n  o  images  cat.png, cat.png, cat.png, 2 more"
    assert text_of(Documents(RUN.files)) == "List  1 item\n  cat.png https://storage.test/a/cat.png  images"
    logs = Documents([RunLog(log="a\nb", timestamp=NOON), RunLog(log=f"see {SIGNED}")])
    assert text_of(logs).splitlines()[1:] == [
        "  2026-01-02 12:00:00 UTC  a b",
        "                           see https://storage.test/a/cat.png",
    ]
    assert text_of(Documents([CreateRunResponse(run_id="r")])) == "List  1 item\n  r"
    assert text_of(Documents([1, SIGNED])) == "List  2 items\n  1\n  https://storage.test/a/cat.png"
    assert text_of(Documents()) == "List  0 items"
    assert text_of(Documents([row] * 60)).splitlines()[-1] == "    ... 10 more"
    assert "10 more" in page_of(Documents([row] * 60)).texts


def test_other_values():
    upload = FileUploadResponse(file_url=SIGNED, file_id="f")
    assert text_of(upload).splitlines() == [
        "FileUploadResponse",
        "  file url  https://storage.test/a/cat.png",
        "  file id   f",
    ]
    assert text_of(FoundRuns([], listed=True)) == "Found runs  0 items"
    assert "unknown" in text_of(FoundRuns([], listed=False))


def test_a_terminal_obeys_nothing():
    run = WorkflowRunModel(id="\x1b[2J", status="running", live_status="\x1b]0;x\x07")
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text_of(run)) is None


def test_half_of_a_character_is_replaced():
    bundle = WorkflowRunModel(id="r\ud800", status="success")._repr_mimebundle_()
    assert b"r?" in bundle["text/html"].encode()
    assert bundle["text/plain"].encode()


def test_no_part_of_card_has_signature():
    table = Table("t", ("h",), ((SIGNED,), (Link(SIGNED, SIGNED),), (Status(SIGNED),)))
    shown = card_bundle(Card("Run", SIGNED, SIGNED, (("f", SIGNED),), (table,), note=f"Upload failed for {SIGNED}"))
    assert "5ec2e7" not in shown["text/html"] + shown["text/plain"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 00 s"), (3599.6, "1 h 00 min"), (7_384, "2 h 03 min")]
    + [(inf, "inf s"), (nan, "nan s"), (-1, "-1.0 s")],
)
def test_durations(seconds, text):
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(999, "999 B"), (1_400, "1.4 kB"), (2e6, "2.0 MB"), (3e9, "3.0 GB")])
def test_sizes(size, text):
    assert size_text(size) == text
