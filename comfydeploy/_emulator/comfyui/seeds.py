"""New seeds for every run, as in the service, so that ComfyUI does not answer from its cache."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from comfydeploy._emulator.comfyui.graph import class_of, inputs_of
from comfydeploy._emulator.documents import json_list, json_object

_DIGITS: Final = {"PromptExpansion": 8, "SONICSampler": 9}
_NOISY: Final = {"RandomNoise", "KSamplerAdvanced", "SamplerCustom", "XlabsSampler"}


def reseeded(graph: Mapping[str, Any], workflow: Any, dice: Random) -> dict[str, Any]:
    """Return the graph with a new seed wherever a node has one of its own.

    Linked seeds stay, and so do those of samplers that are fixed in ``workflow``, the graph of ComfyUI's page.
    """
    fixed = _fixed(workflow)
    return {node_id: node if node_id in fixed else _reseeded(node, dice) for node_id, node in graph.items()}


def _reseeded(node: Any, dice: Random) -> Any:
    class_type, inputs = class_of(node), inputs_of(node)
    seed_keys = {"seed", "noise_seed"} if class_type in _NOISY else {"seed"}
    digits = _DIGITS.get(class_type, 15)
    seeds = {
        key: dice.randrange(10 ** (digits - 1), 10**digits)
        for key, value in inputs.items()
        if key in seed_keys and not isinstance(value, list)
    }
    return {**node, "inputs": {**inputs, **seeds}} if seeds else node


def _fixed(workflow: Any) -> set[str]:
    nodes = map(json_object, json_list(json_object(workflow).get("nodes")))
    return {
        str(node.get("id"))
        for node in nodes
        if node.get("type") == "KSampler" and json_list(node.get("widgets_values"))[1:2] == ["fixed"]
    }
