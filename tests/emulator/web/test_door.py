import json
from pathlib import Path

import httpx
import pytest

from comfydeploy.emulator import Emulator

EVIL = "evil.example:3011"


@pytest.fixture
def paths(client, order):
    (output,) = client.post("/run/sync", json=order()).json()
    return [
        ("GET", "/"),
        ("GET", "/page/events"),
        ("POST", "/api/run/queue"),
        ("GET", "/_emulator/requests"),
        ("POST", "/_emulator/faults"),
        ("GET", httpx.URL(output["data"]["images"][0]["url"]).path),
        ("OPTIONS", "/api/run/queue"),
        ("GET", "/nope"),
    ]


def test_another_host_is_refused_everywhere(client, emulator, order, paths):
    before = len(emulator.runs), len(emulator.requests)
    site = emulator.url.removesuffix("/api")
    for method, path in paths:
        answer = client.request(
            method, f"{site}{path}", json=order(), headers={"host": EVIL, "origin": f"http://{EVIL}"}
        )
        assert answer.status_code == 403
        assert "--allow-host" in answer.json()["detail"]
        assert "access-control-allow-origin" not in answer.headers
    assert (len(emulator.runs), len(emulator.requests)) == before


def test_named_host_is_allowed(connect):
    with Emulator(pace=0, allowed_hosts=["comfydeploy"]) as emulator:
        client = connect(emulator)
        assert client.get("/deployments", headers={"host": "comfydeploy:3011"}).status_code == 200
        assert client.get("/deployments", headers={"host": EVIL}).status_code == 403


def test_memory_needs_no_host(emulator):
    with httpx.Client(transport=emulator.transport) as client:
        headers = {"authorization": f"Bearer {emulator.bearer}"}
        assert client.get("http://any.example/api/deployments", headers=headers).status_code == 200


def test_request_without_host_is_none_of_page(emulator):
    import socket

    address = httpx.URL(emulator.url)
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(b"GET /nope HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 404")


def test_preflight_is_answered_as_recorded(client, emulator):
    recorded = json.loads((Path(__file__).parent.parent / "samples" / "preflight.json").read_text())
    sent, expected = recorded["request"], recorded["response"]
    answer = httpx.request("OPTIONS", f"{emulator.url}/run/x", headers=sent["headers"])
    assert (answer.status_code, answer.text) == (expected["status"], expected["body"])
    # Some versions of Starlette vary by the requested headers as well.
    assert answer.headers["vary"].startswith(expected["headers"].pop("vary"))
    assert dict(answer.headers).items() >= expected["headers"].items()


def test_local_pages_may_read_responses(client, emulator):
    origin = {"origin": "http://localhost:3000"}
    for answer in (
        client.get("/deployments", headers=origin),
        httpx.get(f"{emulator.url}/deployments", headers=origin),
        client.get(f"{emulator.url.removesuffix('/api')}/_emulator/runs", headers=origin),
    ):
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


def test_other_pages_may_not(client, emulator):
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert httpx.options(f"{emulator.url}/run/queue", headers=preflight).status_code == 400
    for path in ("/deployments", "/nope"):
        assert "access-control-allow-origin" not in client.get(path, headers={"origin": "https://evil.example"}).headers


def test_page_is_shared_with_no_other(emulator):
    answer = httpx.get(emulator.url.removesuffix("api"), headers={"origin": "http://localhost:3000"})
    assert "access-control-allow-origin" not in answer.headers


def test_named_origin_is_allowed(connect):
    with Emulator(pace=0, allowed_origins="https://app.example.com") as emulator:
        answer = connect(emulator).get("/deployments", headers={"origin": "https://app.example.com"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
