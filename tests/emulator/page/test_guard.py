"""Who may see the page, and what it may do in a browser."""

import asyncio
import base64

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from comfydeploy._emulator.page.guard import Guard


@pytest.fixture
def ask():
    """Request the page of a server whose key is "a key": from a client address, by a host name, with credentials."""

    async def page(_):
        return PlainTextResponse("the page")

    def answer(client="127.0.0.1", host="127.0.0.1:3011", authorization=None):
        headers = [(b"host", host.encode("latin-1"))]
        if authorization is not None:
            headers.append((b"authorization", authorization.encode("latin-1")))
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": client and (client, 9)}
        return asyncio.run(Guard("a key").answer(page, Request(scope)))

    return answer


def basic(credentials):
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1:3011", "localhost:3011", "LOCALHOST", "[::1]:3011", "127.1.2.3"])
def test_this_computer_needs_no_key(ask, client, host):
    assert ask(client, host).status_code == 200


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7", "testclient", None])
def test_other_computers_need_key(ask, client):
    answer = ask(client)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert b"API key" in answer.body


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "192.0.2.1:3011",
        "0.0.0.0:3011",
        "",
        "[",
        "[::1",
        "a b",
        "127.0.0.1:x",
        "127.0.0.1:1'",
        "127.0.0.1@example.com",
        "\xff",
    ],
)
def test_name_that_merely_points_here_needs_key(ask, host):
    assert ask(host=host).status_code == 401


@pytest.mark.parametrize("credentials", [":a key", "anybody:a key"])
def test_key_opens_page_to_all(ask, credentials):
    assert ask("192.0.2.7", "example.com", basic(credentials)).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        basic(":another"),
        basic("a key"),
        basic("a key:"),
        basic(""),
        "Basic",
        "Basic !",
        "Basic \xff",
        "Bearer a key",
        "",
    ],
)
def test_other_requests_need_key(ask, authorization):
    assert ask("192.0.2.7", authorization=authorization).status_code == 401


@pytest.mark.parametrize("client", ["127.0.0.1", "192.0.2.7"])
def test_every_answer_has_security_headers(ask, client):
    headers = ask(client).headers
    policy = headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert not [rule for rule in policy if "unsafe" in rule or "*" in rule or "http" in rule]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
