import json

import httpx
import pytest

from comfydeploy.emulator import NodeOutput, Quirk, Succeeds

HOUR = 3600


@pytest.fixture
def client(odd):
    client = odd(Quirk.EXPIRING_ADDRESSES, clock="manual", pace=1)
    client.emulator.script("picture", Succeeds([NodeOutput(files={"a b.png": b"a"})]), times=None)
    return client


def address(client, run_id):
    (output,) = client.get(f"/run/{run_id}").json()["outputs"]
    assert output["data"]["images"][0]["is_public"] is False
    return output["data"]["images"][0]["url"]


def test_address_expires_and_run_has_fresh_ones(client):
    run_id = client.post("/run/queue", json=client.order()).json()["run_id"]
    client.emulator.advance(60)
    first = address(client, run_id)
    assert httpx.get(first).content == b"a"
    client.emulator.advance(HOUR)
    answer = httpx.get(first)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)
    assert httpx.get(address(client, run_id)).content == b"a"


@pytest.mark.parametrize("change", [lambda url: url.partition("?")[0], lambda url: url[:-1], lambda url: url + "0"])
def test_another_address_is_403(client, change):
    run_id = client.post("/run/queue", json=client.order()).json()["run_id"]
    client.emulator.advance(60)
    assert httpx.get(change(address(client, run_id))).status_code == 403


def test_rows_events_and_webhooks_are_signed(client, sink):
    order = client.order(webhook=sink.url)
    with client.stream("POST", "/run/stream", json=order) as answer:
        client.emulator.advance(60)
        data = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    (executed,) = [one["data"]["output"] for one in data if one.get("event") == "executed"]
    (output,) = sink.until_end()[-1]["outputs"]
    (row,) = client.get(f"/workflow/{client.emulator.runs[0].workflow_id}/runs").json()
    listed = row["outputs"][1]["data"]
    for images in (executed["images"], output["data"]["images"], listed["images"]):
        assert httpx.get(images[0]["url"]).content == b"a"
