"""The examples work on the local server; those that receive webhooks refuse forged ones."""

import importlib.util
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import uvicorn

from comfydeploy import ComfyDeployCore
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.outcome import RunFailed
from comfydeploy.webhooks import webhook_url

EXAMPLES = Path(__file__).parent.parent / "examples"
SECRET = "the secret of the test"
GOOD = '{"run_id": "r", "status": "running", "progress": 0.5}'


class Runs(dict):
    """The states of an example, for which a test can wait."""

    def __init__(self):
        super().__init__()
        self._changed = threading.Condition()

    def __setitem__(self, run_id, state):
        with self._changed:
            super().__setitem__(run_id, state)
            self._changed.notify_all()

    def ended(self, run_id):
        with self._changed:
            assert self._changed.wait_for(lambda: run_id in self and self[run_id].is_ended, 20)
            return self[run_id]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def asgi_server(app):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, lifespan="auto", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def wsgi_server(app):
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Receiver:
    """A running example."""

    def __init__(self, example, port):
        self.runs = example.runs
        self.address = f"http://127.0.0.1:{port}/webhooks/comfydeploy"

    def url(self, secret=SECRET, **carried):
        return webhook_url(f"{self.address}?target_events=run.output", secret, **carried).unwrap()


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.runs = Runs()
    return example


@pytest.fixture(scope="module", params=["webhook_starlette", "webhook_flask"])
def receiver(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_SECRET", SECRET)
        example = loaded(request.param)
    serve = wsgi_server if request.param == "webhook_flask" else asgi_server
    with serve(example.app) as port:
        yield Receiver(example, port)


@pytest.fixture
def pictures(emulator, monkeypatch):
    """The service of the FastAPI example, at its address."""
    monkeypatch.setenv("COMFYDEPLOY_API_KEY", emulator.bearer)
    monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", emulator.url)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("DEPLOYMENT_ID", emulator.deployments["picture"])
    example = loaded("fastapi_app")
    with asgi_server(example.app) as port:
        yield SimpleNamespace(runs=example.runs, url=f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def core(emulator):
    with ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url) as core:
        yield core


@pytest.fixture(scope="module")
def http():
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.mark.parametrize(("deployment", "end"), [("picture", "success"), ("failing", "failed")])
def test_run_is_followed_to_its_end(emulator, core, receiver, deployment, end):
    expires = datetime.now(UTC) + timedelta(hours=1)
    request = {
        "deployment_id": emulator.deployments[deployment],
        "webhook": receiver.url(reference="job ü 1&2=3+4 %41", expires=expires),
        "webhook_intermediate_status": True,
    }
    run_id = run_queue(core, request).unwrap().run_id
    state = receiver.runs.ended(run_id)
    run = run_get(core, run_id).unwrap()
    assert (state.run_id, state.status, state.progress) == (run_id, end, run.progress)
    assert state.live_status == run.live_status
    assert [(one.id, one.output_id) for one in state.outputs] == [(one.id, one.output_id) for one in run.outputs]
    assert [one.files for one in state.outputs] == [one.files for one in run.outputs]


def test_delivery_repeated_by_get_is_taken(http, receiver):
    for method in ("POST", "GET"):
        headers = {"content-type": "application/json"}
        answer = http.request(method, receiver.url(reference="job"), content=GOOD, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "success"})
        assert answer.headers["content-type"] == "application/json"
    assert receiver.runs["r"].progress == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.partition("&")[0], "webhook_token: missing"),
        (lambda url: f"{url}0", "webhook_token: wrong"),
        (lambda url: url.replace("webhook_reference=job", "webhook_reference=another"), "webhook_token: wrong"),
        (lambda url: url.replace("target_events=run.output", ""), "webhook_token: wrong"),
    ],
)
def test_forged_address_is_refused(http, receiver, change, said):
    answer = http.post(change(receiver.url(reference="job")))
    assert answer.status_code == 401
    assert said in answer.json()["status"]


def test_address_of_another_secret_is_refused(http, receiver):
    assert http.post(receiver.url("another secret")).status_code == 401


def test_expired_address_is_refused(http, receiver):
    answer = http.post(receiver.url(expires=1))
    assert answer.status_code == 401
    assert "webhook_expires: expired at 1970-01-01T00:00:01+00:00" in answer.json()["status"]


@pytest.mark.parametrize(("method", "content"), [("POST", b"not json"), ("POST", b"{}"), ("GET", b"")])
def test_invalid_delivery_is_refused(http, receiver, method, content):
    answer = http.request(method, receiver.url(), content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "webhook's" in answer.json()["status"]


def test_other_methods_are_refused(http, receiver):
    assert http.put(receiver.url()).status_code == 405


class TestPictures:
    def test_one_is_drawn_and_served(self, http, pictures):
        ordered = http.post(f"{pictures.url}/pictures", params={"prompt": "a cat"})
        assert ordered.status_code == 202
        path = ordered.json()["picture"]
        assert pictures.runs.ended(path.rpartition("/")[2]).status == "success"
        served = http.get(pictures.url + path, follow_redirects=True)
        assert (served.status_code, served.headers["content-type"]) == (200, "image/png")

    def test_one_that_is_not_there_yet_is_missing(self, http, pictures):
        pictures.runs["r"] = SimpleNamespace(status="running")
        assert [http.get(f"{pictures.url}/pictures/{run}").status_code for run in ("r", "other")] == [404, 404]

    def test_forged_deliveries_are_refused(self, http, pictures):
        assert http.post(f"{pictures.url}/webhook", content=GOOD).status_code == 401
        assert not pictures.runs

    def test_service_that_is_down_is_503(self, http, pictures, emulator):
        with emulator.refuse():
            refused = http.post(f"{pictures.url}/pictures", params={"prompt": "a cat"})
        assert refused.status_code == 503


def test_library_returns_closed_results(core, emulator):
    draw = loaded("library").draw
    (address,) = draw(core, emulator.deployments["picture"], "a cat").unwrap()
    assert address.endswith(".png")
    assert isinstance(draw(core, emulator.deployments["failing"], "a cat").failure(), RunFailed)


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example_is_short_enough_to_be_read(example):
    assert len((EXAMPLES / example).read_text().splitlines()) <= 45
