import base64
import json
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit

import pytest

from comfydeploy.funcs.file_upload import file_upload
from comfydeploy.funcs.run_sync import run_sync
from comfydeploy.result import unwrap

PNG_URI = "data:image/png;base64,iVBORw0KGgo="
ADDRESS = "https://example.com/a.png"


@pytest.fixture
def filled(local, comfyui, node):
    """Run one node with an input "x" of this value; return the node's inputs as ComfyUI receives them."""

    def fill(kind, value, **inputs):
        class_type = f"ComfyUIDeployExternal{kind}"
        graph = local.request(node(class_type, input_id="x", **inputs), inputs={"x": value})
        unwrap(run_sync(local.core, graph))
        sent = comfyui.prompts[-1]["prompt"]["1"]
        assert sent["class_type"] == class_type
        return sent["inputs"]

    return fill


@pytest.mark.parametrize(
    ("kind", "value", "place"),
    [
        ("Text", "a cat", "default_value"),
        ("TextAny", "a cat", "default_value"),
        ("Boolean", True, "default_value"),
        ("Boolean", False, "default_value"),
        ("Seed", 42, "default_value"),
        ("Enum", "euler", "default_value"),
        ("Checkpoint", "https://example.com/m.safetensors", "default_value"),
        ("Lora", "https://example.com/l.safetensors", "lora_url"),
        ("FaceModel", "https://example.com/f.safetensors", "face_model_url"),
        ("Audio", "https://example.com/a.mp3", "audio_file"),
        ("EXR", "https://example.com/a.exr", "exr_file"),
        ("File", "https://example.com/a.zip", "file_url"),
        ("Number", 1.5, "input_id"),
        ("NumberInt", -3, "input_id"),
        ("NumberSlider", 0.25, "input_id"),
        ("NumberSliderInt", 7, "input_id"),
        ("Image", ADDRESS, "input_id"),
        ("Image", PNG_URI, "input_id"),
        ("ImageAlpha", PNG_URI, "input_id"),
        ("Video", "https://example.com/a.mp4", "input_id"),
        ("NotYetKnown", "new", "input_id"),
    ],
)
def test_each_node_gets_its_value(filled, kind, value, place):
    sent = filled(kind, value, default_value="of the graph", min_value=1)
    assert sent == {"default_value": "of the graph", "min_value": 1, "input_id": value, place: value}


def test_missing_and_unknown_inputs(local, comfyui, node):
    text = node("ComfyUIDeployExternalText", input_id="prompt", default_value="of the graph")
    other = node("Text", input_id="width")
    linked = node("ComfyUIDeployExternalText", input_id=["1", 0])
    nodes = (text, other, linked)
    unwrap(run_sync(local.core, local.request(*nodes, inputs={"width": 5, "unknown": "x", "1": "y"})))
    assert list(comfyui.prompts[-1]["prompt"].values()) == [text, other, linked]


def test_two_nodes_of_one_name_both_get_value(local, comfyui, node):
    text = node("ComfyUIDeployExternalText", input_id="a")
    named_like_the_value = node("ComfyUIDeployExternalText", input_id="b")
    unwrap(run_sync(local.core, local.request(text, text, named_like_the_value, inputs={"a": "b"})))
    sent = [one["inputs"].get("default_value") for one in comfyui.prompts[-1]["prompt"].values()]
    assert sent == ["b", "b", None]


@pytest.mark.parametrize("value", [json.dumps([ADDRESS, PNG_URI]), [ADDRESS, PNG_URI]])
def test_batch_of_images_is_sent_as_json_text(filled, value):
    sent = filled("ImageBatch", value, images="[]")
    assert json.loads(sent["images"]) == [ADDRESS, PNG_URI]


def test_batch_that_is_no_list_is_left_to_node(filled):
    assert filled("ImageBatch", "[broken", images="[]")["images"] == "[broken"


def test_list_is_sent_as_json_text(filled):
    assert filled("Text", ["1", 0])["default_value"] == '["1", 0]'


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("Image", "data:image/webp;base64," + base64.b64encode(b"webp").decode(), (".webp", b"webp")),
        ("Video", "data:video/mp4;base64," + base64.b64encode(b"mp4").decode(), (".mp4", b"mp4")),
        ("Audio", "data:audio/mpeg;base64," + base64.b64encode(b"mp3").decode(), (".mp3", b"mp3")),
    ],
)
def test_undecodable_data_uri_is_uploaded(filled, comfyui, kind, value, kept):
    address = filled(kind, value)["input_id"]
    assert address.startswith(f"{comfyui.url}/view?")
    query = parse_qs(urlsplit(address).query)
    (name,) = query["filename"]
    assert (query["type"], name.startswith("comfydeploy-")) == (["input"], True)
    assert (PurePosixPath(name).suffix, comfyui.uploads[name]) == kept
    assert filled(kind, value)["input_id"] == address


def test_images_of_batch_are_uploaded_too(filled, comfyui):
    webp = "data:image/webp;base64," + base64.b64encode(b"one of a batch").decode()
    first, second = json.loads(filled("ImageBatch", [ADDRESS, webp])["images"])
    assert first == ADDRESS
    assert second.startswith(f"{comfyui.url}/view?")
    assert b"one of a batch" in comfyui.uploads.values()


@pytest.mark.parametrize("kind", ["Video", "Text"])
def test_text_like_data_uri_is_unchanged(filled, kind):
    broken = "data:image/webp;base64,???"
    assert filled(kind, broken)["input_id"] == broken


def test_uploaded_file_is_sent_to_comfyui(local, filled, comfyui):
    uploaded = unwrap(file_upload(local.core, b"a picture", name="up.png"))
    address = filled("Image", uploaded.file_url)["input_id"]
    assert address.startswith(f"{comfyui.url}/view?")
    (name,) = parse_qs(urlsplit(address).query)["filename"]
    assert comfyui.uploads[name] == b"a picture"


def test_address_of_unknown_file_is_unchanged(local, filled):
    address = f"{local.emulator.url.removesuffix('/api')}/inputs/../../etc/passwd"
    assert filled("Image", address)["input_id"] == address


def test_upload_that_comfyui_refuses_fails_run(local, comfyui, node):
    comfyui.refuses_uploads = True
    try:
        request = local.request(node("ComfyUIDeployExternalVideo", input_id="x"), inputs={"x": "data:video/mp4,x"})
        events = local.streamed(request)
    finally:
        comfyui.refuses_uploads = False
    (message,) = [data["exception_message"] for kind, data in events if kind == "execution_error"]
    assert message.startswith("ComfyUI did not take the file comfydeploy-")
    assert message.endswith("it answered 413, because the file is larger than its --max-upload-size")


def test_output_of_earlier_run_is_sent_to_comfyui(local, filled, comfyui, saver):
    (output,) = unwrap(run_sync(local.core, local.request(saver)))
    address = filled("Image", output.data["images"][0].url)["input_id"]
    assert address.startswith(f"{comfyui.url}/view?")
    assert comfyui.uploads["a_00001_.png"].startswith(b"\x89PNG")


def test_address_in_private_network_fails_run(local, forwarding, comfyui, node):
    address = "http://10.0.0.5/secret.png"
    request = local.request(node("ComfyUIDeployExternalImage", input_id="x"), inputs={"x": address})
    refusing = forwarding(comfyui.url, allowed_networks=())
    (error,) = [data for kind, data in refusing.streamed(request) if kind == "execution_error"]
    assert error["exception_message"].startswith("10.0.0.5 is in a private network")
    allowing = forwarding(comfyui.url, allowed_networks=["10.0.0.0/8"])
    assert allowing.streamed(request)[-1][1]["status"] == "success"
    assert comfyui.prompts[-1]["prompt"]["1"]["inputs"]["input_id"] == address


def test_file_keeps_its_extension(local, filled, comfyui):
    """The node checks the end of the address."""
    uploaded = unwrap(file_upload(local.core, b"%PDF", name="up.pdf"))
    address = filled("File", uploaded.file_url)["file_url"]
    assert address.startswith(f"{comfyui.url}/userdata/comfydeploy%2F")
    assert address.endswith(".pdf")
    assert comfyui.uploads[address.rpartition("%2F")[2]] == b"%PDF"
    assert filled("File", "data:text/csv,a")["file_url"].endswith(".csv")


def test_uploads_have_folder_of_their_own(filled):
    address = filled("Video", "data:video/mp4,x")["input_id"]
    assert parse_qs(urlsplit(address).query)["subfolder"] == ["comfydeploy"]
