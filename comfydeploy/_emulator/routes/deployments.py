"""The routes of deployments and of their workflows."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.deployments.deployment import ENVIRONMENT, USER, Settings
from comfydeploy._emulator.deployments.forms import Gpu
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.endpoints import Endpoint
from comfydeploy._emulator.web.responses import Json

Environment: TypeAlias = Literal["staging", "production", "public-share", "private-share", "community-share", "preview"]
_Number = Annotated[int, Field(ge=0, lt=2**31)]


class _CreateBody(BaseModel):
    workflow_version_id: str
    workflow_id: str
    machine_id: str | None = None
    machine_version_id: str | None = None
    environment: Environment
    description: str | None = None
    deployment_id: str | None = None


class _UpdateBody(BaseModel):
    workflow_version_id: str | None = None
    machine_id: str | None = None
    machine_version_id: str | None = None
    concurrency_limit: _Number | None = None
    gpu: Gpu | None = None
    run_timeout: _Number | None = None
    idle_timeout: _Number | None = None
    keep_warm: _Number | None = None


_ENVIRONMENT: Final[TypeAdapter[str]] = TypeAdapter(Environment)
_COUNT: Final[TypeAdapter[int]] = TypeAdapter(_Number)
_CREATE: Final = TypeAdapter(_CreateBody)
_UPDATE: Final = TypeAdapter(_UpdateBody)


async def list_deployments(backend: Backend, request: Request) -> Response:
    """Answer ``GET /deployments``."""
    chosen = None
    if "environment" in request.query_params:
        chosen = requests.query(request, "environment", _ENVIRONMENT, ENVIRONMENT)
    found = [one for one in backend.catalogue.all() if chosen in (None, one.settings.environment)]
    return Json([one.deployment_json() for one in found])


async def show_deployment(backend: Backend, request: Request) -> Response:
    """Answer ``GET /deployment/{deployment_id}``; an unknown id is a 500, as on the real server."""
    deployment_id = requests.uuid_or_text(request.path_params["deployment_id"])
    try:
        return Json(backend.catalogue.find("id", deployment_id, "").single_json())
    except NotFoundError:
        raise HTTPException(500, "Internal server error") from None


async def show_version(backend: Backend, request: Request) -> Response:
    """Answer ``GET /workflow-version/{version_id}``: the version with its ``workflow_id``."""
    version_id = requests.uuid_or_text(request.path_params["version_id"])
    return Json(backend.catalogue.find("version_id", version_id, "Workflow version not found").version_json())


async def show_workflow(backend: Backend, request: Request) -> Response:
    """Answer ``GET /workflow/{workflow_id}``: the workflow with its latest versions, of which there is one here."""
    workflow_id = requests.uuid_or_text(request.path_params["workflow_id"])
    versions = requests.query(request, "limit", _COUNT, "1")
    found = backend.catalogue.find("workflow_id", workflow_id, "Workflow not found or you don't have access to it")
    return Json(found.whole_workflow_json(versions))


async def show_share(backend: Backend, request: Request) -> Response:
    """Answer ``GET /share/{username}/{slug}``."""
    slug = "{username}_{slug}".format_map(request.path_params)
    for one in backend.catalogue.all():
        if one.settings.share_slug == slug:
            return Json(one.share_json())
    raise HTTPException(404, "Deployment not found")


async def list_featured(backend: Backend, request: Request) -> Response:  # noqa: ARG001 - the signature of an endpoint
    """Answer ``GET /deployments/featured``: here the ones that are shared with all."""
    shared = [one for one in backend.catalogue.all() if one.settings.environment == "public-share"]
    return Json([one.featured_json() for one in shared])


async def create_deployment(backend: Backend, request: Request) -> Response:
    """Answer ``POST /deployment``: a workflow has one deployment in each environment.

    What is unknown is a 500, as on the real server.
    """
    body = await requests.body(request, _CREATE)
    if body.machine_id is None and body.machine_version_id is None:
        raise HTTPException(400, "Machine ID or Machine Version ID is required")
    catalogue, now = backend.catalogue, backend.clock.now()
    try:
        machine = catalogue.find("own_machine_id", requests.uuid_or_text(body.machine_id or ""), "Machine not found")
        workflow = catalogue.find("workflow_id", requests.uuid_or_text(body.workflow_id), "Workflow not found")
    except NotFoundError as error:
        raise HTTPException(500, f"Internal server error: 404: {error}") from None
    if requests.uuid_or_text(body.workflow_version_id) != workflow.version_id:
        raise HTTPException(500, "Internal server error: the workflow has no such version")
    own = [one for one in catalogue.all() if one.workflow_id == workflow.workflow_id]
    if body.deployment_id:
        same = [one for one in own if one.id == requests.uuid_or_text(body.deployment_id)]
    else:
        same = [one for one in own if one.settings.environment == body.environment]
    existing = same[0] if same else None
    before = existing.settings if existing else Settings(created_at=now)
    changes = {
        "environment": body.environment,
        "machine_id": machine.own_machine_id,
        "share_slug": _slug(workflow.name, body.environment),
        "updated_at": now,
    }
    settings = before.model_copy(update=changes)
    made = catalogue.deploy(workflow, settings, existing.id if existing else backend.ids.uuid())
    return Json(made.changed_json())


async def update_deployment(backend: Backend, request: Request) -> Response:
    """Answer ``PATCH /deployment/{deployment_id}``; what is unknown is a 500, as on the real server."""
    deployment_id = requests.uuid_or_text(request.path_params["deployment_id"])
    body = await requests.body(request, _UPDATE)
    try:
        found = backend.catalogue.find("id", deployment_id, "")
        machine_id = requests.uuid_or_text(body.machine_id or found.machine_id)
        machine = backend.catalogue.find("own_machine_id", machine_id, "")
    except NotFoundError:
        raise HTTPException(500, "Internal server error") from None
    # No machine here has versions.
    if (
        body.machine_version_id
        or requests.uuid_or_text(body.workflow_version_id or found.version_id) != found.version_id
    ):
        raise HTTPException(500, "Internal server error")
    changes = body.model_dump(exclude_none=True, exclude={"workflow_version_id", "machine_version_id"})
    changes |= {"machine_id": machine.own_machine_id, "updated_at": backend.clock.now()}
    return Json(backend.catalogue.deploy(found, found.settings.model_copy(update=changes), found.id).changed_json())


def _slug(name: str, environment: str) -> str | None:
    """Return the address of a shared deployment, which no other one has."""
    kind, _, rest = environment.partition("-")
    suffix = "" if kind == "public" else f"-{kind}"
    return f"{USER.partition('_')[0]}_{name}{suffix}" if rest == "share" else None


ENDPOINTS: Final = (
    Endpoint("GET", "/api/share/{username}/{slug}", show_share, ("share_get",)),
    Endpoint("GET", "/api/deployments/featured", list_featured, ("deployments_featured",)),
    Endpoint("POST", "/api/deployment", create_deployment, ("deployment_create",)),
    Endpoint("PATCH", "/api/deployment/{deployment_id}", update_deployment, ("deployment_update",)),
    Endpoint("GET", "/api/workflow/{workflow_id}", show_workflow, ("workflow_get",)),
    Endpoint("GET", "/api/deployments", list_deployments, ("deployments_list",)),
    Endpoint("GET", "/api/deployment/{deployment_id}", show_deployment, ("deployment_get",)),
    Endpoint("GET", "/api/workflow-version/{version_id}", show_version, ("workflow_version_get",)),
)
