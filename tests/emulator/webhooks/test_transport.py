import asyncio
import json

import httpcore
import httpx
import pytest

from comfydeploy.emulator import Emulator, Quirk


@pytest.fixture
def delivered(connect):
    """Run a run with a webhook to its end, and return the deliveries."""
    started = []

    def run(address="http://receiver.example/hook?job=7", *, app=None, **settings):
        emulator = Emulator(clock="manual", **settings)
        emulator.deliver_to(app)
        emulator.start()
        started.append(emulator)
        body = {"deployment_id": emulator.deployments["picture"], "webhook": address}
        connect(emulator).post("/run/queue", json=body)
        emulator.advance(60)
        return emulator.deliveries

    yield run
    for emulator in started:
        emulator.stop()


def test_private_address_is_refused(delivered):
    error = delivered("http://10.0.0.5:9/")[0].error
    assert error.startswith("RefusedAddressError: 10.0.0.5 is in a private network; allow it with --allow-network")


def test_transports_of_users_tests_are_not_used(delivered, sink, monkeypatch):
    """pytest-httpx and respx replace these methods."""

    async def swallow(*_):
        raise AssertionError

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", swallow)
    monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", swallow)
    monkeypatch.setattr(httpcore.AsyncHTTPConnection, "handle_async_request", swallow)
    assert delivered(sink.url)[-1].status == 200


class App:
    """An ASGI application that redirects, and keeps what it receives."""

    def __init__(self, status=200):
        self.status = status
        self.received = []

    async def __call__(self, scope, receive, send):
        body = (await receive())["body"]
        self.received.append((scope["method"], scope["path"], body))
        status = self.status if scope["path"] == "/hook" else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"location", b"/moved")]})
        await send({"type": "http.response.body", "body": b"{}"})


def test_asgi_application_takes_all_webhooks(delivered):
    app = App()
    deliveries = delivered(app=app)
    assert [one.status for one in deliveries] == [200] * 4
    assert [json.loads(body) for _, _, body in app.received] == [one.body for one in deliveries]
    assert {(method, path) for method, path, _ in app.received} == {("POST", "/hook")}


def test_wsgi_application_takes_them_as_well(delivered):
    received = []

    def app(environ, start_response):
        body = environ["wsgi.input"].read()
        received.append((environ["REQUEST_METHOD"], environ["QUERY_STRING"], json.loads(body)["status"]))
        start_response("200 OK", [])
        return [b"{}"]

    assert [one.status for one in delivered(app=app)] == [200] * 4
    assert received[-1] == ("POST", "job=7", "success")


def test_application_that_raises_is_error(delivered):
    async def app(*_):
        raise ValueError("no")

    assert delivered(app=app)[0].error == "ValueError: no"


def test_network_can_be_restored(sink, connect):
    app = App()
    with Emulator(pace=0) as emulator:
        emulator.deliver_to(app)
        emulator.deliver_to(None)
        body = {"deployment_id": emulator.deployments["picture"], "webhook": sink.url}
        connect(emulator).post("/run/queue", json=body)
        assert sink.until_end()[-1]["status"] == "success"
    assert app.received == []


@pytest.mark.parametrize(
    ("status", "quirks", "method"),
    [
        (307, (), "POST"),
        (308, [Quirk.REDIRECTED_WEBHOOKS], "POST"),
        (301, (), "POST"),
        (302, [Quirk.REDIRECTED_WEBHOOKS], "GET"),
        (301, [Quirk.REDIRECTED_WEBHOOKS], "GET"),
    ],
)
def test_redirects_are_followed(delivered, status, quirks, method):
    app = App(status)
    first = delivered(app=app, quirks=quirks)[0]
    assert (first.status, first.method) == (200, method)
    (_, _, sent), (last, path, body) = app.received[:2]
    assert (last, path, body) == (method, "/moved", sent if method == "POST" else b"")


def test_redirects_have_end(delivered):
    class Circle(App):
        async def __call__(self, scope, receive, send):
            await super().__call__({**scope, "path": "/hook"}, receive, send)

    assert delivered(app=Circle(307))[0].error == "TooManyRedirects: more than 10 redirects"


def test_receiver_has_limit(delivered, monkeypatch):
    async def app(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr("comfydeploy._emulator.webhooks.transport.LIMIT", 0.01)
    assert delivered(app=app)[0].error.startswith("TimeoutError")
