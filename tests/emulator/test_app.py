import re
import socket

import httpx
import pytest

from comfydeploy.emulator import Emulator

MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z")


def machine_of(client) -> dict:
    return client.get("/deployments").json()[0]


@pytest.mark.parametrize("authorization", ["Bearer", "Basic {key}", "Bearer {key}x", "Bearer {key} x", "{key}"])
def test_only_exact_bearer_is_let_in(emulator, authorization):
    headers = {"authorization": authorization.format(key=emulator.bearer)}
    answer = httpx.get(f"{emulator.url}/deployments", headers=headers)
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])


def test_unknown_path_is_not_found(client):
    answer = client.get("/nope")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(("path", "to"), [("/run/", "/run"), ("/deployments/", "/deployments")])
def test_trailing_slash_is_redirected(client, emulator, path, to):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"], answer.content) == (307, emulator.url + to, b"")


def test_queued_run_has_not_started(connect, standing):
    client = connect(standing)
    body = {"deployment_id": standing.deployments["picture"], "inputs": {"width": 16}, "webhook": "http://127.0.0.1:9/"}
    answer = client.post("/run/queue", json=body)
    assert (answer.status_code, list(answer.json())) == (200, ["run_id"])
    run = client.get(f"/run/{answer.json()['run_id']}").json()
    assert (run["status"], run["workflow_inputs"], run["outputs"]) == ("not-started", {"width": 16}, [])
    assert MICROSECONDS.fullmatch(run["created_at"])


def test_queue_position_only_on_request(connect, standing):
    client = connect(standing)
    body = {"deployment_id": standing.deployments["picture"]}
    first, second = (client.post("/run/queue", json=body).json()["run_id"] for _ in range(2))
    places = [client.get(f"/run/{one}?queue_position=true").json()["queue_position"] for one in (first, second)]
    assert places[1] == places[0] + 1
    assert client.get(f"/run/{first}").json()["queue_position"] is None


def test_run_succeeds_with_picture(client, order, ended):
    run_id = client.post("/run/queue", json=order(inputs={"width": 16})).json()["run_id"]
    run = ended(run_id)
    (output,) = run["outputs"]
    assert (output["output_id"], output["node_meta"]) == ("result", {"node_id": "7"})
    assert (run["status"], run["progress"], output["run_id"]) == ("success", 1.0, run_id)
    assert run["created_at"] <= run["queued_at"] <= run["started_at"] <= run["ended_at"] == run["updated_at"]
    assert run["duration"] == pytest.approx(run["cold_start_duration_total"] + run["run_duration"])


def test_run_is_found_by_any_spelling_of_its_id(client, order, ended):
    run_id = client.post("/run/queue", json=order()).json()["run_id"]
    run = ended(run_id)
    assert client.get("/run", params={"run_id": run_id}).json() == run
    assert client.get(f"/run/{run_id.upper()}").json() == run
    assert client.get(f"/run/{run_id.replace('-', '')}").json() == run


def test_failed_run_has_no_reason(client, order, ended):
    run = ended(client.post("/run/queue", json=order("failing")).json()["run_id"])
    assert (run["status"], run["outputs"], run["live_status"]) == ("failed", [], "Executing KSampler")
    assert "memory" not in str(run)


def test_progress_is_shown_in_single_precision(client, order, ended):
    run = ended(client.post("/run/queue", json=order("failing")).json()["run_id"])
    assert run["progress"] == 0.7099999785423279


def test_progress_can_be_watched(connect):
    with Emulator(pace=0.03) as emulator:
        client = connect(emulator)
        run_id = client.post("/run/queue", json={"deployment_id": emulator.deployments["slow"]}).json()["run_id"]
        seen = [client.get(f"/run/{run_id}").json()]
        while seen[-1]["status"] != "success":
            seen.append(client.get(f"/run/{run_id}").json())
    progress = [run["progress"] for run in seen]
    assert progress == sorted(progress)
    assert {"Executing KSampler", "Executing ImageUpscaleWithModel"} <= {run["live_status"] for run in seen}
    running = next(run for run in seen if run["status"] == "running")
    assert (running["ended_at"], running["run_duration"], running["duration"]) == (None, None, None)
    assert running["cold_start_duration"] > 0


@pytest.mark.parametrize("fields", [{"name": "failing"}, {"inputs": {"fail": True}}, {"inputs": {"fail": "boo"}}])
def test_sync_of_failed_run_is_400_that_names_run(client, order, fields):
    answer = client.post("/run/sync", json=order(**fields))
    assert answer.status_code == 400
    _, run_id, *words = answer.json()["detail"].split()
    assert words == ["ended", "as", "failed"]
    assert client.get(f"/run/{run_id}").json()["status"] == "failed"


def test_outputs_can_be_downloaded_without_bearer(client, order):
    (output,) = client.post("/run/sync", json=order(inputs={"width": 40, "height": 24})).json()
    answer = httpx.get(output["data"]["images"][0]["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")


def test_output_addresses_follow_request_host(client, emulator, order):
    port = httpx.URL(emulator.url).port
    (output,) = client.post("/run/sync", json=order(), headers={"host": f"localhost:{port}"}).json()
    assert output["data"]["images"][0]["url"].startswith(f"http://localhost:{port}/outputs/runs/")


@pytest.mark.parametrize("name", ["../runs.sqlite", "..%2f..%2fruns.sqlite", "%2e%2e/runs.sqlite", "", "other.png"])
def test_no_other_file_can_be_reached(client, emulator, order, name):
    run_id = client.post("/run/sync", json=order()).json()[0]["run_id"]
    address = httpx.URL(emulator.url)
    with socket.create_connection((address.host, address.port)) as connection:
        request = f"GET /outputs/runs/{run_id}/{name} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("host", ["[", "a b", "x:y:z", "\xff", ""])
def test_nonsensical_host_does_no_harm(client, emulator, order, host):
    address = httpx.URL(emulator.url)
    with socket.create_connection((address.host, address.port)) as connection:
        head = f"GET /api/deployments HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {emulator.bearer}\r\n"
        connection.sendall(f"{head}connection: close\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in {b"400", b"403"}
    assert client.post("/run/sync", json=order()).status_code == 200


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ({"batch_number": 3}, 3),
        ({"batch_number": 0}, 1),
        ({"batch_number": -2}, 1),
        ({"batch_input_params": {}}, 1),
        ({"batch_input_params": {"width": []}}, 1),
        ({"batch_input_params": {"width": [16, 32], "prompt": ["a", "b", "c"]}}, 6),
        ({"is_native_run": True}, 1),
    ],
)
def test_batch_runs_every_combination(connect, standing, fields, runs):
    client = connect(standing)
    body = {"deployment_id": standing.deployments["picture"], "inputs": {"seed": 1}, **fields}

    def place() -> int:
        last = client.post("/run/queue", json={"deployment_id": standing.deployments["picture"]}).json()["run_id"]
        return client.get(f"/run/{last}?queue_position=true").json()["queue_position"]

    before = place()
    first = client.post("/run/queue", json=body).json()["run_id"]
    assert place() - before - 1 == runs
    varied = {key: values[0] for key, values in fields.get("batch_input_params", {}).items() if values}
    assert client.get(f"/run/{first}").json()["workflow_inputs"] == {"seed": 1, **varied}


def test_batch_that_would_never_end_is_refused(client, order):
    params = {str(number): list(range(50)) for number in range(20)}
    answer = client.post("/run/queue", json=order(batch_input_params=params))
    assert answer.status_code == 422


def test_version_form_wins_over_others(client, order, ended):
    known = machine_of(client)
    body = order("failing", workflow_version_id=known["workflow_version_id"], machine_id=known["machine_id"])
    run = ended(client.post("/run/queue", json=body).json()["run_id"])
    assert (run["status"], run["workflow_version_id"]) == ("success", known["workflow_version_id"])


def test_sent_graph_runs_without_version(client, ended):
    known = machine_of(client)
    body = {
        "workflow_id": known["workflow_id"],
        "workflow_api_json": {"1": {"class_type": "SaveImage", "inputs": {}}},
        "machine_id": known["machine_id"],
        "inputs": {"width": 16},
    }
    run = ended(client.post("/run/queue", json=body).json()["run_id"])
    assert (run["status"], run["workflow_version_id"], run["workflow_id"]) == ("success", None, known["workflow_id"])


def test_deployments_are_listed_by_environment(emulator_at_rest):
    def listed(environment):
        return httpx.get(
            f"{emulator_at_rest.url}/deployments",
            params={"environment": environment},
            headers={"authorization": f"Bearer {emulator_at_rest.bearer}"},
        )

    rows = listed("production").json()
    assert {row["workflow"]["name"]: row["id"] for row in rows} == emulator_at_rest.deployments
    assert {one["input_id"] for one in rows[0]["input_types"]} >= {"prompt", "width", "height", "seed"}
    assert rows[0]["output_types"][0]["output_id"] == "result"
    assert listed("staging").json() == []
    assert listed("nowhere").status_code == 422


def test_inputs_are_kept_untouched(client, order, ended):
    inputs = {"i": 1, "f": 1.0, "b": True, "s": "x", "l": [1, None, {"a": []}], "big": 10**30, "uni": "日本語 \x00 😀"}
    run = ended(client.post("/run/queue", json=order(inputs=inputs)).json()["run_id"])
    assert run["workflow_inputs"] == inputs
    assert [type(value) for value in run["workflow_inputs"].values()] == [type(value) for value in inputs.values()]


@pytest.mark.parametrize(
    "inputs",
    [
        {"width": "wide", "height": [], "seed": [1], "prompt": [1]},
        {"width": "1e999", "height": -5, "seed": 10**400, "prompt": "\x00\n" * 50},
        {"width": True, "height": "32", "fail": 0, "prompt": "😀" * 500},
        {"width": 16, "height": 2048, "prompt": "x" * 5000},
    ],
)
def test_odd_inputs_still_make_picture(client, order, inputs):
    (output,) = client.post("/run/sync", json=order(inputs=inputs)).json()
    assert httpx.get(output["data"]["images"][0]["url"]).content.startswith(b"\x89PNG")
