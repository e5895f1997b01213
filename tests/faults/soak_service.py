"""The server of the soak, in its own process: ``python soak_service.py`` prints its port.

Each hundredth request has a fault. A run has the number that its request names; ``GET /executed`` returns the numbers
of all runs that were created.
"""

import asyncio
import json
import re
import resource
import socket
import struct
import sys
from array import array
from itertools import count, cycle
from typing import Any, Final

EVERY: Final = 100
EVENTS: Final = 20
FAULTS: Final = ("reset", "lost", "error", "busy", "cut", "garbage", "surplus", "slow", "early")
STREAM_FAULTS: Final = ("reset", "lost", "error", "busy", "cut", "garbage", "malformed", "slow", "early")
GOES_ON: Final = frozenset({None, "surplus", "slow", "early", "malformed", "busy"})
NOT_EXECUTED: Final = frozenset({"lost", "busy"})

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NUMBER: Final = re.compile(rb'"number": ?(\d+)')
_HEAD: Final = b"HTTP/1.1 %d X\r\ncontent-type: %b\r\n%b\r\n"


class Service:
    def __init__(self) -> None:
        self.executed = array("Q")
        self._requests = count(1)
        self._faults = cycle(FAULTS)
        self._stream_faults = cycle(STREAM_FAULTS)

    def fault(self, path: bytes) -> str | None:
        if path.startswith(b"/executed") or next(self._requests) % EVERY:
            return None
        return next(self._stream_faults if path.endswith(b"/stream") else self._faults)

    def body(self, path: bytes, sent: bytes) -> tuple[bytes, bytes]:
        """Execute a request, and return the type and the body of its good answer."""
        if path == b"/executed":
            return b"application/octet-stream", self.executed.tobytes()
        if path.startswith(b"/run/") and not sent:
            return b"application/json", json.dumps({"id": path[5:].decode(), "status": "success"}).encode()
        found = _NUMBER.search(sent)
        number = int(found[1]) if found else 0
        self.executed.append(number)
        if path.endswith(b"/stream"):
            return b"text/event-stream", _events(number)
        return b"application/json", b'{"run_id": "%d"}' % number


def _events(number: int) -> bytes:
    event = b'event: event_update\ndata: {"event": "executing", "data": {"node": "5", "prompt_id": "%d"}}\n\n' % number
    return event * EVENTS


class Connection(asyncio.Protocol):
    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, sent: bytes) -> None:
        fault = self._service.fault(path)
        kind, body = (b"", b"") if fault in NOT_EXECUTED else self._service.body(path, sent)
        write = self._transport.write
        if kind == b"text/event-stream":
            if fault == "malformed":
                body = body[:100] + b"\n\nevent: event_update\ndata: {broken\n\n" + body
            head, chunk = _HEAD % (200, kind, b"transfer-encoding: chunked\r\n"), b"%x\r\n%b\r\n" % (len(body), body)
            good = head + chunk + b"0\r\n\r\n"
        else:
            good = _HEAD % (200, kind, b"content-length: %d\r\n" % len(body)) + body
        empty = _HEAD % (503 if fault == "busy" else 500, b"text/plain", b"content-length: 0\r\nretry-after: 0\r\n")
        sent_instead = {
            "busy": empty,
            "error": empty,
            "cut": good[: -len(body) // 2],
            "garbage": b"\0garbage\r\n\r\n",
            "surplus": good + b'HTTP/1.1 200 X\r\ncontent-length: 15\r\n\r\n{"run_id": "0"}',
            "early": b"HTTP/1.1 103 X\r\n\r\n" + good,
            "slow": good[:30],
            "reset": b"",
            "lost": b"",
        }
        write(sent_instead.get(fault or "", good))
        if fault == "slow":
            asyncio.get_running_loop().call_later(0.02, write, good[30:])
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        if fault not in GOES_ON:
            self._transport.close()


async def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.get_running_loop()
    service = Service()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=8192)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.readline)  # its end is the end of the server


if __name__ == "__main__":
    asyncio.run(main())
