"""Faults in action: in place of the application, or on its response."""

import asyncio
import zlib
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.faults.faults import Fault, Faults
from comfydeploy._emulator.serving.protocol import Protocol, connection_of
from comfydeploy._emulator.validation import problem
from comfydeploy._emulator.web.recorder import reception_of
from comfydeploy._emulator.web.responses import Json

_WBITS: Final = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class _BrokenOffError(Exception):
    """The response ends here."""


class Breaker:
    """Wraps the application: faults change or replace its responses."""

    def __init__(self, app: ASGIApp, faults: Faults, clock: Clock) -> None:
        self._app: Final = app
        self._faults: Final = faults
        self._clock: Final = clock
        self._broken: Final[set[asyncio.Task[Any]]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with its fault if it has one."""
        if not self._faults.pending:
            await self._app(scope, receive, send)
            return
        reception = reception_of(scope)
        if reception.endpoint and reception.endpoint.operation_of:
            # The body decides which operation it is.
            receive = await _read_ahead(receive)
        if fault := self._faults.next_for(reception.request.operation):
            await self._break(fault, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def stop(self) -> None:
        """End the requests that hang or wait."""
        for task in self._broken:
            task.cancel()

    async def _break(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        connection = connection_of(scope)
        if task := asyncio.current_task():
            self._broken.add(task)
        answer = _Answer(fault, self._clock, connection, send)
        try:
            await self._play(fault, scope, self._slowed(receive, fault.read_delay), answer)
        except _BrokenOffError:
            connection.end()
            await _disconnected(receive)
        except asyncio.CancelledError:
            connection.abort()
            await _disconnected(receive)
        finally:
            if task:
                self._broken.discard(task)

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if not (fault.is_answer or fault.is_silence):
            await self._app(scope, receive, answer.send)
            return
        # A real server reads a request before it answers, and often executes it.
        if fault.appear_after:
            self._execute_later(fault.appear_after, scope, await _read_ahead(receive))
        else:
            await (self._execute(scope, receive) if fault.execute else _drained(receive))
        if fault.is_answer:
            await _substitute(fault)(scope, receive, answer.send)
            return
        await self._clock.sleep(fault.delay)
        if fault.hang:
            await _disconnected(receive)
        elif fault.reset:
            await answer.connection.reset()
        else:
            answer.connection.write(_encoded(fault.garbage or b""))
        raise _BrokenOffError

    def _execute_later(self, seconds: float, scope: Scope, receive: Receive) -> None:
        async def execute() -> None:
            await self._clock.sleep(seconds)
            await self._execute(scope, receive)

        task = self._clock.task(execute())
        self._broken.add(task)
        task.add_done_callback(self._broken.discard)

    async def _execute(self, scope: Scope, receive: Receive) -> None:
        async def discard(_: Message) -> None:
            raise _BrokenOffError

        with suppress(_BrokenOffError):
            await self._app(scope, receive, discard)

    def _slowed(self, receive: Receive, delay: float) -> Receive:
        async def slowed() -> Message:
            await self._clock.sleep(delay)
            return await receive()

        return slowed if delay else receive


class _Answer:
    """The response of a request with a fault."""

    def __init__(self, fault: Fault, clock: Clock, connection: Protocol, send: Send) -> None:
        self.connection: Final = connection
        self._fault: Final = fault
        self._clock: Final = clock
        self._send: Final = send
        ends = (fault.reset_after, fault.truncate_after, fault.cut_after)
        self._most: Final = next((end for end in ends if end is not None), None)
        self._compressor: Final = zlib.compressobj(wbits=_WBITS[fault.compress]) if fault.compress else None
        self._sent = 0
        self._is_cut = False

    async def send(self, message: Message) -> None:
        """Send a part of it: late, changed or cut."""
        if message["type"] == "http.response.start":
            await self._clock.sleep(self._fault.delay)
            self._change(MutableHeaders(scope=message))
            await self._send(message)
        elif not self._is_cut:
            message = self._compressed(message)
            if body := message.get("body", b""):
                await self._clock.sleep(self._fault.chunk_delay)
                await self._send_within_limit(message, body)
            else:
                await self._send(message)

    async def _send_within_limit(self, message: Message, body: bytes) -> None:
        if self._most is None or self._sent + len(body) <= self._most:
            self._sent += len(body)
            await self._send(message)
            return
        self._is_cut = self._fault.cut_after is not None
        await self._send({**message, "body": body[: self._most - self._sent], "more_body": not self._is_cut})
        if not self._is_cut:
            if self._fault.reset_after is not None:
                await self.connection.reset()
            raise _BrokenOffError

    def _compressed(self, message: Message) -> Message:
        if not self._compressor:
            return message
        body = self._compressor.compress(message.get("body", b""))
        return {**message, "body": body if message.get("more_body") else body + self._compressor.flush()}

    def _change(self, headers: MutableHeaders) -> None:
        headers.update(self._fault.headers)
        if self._fault.content_type is not None:
            headers["content-type"] = self._fault.content_type
        if self._fault.retry_after is not None:
            after = self._fault.retry_after
            headers["retry-after"] = after if isinstance(after, str) else f"{after:g}"
        if self._fault.compress:
            headers["content-encoding"] = self._fault.compress
        if self._fault.compress or self._fault.cut_after is not None:
            # The length is not that of the body any more.
            del headers["content-length"]


def _substitute(fault: Fault) -> Response:
    status = fault.status or HTTPStatus.OK
    body = _usual(status) if fault.body is None else fault.body
    if isinstance(body, str | bytes):
        return Response(body, status, media_type="text/plain" if body else None)
    return Json(body, status)


def _usual(status: int) -> Any:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    match status:
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return phrase
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return {"detail": [problem("fault", ("body",), phrase, None)]}
        case _:
            return {"detail": phrase} if status >= HTTPStatus.BAD_REQUEST else ""


def _encoded(garbage: bytes | str) -> bytes:
    return garbage.encode() if isinstance(garbage, str) else garbage


async def _read_ahead(receive: Receive) -> Receive:
    """Read the whole request, and return a ``Receive`` that replays it."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _drained(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
