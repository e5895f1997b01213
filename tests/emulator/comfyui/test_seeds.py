from random import Random

import pytest

from comfydeploy._emulator.comfyui.seeds import reseeded

DICE = Random(1)


def seeds(class_type, workflow=None, **inputs):
    graph = {"7": {"class_type": class_type, "inputs": inputs}}
    new = reseeded(graph, workflow, DICE)["7"]
    assert new["class_type"] == class_type
    assert graph["7"]["inputs"] == inputs
    return new["inputs"]


def test_every_run_has_new_seed():
    first, second = (seeds("KSampler", seed=1, steps=20) for _ in range(2))
    assert first["steps"] == 20
    assert len(str(first["seed"])) == 15
    assert first["seed"] != second["seed"]


@pytest.mark.parametrize(("class_type", "digits"), [("PromptExpansion", 8), ("SONICSampler", 9)])
def test_some_nodes_want_small_seeds(class_type, digits):
    assert len(str(seeds(class_type, seed=1)["seed"])) == digits


@pytest.mark.parametrize("class_type", ["RandomNoise", "KSamplerAdvanced", "SamplerCustom", "XlabsSampler"])
def test_some_samplers_call_it_noise(class_type):
    assert seeds(class_type, noise_seed=1)["noise_seed"] != 1


@pytest.mark.parametrize(
    ("class_type", "inputs"),
    [
        ("KSampler", {"seed": ["3", 0]}),
        ("KSampler", {"noise_seed": 1}),
        ("ComfyUIDeployExternalSeed", {"default_value": -1}),
        ("SaveImage", {}),
    ],
)
def test_links_and_other_inputs_stay(class_type, inputs):
    assert seeds(class_type, **inputs) == inputs


@pytest.mark.parametrize(
    ("drawn", "is_kept"),
    [
        ({"id": 7, "type": "KSampler", "widgets_values": [1, "fixed", 20]}, True),
        ({"id": 7, "type": "KSampler", "widgets_values": [1, "randomize", 20]}, False),
        ({"id": 8, "type": "KSampler", "widgets_values": [1, "fixed", 20]}, False),
        ({"id": 7, "type": "PromptExpansion", "widgets_values": [1, "fixed"]}, False),
        ({"id": 7, "type": "KSampler"}, False),
        (None, False),
    ],
)
def test_sampler_with_fixed_seed_keeps_it(drawn, is_kept):
    assert (seeds("KSampler", {"nodes": [drawn]}, seed=1)["seed"] == 1) is is_kept


@pytest.mark.parametrize(
    "node", [None, [], {"inputs": {}}, {"class_type": "KSampler"}, {"class_type": 1, "inputs": []}]
)
def test_invalid_node_is_left_to_comfyui(node):
    assert reseeded({"1": node}, "no drawing", DICE) == {"1": node}
