"""A folder of workflows, each of them deployed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from comfydeploy._emulator.comfyui.graph import class_of, inputs_of
from comfydeploy._emulator.comfyui.inputs import PREFIX
from comfydeploy._emulator.deployments.deployment import DEPLOYMENTS, Deployment
from comfydeploy._emulator.documents import is_list, json_list, json_object

_TYPES: Final = {
    "Boolean": "boolean",
    "Number": "float",
    "NumberInt": "integer",
    "NumberSlider": "float",
    "NumberSliderInt": "integer",
    "Seed": "integer",
}
_KINDS: Final = ("image", "text", "video", "audio", "exr", "file")


@dataclass(frozen=True)
class WorkflowDeployment(Deployment):
    """A deployment whose graph tells what goes in and what comes out."""

    @property
    def input_types(self) -> list[dict[str, Any]]:
        """The inputs: one for each node that takes one."""
        return [_input(node) for node in self.graph().values() if class_of(node).startswith(PREFIX)]

    @property
    def output_types(self) -> list[dict[str, Any]]:
        """The outputs that have a name."""
        return [
            {
                "type": next((kind for kind in _KINDS if kind in class_of(node).lower()), "any"),
                "class_type": class_of(node),
                "output_id": inputs_of(node)["output_id"],
            }
            for node in self.graph().values()
            if "output_id" in inputs_of(node)
        ]


def workflows_in(folder: Path) -> list[WorkflowDeployment]:
    """Read the graphs of a folder: ``name.json`` is the deployment ``name``, whose ids never change.

    A folder that is not there is an ``OSError``, a file that is no graph a ``ValueError``.
    """
    return [_deployed(path) for path in sorted(folder.iterdir()) if path.suffix == ".json"]


def _deployed(path: Path) -> WorkflowDeployment:
    try:
        graph = json_object(json.loads(path.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if json_list(graph.get("nodes")):
        raise ValueError(f"{path} is a workflow as ComfyUI's page keeps it: export it there in the API format")
    if not graph or not all(class_of(node) for node in graph.values()):
        raise ValueError(f"{path} is no graph in ComfyUI's API format: every node needs a class_type")
    if path.stem in {one.name for one in DEPLOYMENTS}:
        raise ValueError(f"{path} needs another name: the deployment {path.stem} is always there")
    return WorkflowDeployment(path.stem, f"Executed by ComfyUI: {path.name}", inputs=(), workflow_api=graph)


def _input(node: dict[str, Any]) -> dict[str, Any]:
    class_type = class_of(node)
    # A list is a link to another node.
    inputs = {key: value for key, value in inputs_of(node).items() if not isinstance(value, list)}
    return {
        "type": _TYPES.get(class_type.removeprefix(PREFIX), "string"),
        "class_type": class_type,
        "input_id": inputs.get("input_id", ""),
        "default_value": inputs.get("default_value"),
        "min_value": inputs.get("min_value"),
        "max_value": inputs.get("max_value"),
        "display_name": inputs.get("display_name", ""),
        "description": inputs.get("description", ""),
        "enum_options": _options(inputs.get("options")),
        "step": inputs.get("step"),
    }


def _options(written: Any) -> list[str] | None:
    """Read the words of an enumeration, which stand in one text: a JSON list, or one word a line."""
    if not isinstance(written, str) or not written:
        return None
    try:
        words = json.loads(written)
    except ValueError:
        words = None
    return [str(word) for word in (words if is_list(words) else written.splitlines())]
