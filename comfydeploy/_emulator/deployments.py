"""The deployments that the emulator knows from the start."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

from starlette.exceptions import HTTPException

from comfydeploy._emulator.bodies import DeploymentRunRequest, RunRequest, WorkflowRunRequest
from comfydeploy._emulator.clock import to_microseconds

USER: Final = "user_local0001"
ENVIRONMENT: Final = "production"
GPU: Final = "CPU"
CREATED: Final = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@dataclass(frozen=True)
class Node:
    """One node of a workflow: how long it takes and in how many steps."""

    id: str
    class_type: str
    seconds: float = 0.1
    steps: int = 0
    output_id: str | None = None


@dataclass(frozen=True)
class Deployment:
    """A deployed workflow; ``failure`` is the reason why its runs fail, if they do.

    ``workflow_api`` is the graph that a ComfyUI executes, ``workflow`` the same as ComfyUI's page shows it; without a
    graph ``nodes`` are played.
    """

    name: str
    description: str
    nodes: tuple[Node, ...] = ()
    failure: str | None = None
    workflow_api: dict[str, Any] | None = None
    workflow: Any = None

    def _id(self, kind: str) -> str:
        # Ids stay the same for ever, so that documentation and scripts may contain them.
        return str(uuid5(NAMESPACE_DNS, f"{self.name}.{kind}.emulator.comfydeploy"))

    @cached_property
    def id(self) -> str:
        """The deployment's id."""
        return self._id("deployment")

    @cached_property
    def workflow_id(self) -> str:
        """The id of the workflow that is deployed."""
        return self._id("workflow")

    @cached_property
    def version_id(self) -> str:
        """The id of the deployed version of the workflow."""
        return self._id("version")

    @cached_property
    def machine_id(self) -> str:
        """The id of the machine that runs it."""
        return self._id("machine")

    @property
    def input_types(self) -> list[dict[str, Any]]:
        """The inputs that its runs take."""
        return INPUT_TYPES

    @property
    def output_types(self) -> list[dict[str, Any]]:
        """The outputs that its runs make."""
        return [
            {"type": "image", "class_type": node.class_type, "output_id": node.output_id}
            for node in self.nodes
            if node.output_id
        ]

    def graph(self) -> dict[str, Any]:
        """Write the workflow as ComfyUI executes it: its nodes by their ids, and those that take the inputs."""
        if self.workflow_api is not None:
            return self.workflow_api
        inputs = {
            str(number): {
                "inputs": {key: one[key] for key in ("input_id", "description", "display_name", "default_value")},
                "class_type": one["class_type"],
            }
            for number, one in enumerate(INPUT_TYPES, 101)
        }
        nodes = {
            node.id: {
                "inputs": {"output_id": node.output_id} if node.output_id else {},
                "class_type": node.class_type,
            }
            for node in self.nodes
        }
        return {**nodes, **inputs}

    def drawing(self) -> dict[str, Any]:
        """Write the workflow as ComfyUI's page shows it."""
        nodes = [
            {"id": int(key) if key.isdecimal() else key, "type": node["class_type"], "widgets_values": [""]}
            for key, node in self.graph().items()
        ]
        return {"links": [], "nodes": nodes}

    def shown(self) -> dict[str, Any]:
        """Describe the deployment as the list of deployments does."""
        return {
            "id": self.id,
            "user_id": USER,
            "org_id": None,
            "workflow_version_id": self.version_id,
            "workflow_id": self.workflow_id,
            "machine_id": self.machine_id,
            "share_slug": None,
            "description": self.description,
            "share_options": None,
            "showcase_media": [],
            "environment": ENVIRONMENT,
            "created_at": to_microseconds(CREATED),
            "updated_at": to_microseconds(CREATED),
            "workflow": {
                "id": self.workflow_id,
                "name": self.name,
                "cover_image": None,
                "user_id": USER,
                "org_id": None,
            },
            "input_types": self.input_types,
            "output_types": self.output_types,
        }


INPUT_TYPES: Final[list[dict[str, Any]]] = [
    {
        "type": kind,
        "class_type": class_type,
        "input_id": input_id,
        "default_value": default,
        "min_value": low,
        "max_value": high,
        "display_name": input_id.capitalize(),
        "description": description,
        "enum_options": None,
        "step": None,
    }
    for kind, class_type, input_id, default, low, high, description in (
        (
            "string",
            "ComfyUIDeployExternalText",
            "prompt",
            "a quiet harbour at dawn",
            None,
            None,
            "Written on the picture",
        ),
        ("integer", "ComfyUIDeployExternalNumberInt", "width", 512, 16, 2048, "Width in pixels"),
        ("integer", "ComfyUIDeployExternalNumberInt", "height", 512, 16, 2048, "Height in pixels"),
        ("integer", "ComfyUIDeployExternalSeed", "seed", 0, None, None, "Decides the colours and shapes"),
        ("boolean", "ComfyUIDeployExternalBoolean", "fail", False, None, None, "true, or a reason: the run fails"),
    )
]

DEFAULTS: Final = {one["input_id"]: one["default_value"] for one in INPUT_TYPES}

_LOADING: Final = (
    Node("1", "CheckpointLoaderSimple", 0),
    Node("2", "ComfyUIDeployExternalText"),
    Node("3", "CLIPTextEncode"),
    Node("4", "EmptyLatentImage"),
)
_SAVING: Final = (Node("6", "VAEDecode"), Node("7", "ComfyDeployOutputImage", output_id="result"))

DEPLOYMENTS: Final = (
    Deployment(
        "picture", "Draws a picture within two seconds", (*_LOADING, Node("5", "KSampler", 0.8, steps=8), *_SAVING)
    ),
    Deployment(
        "slow",
        "Takes its time: about ten seconds of visible progress",
        (
            *_LOADING,
            Node("5", "KSampler", 4.0, steps=20),
            Node("8", "LatentUpscale", 0.8),
            Node("9", "KSampler", 3.0, steps=15),
            Node("10", "ImageUpscaleWithModel", 1.0),
            *_SAVING,
        ),
    ),
    Deployment(
        "failing",
        "Always fails half-way",
        (*_LOADING, Node("5", "KSampler", 0.8, steps=8), *_SAVING),
        failure="Allocation on device 0 would exceed allowed memory.",
    ),
)


class Deployments:
    """The deployments of one server: those known from the start, and ``more``."""

    def __init__(self, more: Iterable[Deployment] = ()) -> None:
        self.all: Final = (*DEPLOYMENTS, *more)

    def chosen(self, form: RunRequest) -> Deployment:
        """Find what a request wants to have run; unknown ids raise the server's 404."""
        match form:
            case DeploymentRunRequest():
                return self.found("id", form.deployment_id, "Deployment not found")
            case WorkflowRunRequest():
                deployment = self.found("workflow_id", form.workflow_id, "Workflow not found")
                if not form.workflow_api_json:
                    raise HTTPException(404, "Workflow API not found")
                deployment = replace(deployment, workflow_api=form.workflow_api_json, workflow=form.workflow)
            case _:
                deployment = self.found(
                    "version_id", form.workflow_version_id, "Workflow version not found for this deployment"
                )
        if form.machine_id is None:
            raise HTTPException(404, "Machine not found")
        self.found("machine_id", form.machine_id, "Machine not found for this deployment")
        return deployment

    def found(self, attribute: str, wanted: object, otherwise: str) -> Deployment:
        """Find a deployment by one of its ids, or raise a 404 that says ``otherwise``."""
        for deployment in self.all:
            if getattr(deployment, attribute) == str(wanted):
                return deployment
        raise HTTPException(404, otherwise)
