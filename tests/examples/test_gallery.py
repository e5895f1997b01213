"""The tests of the gallery: against a local server, with faults, and without a key, a network or a wait."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from gallery import Gallery

from comfydeploy import ComfyDeployCore
from comfydeploy.emulator import Emulator

PNG = b"\x89PNG"


class Site:
    """The gallery as a web server: passes webhooks on, and records the answers."""

    def __init__(self, core: ComfyDeployCore, emulator: Emulator, folder: Path) -> None:
        self.answered: queue.Queue[tuple[str, int]] = queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = site.gallery.receive("POST", site.url + self.path, dict(self.headers), body)
                self.send_response(answer.status_code)
                self.send_header("content-length", "0")
                self.end_headers()
                (run,) = site.gallery.runs.values() or (None,)
                site.answered.put((run.status if run else "", answer.status_code))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.gallery = Gallery(core, emulator.deployments["picture"], folder, f"{self.url}/hook", "a secret")

    def until(self, status: str, answer: int = 200) -> None:
        """Wait until a webhook of this status has had this answer."""
        while self.answered.get(timeout=10) != (status, answer):
            pass


@pytest.fixture
def site(comfydeploy_core: ComfyDeployCore, comfydeploy_emulator: Emulator, tmp_path: Path) -> Iterator[Site]:
    site = Site(comfydeploy_core, comfydeploy_emulator, tmp_path)
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


def test_webhook_stores_the_picture(site: Site, tmp_path: Path) -> None:
    assert site.gallery.order("cat")
    site.until("success")
    assert (tmp_path / "cat.png").read_bytes().startswith(PNG)


def test_order_is_repeated_while_service_is_busy(site: Site, comfydeploy_emulator: Emulator) -> None:
    comfydeploy_emulator.fail("run_queue", times=2, status=503, retry_after=0)
    assert site.gallery.order("cat")
    assert [request.status for request in comfydeploy_emulator.requests] == [503, 503, 200]


def test_order_in_doubt_is_not_repeated(site: Site, comfydeploy_emulator: Emulator) -> None:
    comfydeploy_emulator.fail("run_queue", reset=True, execute=True)
    assert site.gallery.order("cat") is None
    assert len(comfydeploy_emulator.requests) == 1
    site.until("success")  # the run was started anyway


def test_webhook_is_refused_before_the_picture(site: Site, comfydeploy_emulator: Emulator, tmp_path: Path) -> None:
    comfydeploy_emulator.fail("output_file", times=1, status=404)
    site.gallery.order("cat")
    site.until("success", 503)
    site.until("success", 200)
    assert (tmp_path / "cat.png").exists()


def test_forged_webhook_changes_nothing(site: Site) -> None:
    body = b'{"run_id": "r", "status": "success"}'
    assert site.gallery.receive("POST", f"{site.url}/hook", {}, body).status_code == 401
    assert not site.gallery.runs


def test_picture_can_be_awaited(site: Site) -> None:
    path = asyncio.run(site.gallery.draw("cat"))
    assert path
    assert path.read_bytes().startswith(PNG)


def test_half_picture_is_no_picture(site: Site, comfydeploy_emulator: Emulator, tmp_path: Path) -> None:
    comfydeploy_emulator.fail("run_first_result", truncate_after=100)
    assert asyncio.run(site.gallery.draw("cat")) is None
    assert not list(tmp_path.iterdir())


def test_no_order_while_the_service_is_down(site: Site, comfydeploy_emulator: Emulator) -> None:
    comfydeploy_emulator.fail("run_queue", status=500)
    assert site.gallery.order("cat") is None
