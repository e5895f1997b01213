"""As much of the services of fal and Replicate as their clients need: runs that end after two polls, and faults.

Neither client comes with a server, so this one stands in. It says nothing about the real services.
"""

import base64
import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

_CERTIFICATE: Final = Path(__file__).parents[2] / "tests" / "samples" / "localhost.pem"
_PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
_REASON: Final = "CUDA out of memory."


class Service(ThreadingHTTPServer):
    """A server that counts the runs it has created."""

    daemon_threads = True

    def __init__(self, question: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(_CERTIFICATE)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.question: Final = question
        self.created = 0
        self.polls = 0
        self.faults = _FAULTS.get(question, [])[:]

    @property
    def host(self) -> str:
        """The address without its scheme."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send the clients here."""
        return {
            "FAL_KEY": "key",
            "FAL_RUN_HOST": self.host,
            "FAL_QUEUE_RUN_HOST": self.host,
            "REPLICATE_API_TOKEN": "key",
            "REPLICATE_BASE_URL": f"https://{self.host}",
            "REPLICATE_POLL_INTERVAL": "0.05",
            "SSL_CERT_FILE": str(_CERTIFICATE),
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing where a client has gone."""


# What becomes of the first requests of a kind: an HTTP status, or 0 for a connection that is reset.
_FAULTS: Final[dict[str, list[tuple[str, int]]]] = {
    "lost": [("create", 0)],
    "lost_502": [("create", 502)],
    "poll_502": [("poll", 502)],
    "poll_nginx": [("poll", 502)],
    "poll_reset": [("poll", 0)],
}


@contextmanager
def service(question: str) -> Iterator[Service]:
    """Serve from a thread of its own; leaving ends it."""
    with Service(question) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Answers(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/stream"):
            self._stream("")
            return
        self.server.created += 1
        run_id = f"run-{self.server.created}"
        if not self._breaks("create"):
            self._json(self._prediction(run_id) if "/predictions" in self.path else self._request(run_id))

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/picture.png":
            self._picture()
        elif path == "/events":
            self._stream("event: output\nid: 1\n")
        elif path.endswith("/status"):
            self._poll(self._status())
        elif "/predictions/" in path:
            self._poll(self._prediction(path.rpartition("/")[2]))
        elif self.server.question == "failed":
            self._json({"detail": _REASON}, 500)
        else:
            self._json({"images": [{"url": f"https://{self.server.host}/picture.png"}]})

    def log_message(self, *_: Any) -> None:
        """Write nothing."""

    def _poll(self, document: Any) -> None:
        self.server.polls += 1
        if not self._breaks("poll"):
            self._json(document)

    def _breaks(self, kind: str) -> bool:
        if not (self.server.faults and self.server.faults[0][0] == kind):
            return False
        _, status = self.server.faults.pop(0)
        if status:
            server = "nginx" if self.server.question == "poll_nginx" else "the gateway"
            self._send(f"<h1>502 Bad Gateway</h1>{server}".encode(), "text/html", status)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Without the end of TLS: what follows is a reset.
            socket.socket(fileno=self.connection.detach()).close()
            self.close_connection = True
            self.wfile = self.rfile  # nothing is left to flush
        return True

    @property
    def _ended(self) -> bool:
        return self.server.polls > 1

    def _status(self) -> Any:
        if self._ended:
            return {"status": "COMPLETED", "logs": [], "metrics": {}}
        return {"status": "IN_PROGRESS", "logs": None}

    def _request(self, run_id: str) -> Any:
        own = f"https://{self.server.host}/owner/app/requests/{run_id}"
        return {"request_id": run_id, "response_url": own, "status_url": f"{own}/status", "cancel_url": f"{own}/cancel"}

    def _prediction(self, run_id: str) -> Any:
        base = f"https://{self.server.host}"
        status = "processing" if not self._ended else "failed" if self.server.question == "failed" else "succeeded"
        if self.server.polls == 0:
            status = "starting"
        return {
            "id": run_id,
            "model": "owner/app",
            "version": "v",
            "status": status,
            "input": {},
            "output": [f"{base}/picture.png"] if status == "succeeded" else None,
            "logs": "",
            "error": _REASON if status == "failed" else None,
            "metrics": {},
            "created_at": "2026-01-01T00:00:00Z",
            "started_at": None,
            "completed_at": None,
            "urls": {"get": f"{base}/v1/predictions/{run_id}", "cancel": f"{base}/c", "stream": f"{base}/events"},
        }

    def _picture(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "image/png")
        self.send_header("content-length", str(len(_PICTURE)))
        self.end_headers()
        # A file that is cut ends in the middle.
        self.wfile.write(_PICTURE[:20] if self.server.question == "cut" else _PICTURE)
        self.close_connection = self.server.question == "cut"

    def _stream(self, head: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for number in range(5):
            text = '{"number": event: log' if number == 2 and self.server.question == "broken" else '{"number": 1}'
            self.wfile.write(f"{head}data: {text}\n\n".encode())
        self.close_connection = True

    def _json(self, document: Any, status: int = 200) -> None:
        self._send(json.dumps(document).encode(), "application/json", status)

    def _send(self, body: bytes, content_type: str, status: int) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
