from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest


@pytest.fixture
def waiting(connect, standing):
    """A client, and the id of a run that never ends, on a server whose time stands still."""

    def begin(**fields):
        client = connect(standing)
        body = {"deployment_id": standing.deployments["picture"], **fields}
        return client, client.post("/run/queue", json=body).json()["run_id"]

    return begin


def test_waiting_run_is_cancelled(waiting):
    client, run_id = waiting()
    assert client.post(f"/run/{run_id}/cancel").status_code == 200
    run = client.get(f"/run/{run_id}").json()
    assert (run["status"], run["outputs"], run["started_at"]) == ("cancelled", [], None)
    assert run["ended_at"] == run["updated_at"]


def test_cancelled_run_sends_webhook(waiting, sink):
    client, run_id = waiting(webhook=sink.url)
    client.post(f"/run/{run_id}/cancel")
    delivery = sink.next()
    assert (delivery["status"], delivery["outputs"], delivery["run_id"]) == ("cancelled", [], run_id)


def test_run_is_cancelled_once_only(waiting, sink):
    client, run_id = waiting(webhook=sink.url)
    for _ in range(2):
        assert client.post(f"/run/{run_id.upper()}/cancel").status_code == 200
    assert sink.next()["status"] == "cancelled"
    assert sink.received.empty()


def test_cancelling_ended_run_changes_nothing(client, order, ended):
    run_id = client.post("/run/queue", json=order(inputs={"width": 16})).json()["run_id"]
    before = ended(run_id)
    assert client.post(f"/run/{run_id}/cancel", json={"function_id": "x"}).status_code == 200
    assert client.get(f"/run/{run_id}").json() == before


def test_cancelling_ends_waiting_call(connect, standing):
    client = connect(standing)
    workflow_id = client.get("/deployments").json()[1]["workflow_id"]
    body = {"deployment_id": standing.deployments["slow"]}
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(connect(standing).post, "/run/sync", json=body)
        while not (rows := client.get(f"/workflow/{workflow_id}/runs").json()):
            pass
        client.post(f"/run/{rows[0]['id']}/cancel")
        answer = waiting.result()
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Run {rows[0]['id']} ended as cancelled"})


@pytest.mark.parametrize(("run_id", "status"), [(str(uuid4()), 404), ("nope", 422)])
def test_unknown_run_cannot_be_cancelled(client, run_id, status):
    assert client.post(f"/run/{run_id}/cancel").status_code == status


def test_run_that_is_streamed_is_cancelled(connect, standing):
    client = connect(standing)
    with client.stream("POST", "/run/stream", json={"deployment_id": standing.deployments["picture"]}) as answer:
        lines = answer.iter_lines()
        next(lines)
        row = client.get("/deployments").json()[0]
        run_id = client.get(f"/workflow/{row['workflow_id']}/runs").json()[0]["id"]
        assert client.post(f"/run/{run_id}/cancel").status_code == 200
        assert list(lines)[-1] == ""
    assert client.get(f"/run/{run_id}").json()["status"] == "cancelled"


def test_native_run_is_cancelled(client, order):
    run_id = client.post("/run", json=order(is_native_run=True)).json()["prompt_id"]
    assert client.post(f"/run/{run_id}/cancel").status_code == 200
    assert client.get(f"/run/{run_id}").json()["status"] == "cancelled"
