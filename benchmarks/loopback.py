"""A server on the loopback that answers at once with what it was given, in a process of its own.

It understands just enough of HTTP/1.1 to keep connections alive, so that the clients are what is measured.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def loopback(answers: Mapping[str, bytes]) -> Iterator[str]:
    """Serve answers by method and path (``GET /run/1``) and give the server's address."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(dict(answers), there), daemon=True)
    process.start()
    there.close()  # so that a server which could not start ends the wait for its port
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def whole(body: bytes) -> bytes:
    """Give an answer of one piece, which is JSON."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def streamed(chunks: Iterable[bytes]) -> bytes:
    """Give an answer in these chunks, which is a stream of events."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
    return b"".join([head, *(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n"])


class _Client(asyncio.Protocol):
    """One connection. Its client waits for each answer before it asks again."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            self._received = b""
            request = head.partition(b" HTTP/")[0].decode()
            self._transport.write(self._answers[request])


def _serve(answers: Mapping[str, bytes], started: Connection) -> None:
    asyncio.run(_served(answers, started))


async def _served(answers: Mapping[str, bytes], started: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Client(answers), "127.0.0.1", 0)
    started.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
