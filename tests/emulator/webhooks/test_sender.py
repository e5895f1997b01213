import pytest


def test_failed_run_sends_webhook(client, order, sink):
    client.post("/run/queue", json=order("failing", webhook=sink.url))
    assert [body["status"] for body in sink.until_end()] == ["queued", "started", "running", "failed"]


def test_intermediate_status_adds_nodes(client, order, sink):
    client.post("/run/queue", json=order(webhook=sink.url, webhook_intermediate_status=True))
    statuses = [body["live_status"] for body in sink.until_end() if body["status"] == "running"]
    assert statuses == [
        f"Executing {node}"
        for node in (
            "ComfyUIDeployExternalText",
            "CLIPTextEncode",
            "EmptyLatentImage",
            "KSampler",
            "VAEDecode",
            "ComfyDeployOutputImage",
        )
    ]


def test_address_chooses_event_type(client, order, sink):
    client.post("/run/queue", json=order(webhook=f"{sink.url}?target_events=run.output"))
    assert {body["event_type"] for body in sink.until_end()} == {"run.output"}


def test_refused_delivery_is_sent_three_times(client, order, sink):
    sink.answers[:] = [500, 404, 200, 503]
    client.post("/run/queue", json=order(webhook=sink.url))
    statuses = [body["status"] for body in sink.until_end()]
    assert statuses == ["queued", "queued", "queued", "started", "started", "running", "success"]


def test_delivery_is_given_up_after_three_tries(client, order, sink):
    sink.answers[:] = [500] * 3
    client.post("/run/queue", json=order(webhook=sink.url))
    assert [body["status"] for body in sink.until_end()] == ["queued"] * 3 + ["started", "running", "success"]


@pytest.mark.parametrize(
    "address",
    ["not a url", "", "http://[", "ftp://x/", "http://127.0.0.1:9/", "http://a:99999999/", "http://\x00", "//"],
)
def test_bad_address_never_hurts_run(client, order, ended, address):
    run = ended(client.post("/run/queue", json=order(webhook=address)).json()["run_id"])
    assert (run["status"], run["webhook"]) == ("success", address)
