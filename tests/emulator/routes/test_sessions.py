from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from comfydeploy._emulator import sessions
from comfydeploy.emulator import Emulator


@pytest.fixture
def machine_id(client) -> str:
    return client.get("/deployments").json()[0]["machine_id"]


@pytest.fixture
def opened(client, machine_id):
    """Open a session: opened(gpu="T4") is its id."""
    return lambda **fields: client.post("/session", json={"machine_id": machine_id, **fields}).json()["session_id"]


def test_address_of_session_comes_later(connect, standing, machine_id):
    client = connect(standing)
    answer = client.post("/session", json={"machine_id": machine_id})
    assert (answer.status_code, list(answer.json()), answer.json()["url"]) == (200, ["session_id", "url"], None)
    assert client.get(f"/session/{answer.json()['session_id']}").json()["url"] is None


def test_session_that_has_started_has_address(client, opened):
    session = client.get(f"/session/{opened()}").json()
    assert session["url"].endswith(session["id"])


def test_session_has_all_fields(client, opened, machine_id):
    session_id = opened(gpu="A10G", timeout=30)
    session = client.get(f"/session/{session_id}").json()
    assert session["id"] == session["session_id"] == session_id
    assert UUID(session["gpu_event_id"])
    assert (session["machine_id"], session["gpu"], session["timeout"]) == (machine_id, "A10G", 30)
    assert session["status"] == "running"


def test_times_of_session_have_no_zone(client, opened):
    session = client.get(f"/session/{opened(timeout=30)}").json()
    created, end = (datetime.fromisoformat(session[key]) for key in ("created_at", "timeout_end"))
    assert (created.tzinfo, end - created) == (None, timedelta(minutes=30))


@pytest.mark.parametrize("fields", [{}, {"gpu": None, "timeout": None}, {"timeout": 0}])
def test_defaults_of_session(client, opened, fields):
    session = client.get(f"/session/{opened(**fields)}").json()
    assert (session["gpu"], session["timeout"]) == ("CPU", 15)


def test_one_may_wait_for_address(client, machine_id):
    answer = client.post("/session", json={"machine_id": machine_id, "wait_for_server": True}).json()
    assert answer["url"] == client.get(f"/session/{answer['session_id']}").json()["url"] is not None


def test_closed_session_is_gone(client, opened):
    session_id = opened()
    answer = client.delete(f"/session/{session_id}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert client.get(f"/session/{session_id}").status_code == 404
    answer = client.delete(f"/session/{session_id}")
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(f"{session_id}, the event might be already closed")


def test_closing_session_ends_wait_for_it(connect, standing, machine_id):
    client = connect(standing)
    known = {session["id"] for session in client.get("/sessions").json()}
    body = {"machine_id": machine_id, "wait_for_server": True}
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(connect(standing).post, "/session", json=body)
        while not (new := {session["id"] for session in client.get("/sessions").json()} - known):
            pass
        (session_id,) = new
        client.delete(f"/session/{session_id}")
        assert waiting.result().json() == {"session_id": session_id, "url": None}


def test_stopping_server_ends_wait_for_session(connect):
    with Emulator(pace=100_000) as emulator:
        client = connect(emulator)
        machine_id = client.get("/deployments").json()[0]["machine_id"]
        body = {"machine_id": machine_id, "wait_for_server": True}
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(connect(emulator).post, "/session", json=body)
            while not client.get("/sessions").json():
                pass
            emulator.stop()
            assert waiting.result().json()["url"] is None


def test_sessions_are_listed_by_machine(connect):
    with Emulator(pace=0) as emulator:
        client = connect(emulator)
        machines = [row["machine_id"] for row in client.get("/deployments").json()]
        ids = [
            client.post("/session", json={"machine_id": machine}).json()["session_id"]
            for machine in (machines[0], machines[1], machines[0])
        ]

        def listed(**params):
            return [session["id"] for session in client.get("/sessions", params=params).json()]

        assert listed() == ids[::-1]
        assert listed(machine_id=machines[0]) == listed(machine_id=machines[0].upper()) == [ids[2], ids[0]]
        assert listed(machine_id=str(uuid4())) == listed(machine_id="nope") == []
        assert client.get(f"/session/{ids[0]}").json() == client.get("/sessions").json()[-1]


def test_session_ends_by_itself(client, opened, monkeypatch):
    monkeypatch.setattr(sessions, "USUAL_MINUTES", 0)
    session_id = opened()
    assert client.get(f"/session/{session_id}").status_code == 404
    assert session_id not in str(client.get("/sessions").json())


def test_unknown_session_is_not_found(client):
    for session_id in (uuid4(), "nope"):
        answer = client.get(f"/session/{session_id}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "GPUEvent not found"})


@pytest.mark.parametrize("machine", [str(uuid4()), "nope"])
def test_unknown_machine_is_not_found(client, machine):
    answer = client.post("/session", json={"machine_id": machine})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Machine not found"})


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"machine_id": 1}, "machine_id"),
        ({"gpu": "X"}, "gpu"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": 10**30}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"wait_for_server": None}, "wait_for_server"),
    ],
)
def test_invalid_session_request_is_422(client, machine_id, fields, place):
    answer = client.post("/session", json={"machine_id": machine_id, **fields})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", place])


def test_session_needs_machine(client):
    assert client.post("/session", json={}).json()["detail"][0]["loc"] == ["body", "machine_id"]


@pytest.mark.parametrize("path", ["/machine/{}/session", "/machine/{}/sessions"])
def test_routes_of_older_clients_are_gone(client, machine_id, path):
    assert client.request("POST" if path.endswith("n") else "GET", path.format(machine_id)).status_code == 404


def test_prolonged_session_ends_later(client, opened):
    session_id = opened(timeout=5)
    before = client.get(f"/session/{session_id}").json()
    answer = client.post(f"/session/{session_id}/increase-timeout", json={"minutes": 10})
    assert answer.json() == {"message": "Timeout increased successfully"}
    after = client.get(f"/session/{session_id}").json()
    ends = [datetime.fromisoformat(one["timeout_end"]) for one in (before, after)]
    assert (ends[1] - ends[0], after["timeout"]) == (timedelta(minutes=10), 5)


def test_only_open_session_is_prolonged(client):
    answer = client.post(f"/session/{uuid4()}/increase-timeout", json={"minutes": 10})
    assert (answer.status_code, answer.json()) == (404, {"detail": "GPU event not found"})
    assert client.post(f"/session/{uuid4()}/increase-timeout", json={}).status_code == 422
