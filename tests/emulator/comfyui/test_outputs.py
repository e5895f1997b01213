import httpx
import pytest

from comfydeploy.funcs.run_first_result import run_first_result
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_sync import run_sync
from comfydeploy.result import unwrap


def file(filename, subfolder="", folder="output", **more):
    return {"filename": filename, "subfolder": subfolder, "type": folder, **more}


@pytest.fixture
def ran(local, node):
    """Run a graph of nodes that save these outputs; return the run."""

    def run(*outputs):
        request = local.request(*(node("Saver", ui=output) for output in outputs))
        return local.ended(unwrap(run_queue(local.core, request)).run_id)

    return run


def test_picture_is_listed_as_service_lists_it(ran, comfyui):
    comfyui.files["cd_00024_.png", "", "output"] = b"\x89PNG 24"
    (output,) = ran({"images": [file("cd_00024_.png", output_id="result")]}).outputs
    assert (output.output_id, output.node_meta) == ("result", {"node_id": "1"})
    (picture,) = output.data["images"]
    assert (picture.filename, picture.type, picture.subfolder, picture.is_public) == (
        "cd_00024_.png",
        "output",
        "",
        True,
    )
    assert picture.upload_duration >= 0
    answer = httpx.get(picture.url)
    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG 24", "image/png")


def test_run_and_events_equal_simulated_ones(comfyui, local, node):
    comfyui.files["cd_00024_.png", "", "output"] = b"\x89PNG"
    saver = node("Saver", ui={"images": [file("cd_00024_.png", output_id="result")]})
    simulated, executed = (
        dict(reversed(local.streamed(request)))
        for request in (
            {"deployment_id": local.emulator.deployments["picture"]},
            local.request(node("Sampler", steps=1), saver),
        )
    )
    assert executed.keys() == simulated.keys()
    for kind, data in simulated.items():
        assert type(executed[kind]) is type(data)
        assert not isinstance(data, dict) or executed[kind].keys() == data.keys(), kind
    found, expected = (events["executed"]["output"]["images"][0] for events in (executed, simulated))
    assert found.keys() == expected.keys()
    run, other = (local.ended(events[""]["prompt_id"]).raw["outputs"][0] for events in (executed, simulated))
    assert list(run) == list(other)
    assert list(run["data"]["images"][0]) == list(other["data"]["images"][0])


@pytest.mark.parametrize(
    ("kind", "filename", "listed"),
    [
        ("images", "a b#1.webp", "images"),
        ("gifs", "clip_00001.gif", "images"),
        ("gifs", "clip_00001.mp4", "files"),
        ("audio", "song_00001_.flac", "files"),
        ("text_file", "cd_00023_.txt", "files"),
        ("3d", "mesh_00001_.glb", "files"),
    ],
)
def test_file_is_listed_as_service_does(comfyui, ran, kind, filename, listed):
    comfyui.files[filename, "", "output"] = filename.encode()
    (output,) = ran({kind: [file(filename)]}).outputs
    assert list(output.data) == [listed]
    assert httpx.get(output.data[listed][0].url).content == filename.encode()


def test_event_keeps_all_fields_of_file(comfyui, local, node):
    clip = file("clip.mp4", "video", format="video/h264-mp4", frame_rate=8.0)
    comfyui.files["clip.mp4", "video", "output"] = b"clip"
    events = local.streamed(local.request(node("Saver", ui={"gifs": [clip]})))
    executed, ready = (data for kind, data in events if kind in {"executed", "output_ready"})
    (found,) = executed["output"]["gifs"]
    (kept,) = local.ended(comfyui.prompts[-1]["prompt_id"]).outputs[0].files
    assert executed == ready
    assert found["url"] == kept.url
    assert found.items() >= {**clip, "is_public": True}.items()
    assert found["upload_duration"] >= 0


@pytest.mark.parametrize(
    "output", [{"text": ["hello"]}, {"text": []}, {"flag": [True], "value": [1, 1.5, None, {"a": 1}]}]
)
def test_other_values_are_listed_unchanged(ran, output):
    (listed,) = ran(output).outputs
    assert listed.raw["data"] == output
    assert (listed.output_id, listed.node_meta) == (None, {"node_id": "1", "node_class": "Saver"})


@pytest.mark.parametrize("output", [{}, {"images": [file("ComfyUI_temp_00001_.png", folder="temp")]}, None])
def test_previews_are_streamed_but_not_listed(comfyui, local, node, output):
    events = local.streamed(local.request(node("Saver", ui=output)))
    kinds = [kind for kind, _ in events]
    assert [data["output"] for kind, data in events if kind == "executed"] == [output]
    assert "output_ready" not in kinds
    run = local.ended(comfyui.prompts[-1]["prompt_id"])
    assert (run.status, run.outputs) == ("success", [])


def test_sync_lists_one_output_per_node(comfyui, local, node):
    for name in ("one.png", "two.png"):
        comfyui.files[name, "", "output"] = name.encode()
    savers = [node("Saver", ui={"images": [file(name)]}) for name in ("one.png", "two.png")]
    outputs = unwrap(run_sync(local.core, local.request(*savers)))
    assert [output.files[0].filename for output in outputs] == ["two.png", "one.png"]


def test_same_name_in_two_folders_keeps_both(comfyui, ran):
    for folder in ("left", "right"):
        comfyui.files["a.png", folder, "output"] = folder.encode()
    (output,) = ran({"images": [file("a.png", "left"), file("a.png", "right")]}).outputs
    assert [httpx.get(kept.url).content for kept in output.files] == [b"left", b"right"]
    assert len({kept.filename for kept in output.files}) == 2


def test_name_with_path_stays_in_run_folder(comfyui, ran):
    comfyui.files["../../up.png", "", "output"] = b"up"
    (output,) = ran({"images": [file("../../up.png")]}).outputs
    assert output.files[0].filename == "up.png"
    assert httpx.get(output.files[0].url).content == b"up"


def test_large_file_is_whole_and_leaves_no_copy(comfyui, local, node, tmp_path, forwarding):
    content = bytes(range(256)) * 4096 * 5 + b"end"
    comfyui.files["large.mp4", "", "output"] = content
    keeping = forwarding(comfyui.url, data=tmp_path / "kept")
    request = keeping.request(node("Saver", ui={"gifs": [file("large.mp4")]}))
    copy = unwrap(run_first_result(keeping.core, request, to=tmp_path / "large.mp4"))
    assert (tmp_path / "large.mp4").read_bytes() == content
    assert copy
    assert [path.name for path in (tmp_path / "kept").rglob("*.mp4")] == ["large.mp4"]
    assert list((tmp_path / "kept").glob("comfyui-*")) == []


def test_mesh_of_preview_is_fetched(local, comfyui, node):
    comfyui.files["cat.glb", "mesh", "output"] = b"glTF"
    request = local.request(node("Preview3D", ui={"result": ["mesh/cat.glb", None]}))
    (output,) = local.ended(unwrap(run_queue(local.core, request)).run_id).outputs
    assert httpx.get(output.data["files"][0].url).content == b"glTF"
