"""The known deployments, and the outcomes of their next runs."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import repeat
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from comfydeploy._emulator.deployments.deployment import DEPLOYMENTS, Deployment, Settings
from comfydeploy._emulator.deployments.forms import (
    DeploymentRunRequest,
    ModelRunRequest,
    RunRequest,
    WorkflowRunRequest,
)
from comfydeploy._emulator.deployments.nodes import Input
from comfydeploy._emulator.deployments.outcomes import Fails, NodeOutput, Outcome, Succeeds


class NotFoundError(Exception):
    """Something is not found; the message is that of the real server."""


class Deployed(BaseModel):
    """A deployment that a client has created or changed, of the workflow with this name."""

    id: str
    workflow: str
    settings: Settings


class Catalogue:
    """The known deployments by their names; they may be added from any thread."""

    def __init__(self, more: Callable[[], Iterable[Deployment]] = tuple) -> None:
        self._known: Final = {one.name: one for one in DEPLOYMENTS}
        self._more: Final = more
        self._deployed: Final[dict[str, Deployed]] = {}
        self._keep: Callable[[str, str], object] = _forget
        self._lasting: Final[dict[str, Outcome]] = {}
        self._next: Final[defaultdict[str, deque[Outcome]]] = defaultdict(deque)

    def all(self) -> list[Deployment]:
        """List the deployments, the oldest first."""
        found = {one.name: one for one in self._more()} | self._known
        ordered = [*self._known, *(name for name in found if name not in self._known)]
        usual = {one.id: one for one in map(found.__getitem__, ordered)}
        for id_, deployed in [*self._deployed.items()]:
            # The workflow of a kept deployment may be gone from its folder.
            if base := usual.get(id_) or found.get(deployed.workflow):
                usual[id_] = replace(base, own_id=id_, settings=deployed.settings)
        return [self._scripted(one) for one in usual.values()]

    def keep_in(self, kept: Iterable[str], keep: Callable[[str, str], object]) -> None:
        """Take the deployments that were kept, and keep those that are created or changed from now on."""
        self._keep = keep
        for document in kept:
            deployed = Deployed.model_validate_json(document)
            self._deployed[deployed.id] = deployed

    def deploy(self, deployment: Deployment, settings: Settings, id_: str) -> Deployment:
        """Create the deployment of a workflow with this id, or change the settings of the one that has it."""
        deployed = Deployed(id=id_, workflow=deployment.name, settings=settings)
        self._deployed[id_] = deployed
        self._keep(id_, deployed.model_dump_json())
        return replace(deployment, own_id=id_, settings=settings)

    def _scripted(self, deployment: Deployment) -> Deployment:
        if deployment.name not in self._lasting:
            return deployment
        return replace(deployment, outcome=self._lasting[deployment.name], heeds_inputs=False)

    def add(self, name: str, own_id: str | None, inputs: Mapping[str, str | float | bool], outcome: Outcome) -> str:
        """Add a deployment and return its id."""
        for key, value in inputs.items():
            if type(value) not in (str, int, float, bool):
                raise TypeError(f"inputs: {key} must be a text, a number or a boolean, not {value!r}")
        added = Deployment(
            name,
            outcome=outcome,
            inputs=tuple(Input(key, value) for key, value in inputs.items()),
            own_id=None if own_id is None else _uuid(own_id),
        )
        if any(added.name == one.name or added.id == one.id for one in self.all()):
            raise ValueError(f"there is a deployment {name!r} with the id {added.id} already")
        self._known[name] = added
        return added.id

    def script(self, name: str, outcome: Outcome, times: int | None) -> None:
        """Set the outcome of the next ``times`` runs of a deployment, or of all from now on."""
        names = [one.name for one in self.all()]
        if name not in names:
            raise ValueError(f"deployment must be one of {', '.join(names)}, not {name!r}")
        if times is not None and times < 1:
            raise ValueError(f"times must be a number of runs, 1 or more, or None for all, not {times}")
        if times is None:
            self._lasting[name] = outcome
        else:
            self._next[name].extend(repeat(outcome, times))

    def next(self, deployment: Deployment, inputs: Mapping[str, Any]) -> Deployment:
        """Return the deployment with the outcome of a new run: the scripted one, otherwise that of its inputs."""
        if self._next[deployment.name]:
            return replace(deployment, outcome=self._next[deployment.name].popleft())
        if not deployment.heeds_inputs:
            return deployment
        if reason := inputs.get("fail"):
            outcome = Fails(reason if isinstance(reason, str) else "The input `fail` was set.")
            return replace(deployment, outcome=outcome)
        if text := inputs.get("text"):
            texts = [text] if isinstance(text, str | int | float) else text
            return replace(deployment, outcome=Succeeds([NodeOutput("result", texts=texts)]))
        return deployment

    def requested(self, form: RunRequest) -> Deployment:
        """Return the deployment that a request runs; raise ``NotFoundError`` for unknown ids."""
        match form:
            case DeploymentRunRequest():
                return self.find("id", form.deployment_id, "Deployment not found")
            case WorkflowRunRequest():
                deployment = self.find("workflow_id", form.workflow_id, "Workflow not found")
                if not form.workflow_api_json:
                    raise NotFoundError("Workflow API not found")
                deployment = replace(
                    deployment, workflow_api=form.workflow_api_json, workflow=form.workflow, heeds_inputs=False
                )
            case ModelRunRequest():
                raise NotFoundError("Model not found")
            case _:
                deployment = self.find(
                    "version_id", form.workflow_version_id, "Workflow version not found for this deployment"
                )
        if form.machine_id is None:
            raise NotFoundError("Machine not found")
        machine = self.find("own_machine_id", form.machine_id, "Machine not found for this deployment")
        chosen = deployment.settings.model_copy(update={"machine_id": machine.own_machine_id, "gpu": None})
        return replace(deployment, settings=chosen)

    def find(self, attribute: str, value: object, otherwise: str) -> Deployment:
        """Return a deployment by one of its ids, or raise ``NotFoundError(otherwise)``."""
        for deployment in self.all():
            if getattr(deployment, attribute) == str(value):
                return deployment
        raise NotFoundError(otherwise)


def _forget(id_: str, document: str) -> None:
    """Keep nothing."""


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError(f"id must be a UUID, not {text!r}") from None
