"""Webhooks have the recorded messages, in the recorded order, and the recorded repetitions after a refusal."""

import json

import httpx
import pytest

from comfydeploy.emulator import Emulator, Quirk, TimesOut


@pytest.fixture
def delivered(sink):
    """Run a run to its end and return the deliveries to its webhook."""

    def run(*, name="picture", answers=(), quirks=(), until="", **fields):
        with Emulator(clock="manual", quirks=quirks) as emulator:
            if until == "timeout":
                emulator.script(name, TimesOut())
            client = httpx.Client(base_url=emulator.url, headers={"authorization": f"Bearer {emulator.bearer}"})
            sink.answers[:] = answers
            body = {"deployment_id": emulator.deployments[name], "webhook": sink.url, **fields}
            with client:
                run_id = client.post("/run/queue", json=body).json()["run_id"]
                emulator.advance(1)
                if until == "cancelled":
                    client.post(f"/run/{run_id}/cancel")
            emulator.advance(20)
            return emulator.deliveries

    return run


CASES = {
    "webhook-plain": {},
    "webhook-intermediate": {"webhook_intermediate_status": True},
    "webhook-cancelled-run": {"name": "slow", "until": "cancelled", "webhook_intermediate_status": True},
    "webhook-timeout-run": {"name": "slow", "until": "timeout", "webhook_intermediate_status": True},
    "webhook-always-failing": {"answers": [500] * 99, "quirks": [Quirk.GET_WEBHOOKS]},
}


@pytest.mark.parametrize("name", CASES)
def test_delivery_has_recorded_shape(delivered, webhooks, like, sink, name):
    recorded = [json.loads(one["body"]) for deliveries in webhooks.values() for one in deliveries]
    found = delivered(**CASES[name])
    assert sink.received.qsize() == len(found)
    for delivery in found:
        alike = [body for body in recorded if body["status"] == delivery.body["status"]]
        assert not like(delivery.body, *alike)
    types = {headers["content-type"] for _, headers, _ in sink.received.queue}
    assert types == {one["headers"]["content-type"] for one in webhooks[name]}


@pytest.mark.parametrize("name", CASES)
def test_statuses_come_in_recorded_order(delivered, webhooks, name):
    def order(bodies):
        return list(dict.fromkeys(body["status"] for body in bodies))

    recorded = order(json.loads(one["body"]) for one in webhooks[name])
    assert order(delivery.body for delivery in delivered(**CASES[name])) == recorded


def test_refused_delivery_is_retried_as_recorded(delivered, webhooks):
    found = delivered(**CASES["webhook-always-failing"])
    tries = {}
    for one in webhooks["webhook-always-failing"]:
        tries.setdefault(json.loads(one["body"])["status"], []).append(one["method"])
    assert set(map(tuple, tries.values())) == {("POST", "GET", "GET")}
    for status, methods in tries.items():
        assert [one.method for one in found if one.body["status"] == status] == methods
