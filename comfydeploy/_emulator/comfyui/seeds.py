"""New seeds for every run, as the service has them, so that ComfyUI does not answer from its cache."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

_DIGITS: Final = {"PromptExpansion": 8, "SONICSampler": 9}
_NOISY: Final = {"RandomNoise", "KSamplerAdvanced", "SamplerCustom", "XlabsSampler"}


def reseeded(graph: Mapping[str, Any], workflow: Any, dice: Random) -> dict[str, Any]:
    """Return the graph with a new seed wherever a node has one of its own.

    Linked ones stay, and those of samplers that ``workflow``, as ComfyUI's page shows it, has as fixed.
    """
    fixed = _fixed(workflow)
    return {node_id: node if node_id in fixed else _reseeded(node, dice) for node_id, node in graph.items()}


def _reseeded(node: Any, dice: Random) -> Any:
    match node:
        case {"class_type": str(class_type), "inputs": dict(inputs)}:
            wanted = {"seed", "noise_seed"} if class_type in _NOISY else {"seed"}
            digits = _DIGITS.get(class_type, 15)
            seeds = {
                key: dice.randrange(10 ** (digits - 1), 10**digits)
                for key, value in inputs.items()
                if key in wanted and not isinstance(value, list)
            }
            return {**node, "inputs": {**inputs, **seeds}} if seeds else node
        case _:
            return node


def _fixed(workflow: Any) -> set[str]:
    match workflow:
        case {"nodes": list(nodes)}:
            return {str(node["id"]) for node in nodes if _is_fixed(node)}
        case _:
            return set()


def _is_fixed(node: Any) -> bool:
    match node:
        case {"id": _, "type": "KSampler", "widgets_values": [_, "fixed", *_]}:
            return True
        case _:
            return False
