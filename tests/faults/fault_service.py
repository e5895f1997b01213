"""The faulty server, in its own process: ``python fault_service.py`` reads its answers from its input.

A path begins with the trial: its number, the fault, the number of the request that has it, and the operation. The
control port reports what a trial received.
"""

import asyncio
import json
import socket
import ssl
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from fault_table import CLOSE, DRIP, ENDLESS, FAULTS, HALF_CLOSE, HANG, NONE, RESET, Good, Part

CERTIFICATES = Path(__file__).parents[1] / "samples" / "certificates"
SECURE = ("trusted", "expired", "misnamed", "untrusted")
LONGEST = 30.0
"""Seconds after which a hang ends, so that a fault of the client ends as well."""

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class Trial:
    """What one trial has sent. ``before`` is the answer to its first request."""

    def __init__(self, fault: int, at: int, operation: str) -> None:
        self.fault = FAULTS[fault]
        self.at = at
        self.operation = operation
        self.requests: list[str] = []
        self.others = 0
        self.created: list[Any] = []
        self.open = 0


class Service:
    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self._answers = answers
        self._trials: dict[str, Trial] = {}
        self.ports: dict[str, int] = {}

    async def start(self) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        self._kept = (silent, bound)
        self.ports = {"silent": silent.getsockname()[1], "refused": bound.getsockname()[1]}
        serving = {
            "plain": partial(self._serve, host="plain"),
            "other": partial(self._serve, host="other"),
            "control": self._control,
            "resetting": self._reset,
            "closing": self._close,
            "connecting": partial(self._proxy, answer=b""),
            "proxy 407": partial(self._proxy, answer=b"HTTP/1.1 407 X\r\ncontent-length: 0\r\n\r\n"),
            "proxy 502": partial(self._proxy, answer=b"HTTP/1.1 502 X\r\ncontent-length: 0\r\n\r\n"),
            "proxy garbage": partial(self._proxy, answer=b"hello\r\n\r\n"),
            "proxy closing": partial(self._proxy, answer=b"HTTP/1.1 200 X\r\n\r\n"),
        }
        for name, handle in serving.items():
            server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1024)
            self.ports[name] = server.sockets[0].getsockname()[1]
        for name in SECURE:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / f"{name}.pem")
            server = await asyncio.start_server(partial(self._serve, host=name), "127.0.0.1", 0, ssl=context)
            self.ports[name] = server.sockets[0].getsockname()[1]

    async def _control(self, reader: Reader, writer: Writer) -> None:
        while line := await reader.readline():
            for _ in range(3):  # what has arrived before is read first, and connections are closed
                await asyncio.sleep(0)
            trial = self._trials.get(line.decode().strip())
            report = (
                {}
                if trial is None
                else {
                    "requests": trial.requests,
                    "others": trial.others,
                    "created": len(trial.created),
                    "open": trial.open,
                }
            )
            writer.write(json.dumps(report).encode() + b"\n")

    async def _reset(self, reader: Reader, writer: Writer) -> None:
        await reader.read(1)  # not before: a connection that ends while it is made is another fault
        _abort(writer)

    async def _close(self, reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.close()

    async def _proxy(self, reader: Reader, writer: Writer, answer: bytes) -> None:
        with suppress(OSError, EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            if not answer:
                host, _, port = head.split(b" ")[1].decode().partition(":")
                inner, outer = await asyncio.open_connection(host, int(port))
                writer.write(b"HTTP/1.1 200 X\r\n\r\n")
                await asyncio.gather(_pipe(reader, outer), _pipe(inner, writer))
            writer.write(answer)
        writer.close()

    async def _serve(self, reader: Reader, writer: Writer, host: str) -> None:
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):
            while True:
                first = await reader.readexactly(1)
                if first == b"\x16":  # TLS
                    writer.write(b"HTTP/1.1 400 X\r\n\r\n")
                    break
                head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, address, _ = head.split(" ", 2)
                body = await _body(reader, head)
                parts = self._answer(method, address, body, host)
                if not await _play(parts, reader, writer):
                    break
        writer.close()

    def _answer(self, method: str, address: str, body: bytes, host: str) -> Sequence[Part]:
        if host == "other":
            return self._at_other_host(address)
        token, _, rest = address.lstrip("/").partition("/")
        number, fault, at, operation = token.split(".")
        trial = self._trials.setdefault(number, Trial(int(fault), int(at), operation))
        path = "/" + rest.partition("?")[0]
        found = self._found(trial, method, path)
        known = trial.fault
        count = len(trial.requests) - (known.before is not None)
        script = known.before if count < 0 else known.script if count == trial.at else None
        is_struck = script is known.script and script is not None
        trial.requests.append(found or f"{method} {path}")
        if found is None:
            return [b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n"]
        answer = self._answers[found]
        if answer["creates"] != "nothing" and (known.executed or not is_struck) and count >= 0:
            trial.created.append(_read(body))
        port = f"{'https' if host in SECURE else 'http'}://127.0.0.1:{self.ports[host]}"
        text = answer["body"]
        if trial.created and '"workflow_inputs": {}' in text:
            text = text.replace(
                '"workflow_inputs": {}', f'"workflow_inputs": {json.dumps(trial.created[-1].get("inputs"))}'
            )
        good = Good(answer["kind"], text.replace("{BASE}", f"{port}/{token}").encode())
        made = (script or NONE.script)(good)
        other = f"http://127.0.0.1:{self.ports['other']}/{token}".encode()
        return [part.replace(b"{OTHER}", other) if isinstance(part, bytes) else part for part in made]

    def _found(self, trial: Trial, method: str, path: str) -> str | None:
        """Return the operation of a request, that of the trial first: several have the same route."""
        names = [trial.operation, *self._answers]
        return next(
            (
                n
                for n in names
                if n in self._answers and (self._answers[n]["method"], self._answers[n]["path"]) == (method, path)
            ),
            None,
        )

    def _at_other_host(self, address: str) -> Sequence[Part]:
        number = address.lstrip("/").partition(".")[0]
        self._trials[number].others += 1
        return [Good("image/png", b"a file of another host").whole()]


def _read(body: bytes) -> Any:
    """Return the JSON of a request, nothing for a form with a file."""
    try:
        return json.loads(body)
    except ValueError:
        return {}


async def _body(reader: Reader, head: str) -> bytes:
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body
    return await reader.readexactly(int(headers.get("content-length", 0)))


async def _play(parts: Sequence[Part], reader: Reader, writer: Writer) -> bool:
    """Carry out the parts of an answer; return whether the connection goes on."""
    is_slow = False
    for index, part in enumerate(parts):
        if isinstance(part, bytes):
            for piece in [part[at : at + 1] for at in range(len(part))] if is_slow else [part]:
                writer.write(piece)
                await (asyncio.sleep(0.0002) if is_slow else writer.drain())
        elif part == RESET:
            _abort(writer)
            return False
        elif part == CLOSE:
            return False
        elif part == HALF_CLOSE:
            writer.write_eof()
            await _left(reader)
            return False
        elif part == HANG:
            await _left(reader)
            return False
        elif part == DRIP:
            is_slow = True
        elif part == ENDLESS:
            await _repeat(parts[index + 1], reader, writer)
            return False
    return True


async def _repeat(part: bytes, reader: Reader, writer: Writer) -> None:
    leaving = asyncio.ensure_future(_left(reader))
    while not leaving.done():
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.001)


async def _left(reader: Reader) -> None:
    """Wait until the client leaves."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(LONGEST):
            while await reader.read(65_536):
                pass


async def _pipe(reader: Reader, writer: Writer) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def _abort(writer: Writer) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main() -> None:
    service = Service(json.loads(sys.stdin.readline()))
    await service.start()
    sys.stdout.write(json.dumps(service.ports) + "\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # connections that end in any way are what it is for
    await loop.run_in_executor(None, sys.stdin.readline)  # its end is the end of the server


if __name__ == "__main__":
    asyncio.run(main())
