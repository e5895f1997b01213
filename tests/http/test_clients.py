"""The clients of a core send requests as they are built, through ``send``."""

import httpx
import httpx2
import pytest

from comfydeploy._http.clients import PooledClient, client_for

RUN = b'{"id": "r", "status": "queued"}'


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_request_is_built_of_its_parts(library):
    client = client_for(library.MockTransport(lambda _: library.Response(200)))
    request = client.build_request("GET", "http://host/path", headers={"accept": "text/plain"})
    assert isinstance(request, library.Request)
    assert dict(request.headers) == {
        "host": "host",
        "accept-encoding": "gzip, deflate",
        "accept": "text/plain",
    }


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("headers", [{}, {"host": "other", "content-length": "1"}], ids=["ours", "given"])
@pytest.mark.parametrize(("method", "content"), [("GET", None), ("POST", b""), ("POST", b"{}"), ("DELETE", b"{}")])
def test_request_has_what_httpx_adds(library, method, content, headers):
    """Host and Content-Length, and the content for tools that look at it."""
    client = client_for(library.MockTransport(lambda _: library.Response(200)))
    made = client.build_request(method, "http://host:1/path", headers=headers, content=content)
    headers = {"accept-encoding": "gzip, deflate", **headers}
    expected = library.Request(method, "http://host:1/path", headers=headers, content=content)
    assert dict(made.headers) == dict(expected.headers)
    assert made.content == expected.content


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_cookies_are_ignored(library):
    requests = []

    def respond(request):
        requests.append(request)
        return library.Response(302, headers={"set-cookie": "a=1", "location": "/next"})

    client = client_for(library.MockTransport(respond))
    client.cookies = {"b": "2"}
    for _ in range(2):
        client.send(client.build_request("GET", "http://host/"), auth=None, follow_redirects=False)
    assert not client.cookies.jar
    assert not any("cookie" in request.headers for request in requests)


def test_send_is_patchable(calls, raw, answer, monkeypatch):
    """Sentry patches it so."""
    seen, kind = [], httpx.AsyncClient if calls.awaited else httpx.Client
    original = kind.send

    def send(client, request, **settings):
        seen.append(str(request.url))
        return original(client, request, **settings)

    monkeypatch.setattr(kind, "send", send)
    server = raw(answer(200, RUN))
    assert calls("run_get", calls.core(server.url), "r").unwrap().id == "r"
    assert seen == [f"{server.url}/run/r"]


def test_closed_client_sends_nothing(raw):
    server = raw()
    client = PooledClient(httpx.Limits())
    client.close()
    assert client.is_closed
    with pytest.raises(RuntimeError, match="closed"):
        client.send(client.build_request("GET", server.url))
