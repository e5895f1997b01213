"""Deployments, and those that exist from the start."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

from pydantic import BaseModel

from comfydeploy._emulator.clock import to_microseconds, to_milliseconds
from comfydeploy._emulator.deployments.nodes import DRAWING, INPUTS, LOADING, Input, Node
from comfydeploy._emulator.deployments.outcomes import Fails, NodeOutput, OnlyPreviews, Outcome, Succeeds

USER: Final = "user_local0001"
ENVIRONMENT: Final = "production"
GPU: Final = "CPU"
CREATED: Final = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


class Settings(BaseModel, frozen=True):
    """What a client decides of a deployment: where and how the workflow runs."""

    environment: str = ENVIRONMENT
    machine_id: str | None = None
    gpu: str | None = None
    concurrency_limit: int | None = 2
    run_timeout: int | None = 300
    idle_timeout: int | None = 0
    keep_warm: int | None = 0
    share_slug: str | None = None
    created_at: datetime = CREATED
    updated_at: datetime = CREATED


USUAL: Final = Succeeds()
USUAL_SETTINGS: Final = Settings()
_PICTURE: Final = NodeOutput("result")


@dataclass(frozen=True)
class Deployment:
    """A deployed workflow, and the usual outcome of its runs. ``name`` is that of the workflow.

    ``workflow_api`` is a graph given in place of its own, ``workflow`` the same as ComfyUI's page shows it.
    ``heeds_inputs``: the inputs ``fail`` and ``text`` decide how a run ends. Without it they are ordinary inputs.
    """

    name: str
    description: str = ""
    steps: tuple[Node, ...] = DRAWING
    outcome: Outcome = USUAL
    inputs: tuple[Input, ...] = INPUTS
    own_id: str | None = None
    workflow_api: dict[str, Any] | None = None
    workflow: Any = None
    heeds_inputs: bool = False
    settings: Settings = USUAL_SETTINGS

    @property
    def title(self) -> str:
        """The name of the deployment, which no other one has."""
        environment = self.settings.environment
        return self.name if environment == ENVIRONMENT else f"{self.name} ({environment})"

    def _id(self, kind: str) -> str:
        # Ids never change, so that documentation and scripts may contain them.
        return str(uuid5(NAMESPACE_DNS, f"{self.name}.{kind}.emulator.comfydeploy"))

    @cached_property
    def id(self) -> str:
        """The deployment's id."""
        return self.own_id or self._id("deployment")

    @cached_property
    def workflow_id(self) -> str:
        """The id of the workflow that is deployed."""
        return self._id("workflow")

    @cached_property
    def version_id(self) -> str:
        """The id of the deployed version of the workflow."""
        return self._id("version")

    @cached_property
    def own_machine_id(self) -> str:
        """The id of the machine that the workflow has."""
        return self._id("machine")

    @property
    def machine_id(self) -> str:
        """The id of the machine that runs it."""
        return self.settings.machine_id or self.own_machine_id

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that run, in their order."""
        match self.outcome:
            case Succeeds(outputs=given) if given is not None:
                outputs = given
            case Fails(outputs=given) if given:
                outputs = given
            case OnlyPreviews():
                return (*self.steps, Node("7", "PreviewImage"))
            case _:
                outputs = (_PICTURE,)
        made = tuple(Node(str(number), output.class_type, output=output) for number, output in enumerate(outputs, 7))
        # A node that raises after there are outputs comes after the nodes that make them.
        return (
            (*made, *self.steps) if isinstance(self.outcome, Fails) and self.outcome.outputs else (*self.steps, *made)
        )

    @property
    def input_types(self) -> list[dict[str, Any]]:
        """The inputs that its runs take."""
        return [one.input_json() for one in self.inputs]

    @property
    def output_types(self) -> list[dict[str, Any]]:
        """The outputs that its runs make."""
        return [
            {"type": node.output.type, "class_type": node.class_type, "output_id": node.output.output_id}
            for node in self.nodes
            if node.output and node.output.output_id
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
            for number, one in enumerate(self.input_types, 101)
        }
        nodes = {
            node.id: {
                "inputs": {"output_id": node.output.output_id} if node.output and node.output.output_id else {},
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

    def workflow_json(self) -> dict[str, Any]:
        """Return the workflow as the rows of its runs have it."""
        moment = to_milliseconds(CREATED)
        return {
            "id": self.workflow_id,
            "org_id": None,
            "name": self.name,
            "created_at": moment,
            "updated_at": moment,
            "deleted": False,
            "user_id": USER,
            "selected_machine_id": self.own_machine_id,
            "description": None,
            "cover_image": None,
            "pinned": False,
        }

    def whole_workflow_json(self, versions: int) -> dict[str, Any]:
        """Return the workflow as ``GET /workflow/{workflow_id}`` has it, with its latest versions."""
        created = str(CREATED)
        return {
            **self.workflow_json(),
            "created_at": created,
            "updated_at": created,
            "versions": [{**self.version_json(), "created_at": CREATED.isoformat(), "updated_at": CREATED.isoformat()}]
            if versions
            else [None],
        }

    def version_json(self) -> dict[str, Any]:
        """Return the deployed version of the workflow, with its whole graph."""
        moment = to_milliseconds(CREATED)
        return {
            "workflow_api": self.graph(),
            "id": self.version_id,
            "comment": None,
            "version": 1,
            "dependencies": None,
            "created_at": moment,
            "machine_version_id": None,
            "comfyui_snapshot": None,
            "workflow": self.drawing(),
            "workflow_id": self.workflow_id,
            "user_id": USER,
            "snapshot": None,
            "updated_at": moment,
            "machine_id": None,
        }

    def single_json(self) -> dict[str, Any]:
        """Return the deployment as ``GET /deployment/{deployment_id}`` has it."""
        return {
            **self.deployment_json(),
            "workflow": {"id": self.workflow_id, "name": self.name, "cover_url": None},
            "version": self.version_json(),
        }

    def share_json(self) -> dict[str, Any]:
        """Return the deployment as those see it with whom it is shared."""
        whole = self.deployment_json()
        names = ("id", "user_id", "org_id", "share_slug", "description", "environment", "workflow")
        return {name: whole[name] for name in (*names, "input_types", "output_types")}

    def featured_json(self) -> dict[str, Any]:
        """Return the deployment as the list of the featured ones has it."""
        return {
            "workflow": {**self.deployment_json()["workflow"], "workflow": self.drawing()},
            "description": self.description,
            "share_slug": self.settings.share_slug,
        }

    def changed_json(self) -> dict[str, Any]:
        """Return the deployment as the routes that create and change one have it: its columns alone."""
        return {
            **self.deployment_json(),
            "workflow": None,
            "version": None,
            "input_types": None,
            "output_types": None,
        }

    def deployment_json(self) -> dict[str, Any]:
        """Return the deployment as ``GET /deployments`` has it."""
        settings = self.settings
        return {
            "id": self.id,
            "user_id": USER,
            "org_id": None,
            "workflow_version_id": self.version_id,
            "workflow_id": self.workflow_id,
            "machine_id": self.machine_id,
            "gpu": settings.gpu,
            "share_slug": settings.share_slug,
            "description": self.description,
            "share_options": None,
            "showcase_media": None,
            "environment": settings.environment,
            "created_at": to_microseconds(settings.created_at),
            "updated_at": to_microseconds(settings.updated_at),
            "workflow": {
                "id": self.workflow_id,
                "name": self.name,
                "cover_image": None,
                "user_id": USER,
                "org_id": None,
            },
            "input_types": self.input_types,
            "output_types": self.output_types,
            "machine": None,
            "dub_link": None,
            "machine_version_id": None,
            "modal_image_id": None,
            "concurrency_limit": settings.concurrency_limit,
            "run_timeout": settings.run_timeout,
            "idle_timeout": settings.idle_timeout,
            "keep_warm": settings.keep_warm,
            "activated_at": None,
            "modal_app_id": None,
        }


DEPLOYMENTS: Final = (
    Deployment("picture", "Draws a picture within two seconds", heeds_inputs=True),
    Deployment(
        "slow",
        "Takes its time: about ten seconds of visible progress",
        (
            *LOADING,
            Node("5", "KSampler", 4.0, steps=20),
            Node("201", "LatentUpscale", 0.8),
            Node("202", "KSampler", 3.0, steps=15),
            Node("203", "ImageUpscaleWithModel", 1.0),
            Node("6", "VAEDecode"),
        ),
        heeds_inputs=True,
    ),
    Deployment(
        "failing",
        "Always fails half-way",
        outcome=Fails("Allocation on device 0 would exceed allowed memory."),
        heeds_inputs=True,
    ),
)
