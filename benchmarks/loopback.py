"""A server on the loopback that sends given responses, in its own process.

It implements just enough of HTTP/1.1 to keep connections alive, so that the clients are measured and not the server.
"""

import asyncio
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import frozen

CERTIFICATE: Final = Path(__file__).parents[1] / "tests" / "samples" / "localhost.pem"
"""A key and a self-signed certificate of 127.0.0.1, for tests alone."""

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_EVENTS: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
_END: Final = b"0\r\n\r\n"


@frozen
class Repeated:
    """A response that is too long to be kept: its middle is sent many times, as fast as the client reads."""

    head: bytes
    middle: bytes
    times: int
    tail: bytes


Answer: TypeAlias = bytes | Repeated


@contextmanager
def loopback(answers: Mapping[str, Answer], *, delay: float = 0, is_secure: bool = False) -> Iterator[str]:
    """Serve responses by method and path (``GET /run/1``), each after a delay; yield the server's address."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(dict(answers), delay, is_secure, there), daemon=True)
    process.start()
    there.close()  # so that a server which could not start ends the wait for its port
    try:
        yield f"{'https' if is_secure else 'http'}://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def whole(body: bytes) -> bytes:
    """Return a JSON response of one piece."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def streamed(chunks: Iterable[bytes]) -> bytes:
    """Return a stream of events in these chunks."""
    return b"".join([_EVENTS, *map(_chunk, chunks), _END])


def repeated(chunks: Iterable[bytes], times: int) -> Repeated:
    """Return a stream of events in which these chunks are repeated."""
    return Repeated(_EVENTS, b"".join(map(_chunk, chunks)), times, _END)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class _Client(asyncio.Protocol):
    """One connection. Its client waits for each response before the next request."""

    def __init__(self, answers: Mapping[str, Answer], delay: float) -> None:
        self._answers = answers
        self._delay = delay
        self._received = b""
        self._left: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._is_full = False

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            self._received = b""
            answer = self._answers[head.partition(b" HTTP/")[0].decode()]
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._answer, answer)
            else:
                self._answer(answer)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._write()

    def _answer(self, answer: Answer) -> None:
        if isinstance(answer, Repeated):
            self._left = [answer.tail, *[answer.middle] * answer.times, answer.head]
            self._write()
        else:
            self._transport.write(answer)

    def _write(self) -> None:
        while self._left and not self._is_full:
            self._transport.write(self._left.pop())


def _serve(answers: Mapping[str, Answer], delay: float, is_secure: bool, started: Connection) -> None:  # noqa: FBT001 - multiprocessing passes them by position
    asyncio.run(_served(answers, delay, _context() if is_secure else None, started))


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


async def _served(
    answers: Mapping[str, Answer], delay: float, context: ssl.SSLContext | None, started: Connection
) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Client(answers, delay), "127.0.0.1", 0, backlog=1024, ssl=context)
    started.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
