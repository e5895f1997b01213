"""A server in one thread that answers at once, and knows its runs and who is connected."""

import itertools
import json
import selectors
import socket
import threading
from collections import Counter
from urllib.parse import parse_qs, urlsplit

FILE = bytes(range(256)) * 256
TIME = "2026-11-23T19:04:36.586695Z"
PROMPT = {"prompt_id": "", "number": 1, "node_errors": {}}


class QuickServer:
    """Each run it creates is queued when it is read first, and a success from then on."""

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._stop, stopping = socket.socketpair()
        self._selector.register(stopping, selectors.EVENT_READ)
        self._stopping = stopping
        self._numbers = itertools.count(1)
        self._connections = {}
        self._changed = threading.Condition()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.forget()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def forget(self):
        """Forget all runs and requests."""
        self.requests = []
        self.runs = {}
        self._reads = Counter()

    @property
    def created(self):
        """The ids of the runs that requests have created."""
        return [run for run in self.runs if run != "made"]

    def is_left(self, seconds=5):
        """Wait until nothing is connected."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._connections, seconds)

    def close(self):
        """End the thread and all connections."""
        self._stop.close()
        self._thread.join(5)
        for one in (*self._connections, self._listening, self._stopping, self._selector):
            one.close()

    def _serve(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._stopping:
                    return
                if key.fileobj is self._listening:
                    connection, _ = self._listening.accept()
                    self._selector.register(connection, selectors.EVENT_READ)
                    with self._changed:
                        self._connections[connection] = bytearray()
                    continue
                self._receive(key.fileobj)

    def _receive(self, connection):
        received = self._connections[connection]
        try:
            data = connection.recv(1 << 20)
            received += data
            while data and (request := _taken(received)):
                connection.sendall(self._answer(*request))
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            connection.close()
            with self._changed:
                del self._connections[connection]
                self._changed.notify_all()

    def _answer(self, method, target, body):  # noqa: C901, PLR0911 - one for each route
        parts = urlsplit(target)
        path, query = parts.path, parse_qs(parts.query)
        self.requests.append((method, path))
        match method, path.strip("/").split("/"):
            case "GET", ["run", run]:
                return self._read(run)
            case "POST", ["run", "queue"]:
                return _json({"run_id": self._create(json.loads(body))})
            case "POST", ["run", "sync"]:
                self._create(json.loads(body))
                return _json([])
            case "POST", ["run", "stream"]:
                return self._streamed(self._create(json.loads(body)), json.loads(body)["deployment_id"])
            case "POST", ["run", _, "cancel"]:
                return _json({"success": True})
            case "POST", ["file", "upload"]:
                return _json({"message": "", "file_id": "f", "file_name": "a.png", "file_url": f"{self.url}/a.png"})
            case "GET", ["v2", "clickhouse-run-logs", _]:
                return _json([])
            case "GET", ["v2", "stream-logs"]:
                line = json.dumps({"message": "a", "level": "info", "timestamp": TIME})
                return _events(f"event: log_update\ndata: {line}\n\n" * 3, is_over=True)
            case "GET", ["deployment", deployment]:
                return _json({"id": deployment, "workflow_id": "w", "workflow_version_id": "v", "input_types": []})
            case "GET", [*_, "workflow", "w", "runs"]:
                return _json(self._page(query))
            case "GET", ["busy"]:
                return _reply(503, b"", "text/plain")
            case "GET", ["a.png"]:
                return _reply(200, FILE, "image/png")
        return _json({"detail": f"{method} {target}"}, 404)

    def _create(self, request):
        run = f"run-{next(self._numbers)}"
        self.runs[run] = request.get("inputs", {})
        return run

    def _read(self, run):
        self._reads[run] += 1
        if run == "busy" and self._reads[run] % 2:
            return _reply(503, b"", "text/plain")
        return _json(self._row(run))

    def _row(self, run):
        is_over = not run.startswith("run-") or self._reads[run] > 1
        image = {"url": f"{self.url}/a.png", "filename": "a.png", "type": "output", "subfolder": ""}
        outputs = [{"id": f"{run}-{part}", "run_id": run, "data": {"images": [image]}} for part in "ab"]
        return {
            "id": run,
            "status": "success" if is_over else "queued",
            "workflow_id": "w",
            "workflow_inputs": self.runs.get(run, {}),
            "created_at": TIME,
            "outputs": outputs if is_over else [],
        }

    def _page(self, query):
        names = [*reversed(self.runs), *(f"old-{number}" for number in range(5))]
        offset, limit = (int(query[name][0]) for name in ("offset", "limit"))
        for run in self.runs:
            self._reads[run] += 1  # time goes on
        return [self._row(run) for run in names[offset : offset + limit]]

    def _streamed(self, run, deployment):
        documents = [{"event": "queuing"}, PROMPT | {"prompt_id": run}]
        documents.append({"event": "status", "data": {"prompt_id": run, "status": "success"}})
        text = "".join(f"event: event_update\ndata: {json.dumps(one)}\n\n" for one in documents)
        return _events(text, is_over=deployment != "endless")


def _taken(received):
    """Take a whole request from what was received."""
    head, end, rest = bytes(received).partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.decode().split("\r\n")
    lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
    size = int(lengths[0]) if lengths else 0
    if len(rest) < size:
        return None
    del received[: len(head) + 4 + size]
    method, target, _ = lines[0].split()
    return method, target, rest[:size]


def _reply(status, body, kind):
    return f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def _json(document, status=200):
    return _reply(status, json.dumps(document).encode(), "application/json")


def _events(text, *, is_over):
    head = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    data = text.encode()
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (data[:50], data[50:])]
    return head + b"".join(chunks) + (b"0\r\n\r\n" if is_over else b"")
