"""Every route of the service has a contract."""

import re

import httpx
import pytest

from comfydeploy import ComfyDeploy
from comfydeploy._emulator.routes.service import ENDPOINTS

UPLOAD = ("up.png", b"\x89PNG", "image/png")


# These are in no recording: tests/emulator/routes compares them with the service's documentation.
UNRECORDED = {
    "GET /v2/stream-progress",
    "GET /machines",
    "GET /share/{username}/{slug}",
    "GET /assets/presigned-url",
    "POST /assets/register",
    "POST /assets/upload",
}
# Routes without a recording are compared with the models that the service documents.
DOCUMENTED = {
    "GET /deployments": lambda client, _: client.deployments.list(),
    "GET /sessions": lambda client, _: client.session.list(),
    "POST /session": lambda client, session: session,
    "GET /session/{session_id}": lambda client, session: client.session.get(session.session_id),
    "DELETE /session/{session_id}": lambda client, session: client.session.cancel(session.session_id),
    "GET /v2/clickhouse-run-logs/{run_id}": lambda client, _: client.run.logs(finished_run(client)),
    "POST /session/{session_id}/increase-timeout": lambda client, session: client.session.increase_timeout(
        session.session_id, 5
    ),
    "GET /workflow/{workflow_id}": lambda client, _: client.workflow.get(picture(client).workflow_id),
    "GET /workflow-version/{version_id}": lambda client, _: client.workflow.version_get(
        picture(client).workflow_version_id
    ),
    "POST /deployment": lambda client, _: shared(client),
    "PATCH /deployment/{deployment_id}": lambda client, _: client.deployment.update(picture(client).id, {}),
    "GET /machine/{machine_id}": lambda client, _: client.machine.get(picture(client).machine_id),
    "GET /models": lambda client, _: client.models.list(),
    "GET /deployments/featured": lambda client, _: shared(client) and client.deployments.featured(),
    "GET /search/model": lambda client, _: client.models.search("picture"),
    "GET /platform/usage": lambda client, _: client.usage(),
    "GET /assets": lambda client, _: [client.assets.folder("a folder"), *client.assets.list()],
    "POST /assets/folder": lambda client, _: client.assets.folder("another folder"),
    "GET /assets/{asset_id}": lambda client, _: client.asset.get(client.asset.upload(b"x", name="a.png").id),
    "DELETE /assets/{asset_id}": lambda client, _: client.asset.delete(client.asset.upload(b"x", name="a.png").id),
}


def picture(client):
    return client.deployments.list("production")[0]


def shared(client):
    parts = {name: getattr(picture(client), name) for name in ("workflow_id", "workflow_version_id", "machine_id")}
    return client.deployment.create({"environment": "public-share", **parts})


def finished_run(client):
    deployment = client.deployments.list()[0]
    return client.run.sync({"deployment_id": deployment.id})[0].run_id


def test_every_route_has_contract(recordings, streams):
    routes = {f"{one.method} {one.path.removeprefix('/api')}" for one in ENDPOINTS if one.path.startswith("/api/")}
    calls = [f"{one.method} {one.path.partition('?')[0]}" for one in recordings.values() if one.status == 200]
    calls += [f"{one['method']} {one['path']}" for one in streams.values()]

    def is_held(route):
        pattern = re.sub(r"\\{\w+\\}", "[0-9a-fA-F-]+", re.escape(route))
        return route in DOCUMENTED.keys() | UNRECORDED or any(re.fullmatch(pattern, one) for one in calls)

    assert not [route for route in sorted(routes) if not is_held(route)]


@pytest.mark.parametrize("route", DOCUMENTED)
def test_unrecorded_answers_are_documented(emulator, route):
    with ComfyDeploy(bearer=emulator.bearer, server_url=emulator.url) as client:
        machine_id = client.deployments.list()[0].machine_id
        session = client.session.create({"machine_id": machine_id})
        answer = DOCUMENTED[route](client, session)
        for model in answer if isinstance(answer, list) else [answer]:
            names = {field.name for field in type(model).__attrs_attrs__} - {"raw"}
            assert names <= set(model.raw)


def test_upload_is_answered_as_recorded(emulator, recordings, like):
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    answer = httpx.post(f"{emulator.url}/file/upload", files={"file": UPLOAD}, headers=headers)
    recorded = recordings["file-then-run-upload"]
    assert (answer.status_code, answer.headers["content-type"]) == (recorded.status, recorded.headers["content-type"])
    assert not like(answer.json(), recorded.body)
