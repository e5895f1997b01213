import json
import re
import time
from uuid import uuid4

import pytest

from comfydeploy.emulator import Emulator


def streamed(text: str) -> list[dict]:
    assert "event:" not in text
    return [json.loads(block.removeprefix("data: ")) for block in text.split("\n\n") if block]


@pytest.fixture
def run_id(client, order, ended):
    """The id of a run that has failed."""
    run_id = client.post("/run/queue", json=order(inputs={"fail": "The paint has run out."})).json()["run_id"]
    ended(run_id)
    return run_id


def test_archived_lines_hold_reason_of_failure(client, run_id):
    lines = client.get(f"/v2/clickhouse-run-logs/{run_id}").json()
    assert lines[-1]["log"] == "RuntimeError: The paint has run out."
    assert {tuple(line) for line in lines} == {("run_id", "timestamp", "log", "user_id", "org_id", "log_type")}
    assert {line["run_id"] for line in lines} == {run_id}
    assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0]["timestamp"])


def test_run_in_progress_has_no_archived_lines(connect, standing):
    client = connect(standing)
    run_id = client.post("/run/queue", json={"deployment_id": standing.deployments["picture"]}).json()["run_id"]
    answer = client.get(f"/v2/clickhouse-run-logs/{run_id}")
    assert (answer.status_code, answer.json()) == (200, [])


def test_log_of_ended_run_is_streamed(client, run_id):
    answer = client.get("/v2/stream-logs", params={"run_id": run_id})
    *lines, last = streamed(answer.text)
    assert last == {"type": "stream_complete", "source": "archive"}
    assert lines[-1]["message"] == "RuntimeError: The paint has run out."
    archived = client.get(f"/v2/clickhouse-run-logs/{run_id}").json()
    assert [one["message"] for one in lines] == [one["log"] for one in archived]


def test_lines_equal_those_of_stream(client, order):
    messages, prompt_id = [], ""
    for block in client.post("/run/stream", json=order()).text.split("\n\n"):
        if block:
            data = json.loads(block.partition("\ndata: ")[2])
            prompt_id = data.get("prompt_id", prompt_id)
            messages += [data["logs"]] if "logs" in data else []
    assert [line["log"] for line in client.get(f"/v2/clickhouse-run-logs/{prompt_id}").json()] == messages
    assert messages


def test_log_is_streamed_until_end(connect):
    with Emulator(pace=0.01) as emulator:
        client = connect(emulator)
        run_id = client.post("/run/queue", json={"deployment_id": emulator.deployments["slow"]}).json()["run_id"]
        *lines, last = streamed(client.get("/v2/stream-logs", params={"run_id": run_id}).text)
    assert last == {"type": "stream_complete", "source": "sentinel"}
    assert (lines[0]["message"], lines[-1]["message"]) == (f"Executing prompt: {run_id}", "Prompt done")


def test_cancelling_run_ends_stream_of_its_log(connect, standing):
    client = connect(standing)
    run_id = client.post("/run/queue", json={"deployment_id": standing.deployments["picture"]}).json()["run_id"]
    with client.stream("GET", "/v2/stream-logs", params={"run_id": run_id}) as answer:
        assert standing.open_streams == 1
        assert connect(standing).post(f"/run/{run_id}/cancel").status_code == 200
        assert streamed(answer.read().decode()) == [{"type": "stream_complete", "source": "sentinel"}]


def test_leaving_stream_of_log_closes_it(connect, standing):
    client = connect(standing)
    run_id = client.post("/run/queue", json={"deployment_id": standing.deployments["picture"]}).json()["run_id"]
    with client.stream("GET", "/v2/stream-logs", params={"run_id": run_id}):
        assert standing.open_streams == 1
    deadline = time.monotonic() + 5
    while standing.open_streams:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("path", ["/v2/clickhouse-run-logs/{}", "/v2/stream-logs?run_id={}"])
def test_log_of_unknown_run_is_not_found(client, path):
    answer = client.get(path.format(uuid4()))
    assert (answer.status_code, answer.json()) == (404, {"detail": "Run not found"})
    assert client.get(path.format("nope")).status_code == 422


def test_stream_of_logs_needs_run(client):
    (found,) = client.get("/v2/stream-logs").json()["detail"]
    assert (found["type"], found["loc"]) == ("missing", ["query", "run_id"])


def test_logs_survive_restart(tmp_path, connect):
    with Emulator(pace=0, data=tmp_path) as emulator:
        body = {"deployment_id": emulator.deployments["picture"]}
        run_id = connect(emulator).post("/run/sync", json=body).json()[0]["run_id"]
        before = connect(emulator).get(f"/v2/clickhouse-run-logs/{run_id}").json()
    with Emulator(pace=0, data=tmp_path) as emulator:
        assert connect(emulator).get(f"/v2/clickhouse-run-logs/{run_id}").json() == before != []
