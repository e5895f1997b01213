"""A folder of workflows, each of them deployed."""

import json
import time
from collections.abc import Iterable, Iterator
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
_LOOK_AGAIN: Final = 0.5  # seconds
_KINDS: Final = ("image", "text", "video", "audio", "exr", "file")


@dataclass(frozen=True)
class WorkflowDeployment(Deployment):
    """A deployment whose inputs and outputs are those of its graph."""

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


class WorkflowFolder:
    """A folder of graphs: ``name.json`` is the deployment ``name``, whose ids never change.

    Files are read again when they change. A file that is no graph is reported as a problem; the others are deployed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._read: dict[Path, tuple[tuple[int, int], WorkflowDeployment | str]] = {}
        self._next_look = 0.0
        # Raises an OSError for a missing folder.
        self._refresh()

    def deployments(self) -> list[WorkflowDeployment]:
        """Return the deployments, by their names."""
        self._refresh()
        return [found for _, found in self._read.values() if isinstance(found, WorkflowDeployment)]

    def problems(self) -> list[str]:
        """Return a sentence for each file that is not deployed."""
        self._refresh()
        return [found for _, found in self._read.values() if isinstance(found, str)]

    def _refresh(self) -> None:
        if (now := time.monotonic()) < self._next_look:
            return
        paths = sorted(path for path in self._folder.iterdir() if path.suffix.lower() == ".json")
        self._read = {path: self._current(path) for path in paths}
        self._next_look = now + _LOOK_AGAIN

    def _current(self, path: Path) -> tuple[tuple[int, int], WorkflowDeployment | str]:
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            known = self._read.get(path)
            return known if known and known[0] == version else (version, _deployed(path))
        except (OSError, ValueError) as error:
            return (0, 0), str(error)


def missing_classes(deployments: Iterable[WorkflowDeployment], known: frozenset[str]) -> Iterator[str]:
    """Yield a sentence for each workflow with classes of nodes that ComfyUI does not have."""
    for one in deployments:
        missing = sorted({class_of(node) for node in one.graph().values()} - known)
        if missing:
            yield f"{one.name}: ComfyUI has no node {', '.join(missing)}: install the custom nodes that have them"


def _deployed(path: Path) -> WorkflowDeployment:
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    graph = json_object(document)
    if json_list(graph.get("nodes")):
        raise ValueError(f"{path} is saved for the editor: use File > Export (API) in ComfyUI")
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
    """Read the words of an enumeration from one text: a JSON list, or one word per line."""
    if not isinstance(written, str) or not written:
        return None
    try:
        words = json.loads(written)
    except ValueError:
        words = None
    return [str(word) for word in (words if is_list(words) else written.splitlines())]
