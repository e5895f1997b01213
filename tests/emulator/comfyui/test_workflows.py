import json

import pytest

from comfydeploy.emulator import Emulator, Fails
from comfydeploy.funcs.deployments_list import deployments_list
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_native import run_native
from comfydeploy.funcs.run_sync import run_sync
from comfydeploy.funcs.runs_list import runs_list
from comfydeploy.result import unwrap


@pytest.fixture(scope="module")
def flux(node, saver):
    text = node(
        "ComfyUIDeployExternalText",
        input_id="prompt",
        default_value="a harbour",
        display_name="Prompt",
        description="What is seen",
    )
    slider = node("ComfyUIDeployExternalNumberSlider", input_id="strength", default_value=0.5, min_value=0, max_value=1)
    enum = node("ComfyUIDeployExternalEnum", input_id="size", default_value="big", options='["big", "small"]')
    image = node("ComfyUIDeployExternalImage", input_id="image", default_value=["9", 0])
    output = node("ComfyDeployOutputImage", images=["5", 0], output_id="result")
    graph = {"1": text, "2": slider, "3": enum, "4:0": image, "5": saver, "6": output}
    return graph | {"7": node("ComfyUIDeployExternalBoolean", input_id="hd", default_value=False)}


@pytest.fixture
def deployed(forwarding, comfyui, workflows, flux):
    return forwarding(comfyui.url, workflows=workflows(flux=flux, other={"1": flux["1"]}))


@pytest.fixture
def deployment(deployed):
    deployment_id = deployed.emulator.deployments["flux"]
    return next(one for one in unwrap(deployments_list(deployed.core)) if one.id == deployment_id)


def test_each_graph_is_further_deployment(deployed):
    assert list(deployed.emulator.deployments) == ["picture", "slow", "failing", "flux", "other"]
    assert len({*deployed.emulator.deployments.values()}) == 5


def test_its_ids_follow_from_its_name(deployment, workflows, flux):
    again = Emulator(comfyui="http://127.0.0.1:8188", workflows=workflows(flux={"1": flux["1"]}))
    assert again.deployments["flux"] == deployment.id


def test_its_inputs_are_read_from_its_nodes(deployment):
    prompt, strength, size, image, hd = deployment.input_types
    assert prompt.raw == {
        "type": "string",
        "class_type": "ComfyUIDeployExternalText",
        "input_id": "prompt",
        "default_value": "a harbour",
        "min_value": None,
        "max_value": None,
        "display_name": "Prompt",
        "description": "What is seen",
        "enum_options": None,
        "step": None,
    }
    assert (strength.type, strength.default_value, strength.min_value, strength.max_value) == ("float", 0.5, 0, 1)
    assert (size.type, size.default_value, size.enum_options) == ("string", "big", ["big", "small"])
    assert (image.type, image.input_id, image.default_value, image.display_name) == ("string", "image", None, "")
    assert (hd.type, hd.default_value) == ("boolean", False)


@pytest.fixture
def input_of(forwarding, comfyui, workflows, node):
    """Deploy a graph of one node that takes an input; return the input as the deployment describes it."""

    def deploy(kind, **inputs):
        folder = workflows(one={"1": node(f"ComfyUIDeployExternal{kind}", input_id="x", **inputs)})
        (found,) = unwrap(deployments_list(forwarding(comfyui.url, workflows=folder).core))[-1].input_types
        return found

    return deploy


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Seed", "integer"),
        ("NumberInt", "integer"),
        ("NumberSliderInt", "integer"),
        ("Number", "float"),
        ("New", "string"),
    ],
)
def test_every_input_has_type_of_service(input_of, kind, expected):
    assert input_of(kind).type == expected


@pytest.mark.parametrize(("options", "expected"), [("a\nb", ["a", "b"]), ("5", ["5"]), ("[1]", ["1"]), ("", [])])
def test_enumeration_is_list_or_lines(input_of, options, expected):
    assert input_of("Enum", options=options).enum_options == expected


def test_its_outputs_are_those_that_have_name(deployment):
    assert [one.raw for one in deployment.output_types] == [
        {"type": "image", "class_type": "ComfyDeployOutputImage", "output_id": "result"}
    ]


def test_run_of_it_is_executed_with_its_inputs(deployed, comfyui, deployment, flux):
    inputs = {"prompt": "a cat", "strength": 0.25}
    (output,) = unwrap(run_sync(deployed.core, {"deployment_id": deployment.id, "inputs": inputs}))
    assert output.files[0].filename == "a_00001_.png"
    sent = comfyui.prompts[-1]
    assert sent["prompt"]["1"]["inputs"]["default_value"] == "a cat"
    assert sent["prompt"]["2"]["inputs"]["input_id"] == 0.25
    assert sent["prompt"]["3"] == flux["3"]
    assert "extra_data" not in sent
    run = unwrap(run_get(deployed.core, sent["prompt_id"]))
    assert (run.status, run.workflow_id, run.workflow_inputs) == ("success", deployment.workflow_id, inputs)


def test_version_of_it_is_executed_too(deployed, comfyui, deployment):
    request = {"workflow_version_id": deployment.workflow_version_id, "machine_id": deployment.machine_id}
    assert len(unwrap(run_sync(deployed.core, request))) == 1
    assert list(comfyui.prompts[-1]["prompt"]) == ["1", "2", "3", "4:0", "5", "6", "7"]


def test_graph_is_in_native_runs_and_lists(deployed, deployment, flux):
    native = unwrap(run_native(deployed.core, {"deployment_id": deployment.id}))
    assert native.workflow_api_raw == flux
    (row,) = unwrap(next(iter(runs_list(deployed.core, deployment.workflow_id))))
    assert row.raw["version"]["workflow_api"] == flux
    assert [one["id"] for one in row.raw["version"]["workflow"]["nodes"]] == [1, 2, 3, "4:0", 5, 6, 7]


@pytest.mark.parametrize(
    ("name", "written", "reason"),
    [
        ("a.json", "{", "a.json is not JSON: "),
        ("a.json", "[]", "a.json is no graph in ComfyUI's API format"),
        ("a.JSON", "{}", "a.JSON is no graph in ComfyUI's API format"),
        ("a.json", '{"1": {"inputs": {}}}', "every node needs a class_type"),
        ("a.json", '{"nodes": [{"id": 1}], "links": []}', "saved for the editor: use File > Export (API)"),
        ("slow.json", '{"1": {"class_type": "A"}}', "the deployment slow is always there"),
        ("folder.json", None, "folder.json"),
    ],
)
def test_bad_file_is_problem_others_are_served(comfyui, tmp_path, name, written, reason):
    path = tmp_path / name
    path.mkdir() if written is None else path.write_text(written)
    (tmp_path / "good.JSON").write_text('{"1": {"class_type": "SaveImage"}}')
    with Emulator(comfyui=comfyui.url, workflows=tmp_path) as emulator:
        (problem,) = emulator.check()
        assert reason in problem
        assert set(emulator.deployments) == {"picture", "slow", "failing", "good"}


def test_changed_files_are_reread(tmp_path, monkeypatch):
    monkeypatch.setattr("comfydeploy._emulator.comfyui.workflows._LOOK_AGAIN", 0)
    emulator = Emulator(comfyui="http://127.0.0.1:9", workflows=tmp_path)
    assert "new" not in emulator.deployments
    (tmp_path / "new.json").write_text('{"1": {"class_type": "SaveImage"}}')
    first = emulator.deployments["new"]
    emulator.script("new", Fails(), times=None)
    (tmp_path / "new.json").write_text('{"1": {"class_type": "SaveImage"}, "2": {"class_type": "PreviewImage"}}')
    (found,) = [one for one in emulator._catalogue.all() if one.name == "new"]
    assert (found.id, list(found.graph()), found.outcome) == (first, ["1", "2"], Fails())
    (tmp_path / "new.json").unlink()
    assert "new" not in emulator.deployments


def test_missing_classes_are_problem(comfyui, tmp_path):
    (tmp_path / "paid.json").write_text('{"1": {"class_type": "SaveImage"}, "2": {"class_type": "Magic"}}')
    with Emulator(comfyui=comfyui.url, workflows=tmp_path) as emulator:
        assert emulator.check() == ("paid: ComfyUI has no node Magic: install the custom nodes that have them",)


def test_unreachable_comfyui_is_problem():
    with Emulator(comfyui="http://127.0.0.1:9") as emulator:
        (problem,) = emulator.check()
        assert problem.startswith("ComfyUI at http://127.0.0.1:9 cannot be reached: ")
    with Emulator() as emulator:
        assert emulator.check() == ()


def test_other_files_in_folder_are_passed_over(tmp_path):
    (tmp_path / "README.md").write_text("no graph")
    assert len(Emulator(comfyui="http://127.0.0.1:8188", workflows=tmp_path).deployments) == 3


def test_folder_that_is_not_there_is_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Emulator(comfyui="http://127.0.0.1:8188", workflows=tmp_path / "none")


def test_workflows_need_comfyui(tmp_path):
    with pytest.raises(ValueError, match="workflows needs comfyui"):
        Emulator(workflows=tmp_path)


def test_own_graph_is_simulated_without_comfyui(client, emulator):
    row = client.get("/deployments").json()[0]
    graph = {"1": {"class_type": "NoSuchNode", "inputs": {}}}
    request = {"workflow_id": row["workflow_id"], "machine_id": row["machine_id"], "workflow_api_json": graph}
    assert len(client.post("/run/sync", content=json.dumps(request)).json()) == 1
