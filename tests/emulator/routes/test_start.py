import json
from uuid import UUID

import httpx
import pytest

from comfydeploy._emulator.deployments.forms import LARGEST_BATCH


def known(client) -> dict:
    return client.get("/deployments").json()[0]


def graph_form(client, **fields) -> dict:
    row = known(client)
    node = {"class_type": "SaveImage", "inputs": {}}
    return {
        "workflow_id": row["workflow_id"],
        "machine_id": row["machine_id"],
        "workflow_api_json": {"1": node},
        **fields,
    }


@pytest.mark.parametrize("form", ["deployment", "workflow"])
@pytest.mark.parametrize("mode", ["queue", "sync", "stream"])
def test_route_of_one_form_takes_that_form(client, order, ended, form, mode):
    fields = {"inputs": {"width": 16}}
    answer = client.post(
        f"/run/{form}/{mode}", json=order(**fields) if form == "deployment" else graph_form(client, **fields)
    )
    assert answer.status_code == 200
    if mode == "stream":
        assert '"execution_success"' in answer.text
    elif mode == "sync":
        assert answer.json()[0]["output_id"] == "result"
    else:
        run = ended(answer.json()["run_id"])
        assert (run["status"], run["workflow_version_id"] is None) == ("success", form == "workflow")


def test_route_of_one_form_refuses_other(client, order):
    assert client.post("/run/workflow/queue", json=order()).status_code == 422
    assert client.post("/run/deployment/queue", json=graph_form(client)).status_code == 422


@pytest.mark.parametrize("fields", [{}, {"execution_mode": None}, {"batch_number": 1}, {"batch_number": -2}])
def test_run_queues_by_default(client, order, ended, fields):
    answer = client.post("/run", json=order(inputs={"width": 16}, **fields))
    assert (answer.status_code, list(answer.json())) == (200, ["run_id"])
    assert ended(answer.json()["run_id"])["status"] == "success"


def test_run_takes_every_form(client, order):
    row = known(client)
    version = {"workflow_version_id": row["workflow_version_id"], "machine_id": row["machine_id"]}
    for body in (order(), version, graph_form(client)):
        assert list(client.post("/run", json=body).json()) == ["run_id"]


@pytest.mark.parametrize(
    "fields", [{"batch_number": 3}, {"batch_input_params": {}}, {"batch_input_params": {"width": []}}]
)
def test_run_answers_batch_with_its_id(connect, standing, fields):
    client = connect(standing)
    answer = client.post("/run", json={"deployment_id": standing.deployments["picture"], **fields})
    assert (answer.status_code, list(answer.json())) == (200, ["batch_id"])
    assert UUID(answer.json()["batch_id"])


def test_run_refuses_batch_that_would_never_end(client, order):
    assert client.post("/run", json=order(batch_number=LARGEST_BATCH + 1)).status_code == 422


def test_run_streams_in_stream_mode(client, order):
    answer = client.post("/run", json=order(execution_mode="stream"))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert '"execution_success"' in answer.text


def test_run_in_sync_mode_answers_outputs(client, order):
    answer = client.post("/run", json=order(execution_mode="sync", inputs={"width": 16}))
    assert (answer.status_code, answer.json()[0]["output_id"]) == (200, "result")


def test_model_is_not_found(client):
    answer = client.post("/run/queue", json={"model_id": "some-model"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Model not found"})


def test_native_run_is_described_and_not_begun(client, emulator, order):
    answer = client.post("/run", json=order(is_native_run=True, inputs={"width": 8}))
    found = answer.json()
    assert found["inputs"] == {"width": 8}
    assert found["status_endpoint"] == f"{emulator.url}/update-run"
    assert found["cd_token"] not in {"", emulator.bearer}
    assert {"inputs", "class_type"} == set(found["workflow_api_raw"]["7"])
    run = client.get(f"/run/{found['prompt_id']}").json()
    assert (run["status"], run["modal_function_call_id"]) == ("not-started", None)


def test_native_run_returns_sent_graph(client):
    form = graph_form(client, is_native_run=True, workflow={"nodes": [], "mine": True}, gpu_event_id="gpu-1")
    found = client.post("/run", json=form).json()
    assert found["workflow_api_raw"] == form["workflow_api_json"]
    assert (found["workflow"], found["gpu_event_id"]) == (form["workflow"], "gpu-1")


def test_first_result_is_picture_itself(client, order):
    answer = client.post("/run", json=order(execution_mode="sync_first_result", inputs={"width": 16}))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_new_routes_are_closed_to_strangers(emulator):
    for path in ("/run", "/run/deployment/queue", "/run/workflow/sync"):
        assert httpx.post(emulator.url + path, content=json.dumps({})).status_code == 401
