import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest


@pytest.fixture
def waiting(connect, standing):
    """A client, and the id of a run that is being played as far as the standing server ever plays one."""

    def begin(**fields):
        client = connect(standing)
        body = {"deployment_id": standing.deployments["picture"], **fields}
        return client, client.post("/run/queue", json=body).json()["run_id"]

    return begin


def test_a_waiting_run_is_cancelled(waiting, sample):
    client, run_id = waiting()
    recorded = sample("exchanges")["cancel"]
    answer = client.post(f"/run/{run_id}/cancel")
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["body"])
    run = client.get(f"/run/{run_id}").json()
    assert (run["status"], run["outputs"], run["started_at"]) == ("cancelled", [], None)
    assert run["ended_at"] == run["updated_at"]


def test_a_cancelled_run_is_told_to_its_webhook_as_recorded(waiting, sink, sample):
    client, run_id = waiting(webhook=sink.url)
    client.post(f"/run/{run_id}/cancel")
    told, recorded = sink.next(), sample("webhooks")["cancelled"]
    assert list(told) == list(recorded)
    assert (told["status"], told["outputs"], told["run_id"]) == ("cancelled", [], run_id)


def test_a_run_is_cancelled_once_only(waiting, sink):
    client, run_id = waiting(webhook=sink.url)
    for _ in range(2):
        assert client.post(f"/run/{run_id.upper()}/cancel").status_code == 200
    assert sink.next()["status"] == "cancelled"
    assert sink.received.empty()


def test_cancelling_a_run_that_has_ended_changes_nothing(client, order, ended, sample):
    run_id = client.post("/run/queue", json=order(inputs={"width": 16})).json()["run_id"]
    before = ended(run_id)
    recorded = sample("exchanges")["cancel, ended"]
    answer = client.post(f"/run/{run_id}/cancel", json={"function_id": "x"})
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["body"])
    assert client.get(f"/run/{run_id}").json() == before


@pytest.mark.parametrize("run_id", [str(uuid4()), "nope"])
def test_an_unknown_run_cannot_be_cancelled(client, sample, run_id):
    recorded = sample("exchanges")["cancel, unknown"]
    answer = client.post(f"/run/{run_id}/cancel")
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["body"])


def test_cancelling_is_a_post(client, sample):
    recorded = sample("exchanges")["cancel, GET"]
    answer = client.get(f"/run/{uuid4()}/cancel")
    assert (answer.status_code, answer.json(), answer.headers["allow"]) == (
        recorded["status"],
        recorded["body"],
        "POST",
    )


def test_neither_a_streaming_nor_a_native_run_can_be_cancelled(client, order):
    for line in client.post("/run/stream", json=order()).text.splitlines():
        if '"node_errors"' in line:
            streamed = json.loads(line.removeprefix("data: "))["prompt_id"]
    native = client.post("/run", json=order(is_native_run=True)).json()["prompt_id"]
    for run_id in (streamed, native):
        before = client.get(f"/run/{run_id}").json()
        assert client.post(f"/run/{run_id}/cancel").status_code == 500
        assert client.get(f"/run/{run_id}").json() == before


def test_a_call_that_waits_for_a_run_hears_of_its_end(connect, standing):
    client = connect(standing)
    workflow_id = client.get("/deployments").json()[1]["workflow_id"]
    body = {"deployment_id": standing.deployments["slow"]}
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(connect(standing).post, "/run/sync", json=body)
        while not (rows := client.get(f"/workflow/{workflow_id}/runs").json()):
            pass
        client.post(f"/run/{rows[0]['id']}/cancel")
        answer = waiting.result()
    assert (answer.status_code, answer.json()) == (200, [])
