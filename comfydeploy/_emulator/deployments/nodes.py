"""The nodes and the inputs of workflows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from comfydeploy._emulator.deployments.outcomes import NodeOutput


@dataclass(frozen=True)
class Node:
    """One node of a workflow: how long it takes and in how many steps."""

    id: str
    class_type: str
    seconds: float = 0.1
    steps: int = 0
    output: NodeOutput | None = None


@dataclass(frozen=True)
class Input:
    """One input of a workflow; its default value decides its type."""

    id: str
    default: str | float | bool
    description: str = ""
    low: int | None = None
    high: int | None = None
    class_type: str | None = None

    def input_json(self) -> dict[str, Any]:
        """Return the input as ``input_types`` has it."""
        kind, class_type = _INPUT_TYPES[type(self.default)]
        return {
            "type": kind,
            "class_type": self.class_type or class_type,
            "input_id": self.id,
            "default_value": self.default,
            "min_value": self.low,
            "max_value": self.high,
            "display_name": self.id.capitalize(),
            "description": self.description,
            "enum_options": None,
            "step": None,
        }


_INPUT_TYPES: Final[Mapping[type, tuple[str, str]]] = {
    str: ("string", "ComfyUIDeployExternalText"),
    int: ("integer", "ComfyUIDeployExternalNumberInt"),
    float: ("float", "ComfyUIDeployExternalNumber"),
    bool: ("boolean", "ComfyUIDeployExternalBoolean"),
}

INPUTS: Final = (
    Input("prompt", "a quiet harbour at dawn", "Written on the picture"),
    Input("width", 512, "Width in pixels", 16, 2048),
    Input("height", 512, "Height in pixels", 16, 2048),
    Input("seed", 0, "Decides the colours and shapes", class_type="ComfyUIDeployExternalSeed"),
    Input("text", "", "Put out in place of the picture; a list puts out several, of anything"),
    Input("fail", default=False, description="true, or a reason: the run fails"),
)

DEFAULTS: Final = {one.id: one.default for one in INPUTS}

LOADING: Final = (
    Node("1", "CheckpointLoaderSimple", 0),
    Node("2", "ComfyUIDeployExternalText"),
    Node("3", "CLIPTextEncode"),
    Node("4", "EmptyLatentImage"),
)
DRAWING: Final = (*LOADING, Node("5", "KSampler", 0.8, steps=8), Node("6", "VAEDecode"))
