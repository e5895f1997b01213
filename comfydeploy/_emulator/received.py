"""The requests that the server has received."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.contents import Contents
from comfydeploy._emulator.operations import operation

MOST: Final = 1000
# Bytes of bodies in all: as many as ``MOST`` bodies have that are not large.
_LARGE: Final = 64 * 1024
_MOST_KEPT: Final = MOST * _LARGE
_NAME: Final = "comfydeploy.received"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as the server received it.

    ``operation``: the client's operation that sends such a request, ``output_file`` or ``input_file`` for a file's
    address, ``None`` for anything else. ``headers``: names in lower case, the bearer hidden. ``body``: decoded JSON,
    the fields of a form (files as ``ReceivedFile``), text, or ``None`` when there is none, or over 1 MiB of it.
    ``size``: bytes of the body that were read. ``status``: ``None`` as long as no answer has begun.
    """

    moment: datetime
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    operation: str | None = None
    body: Any = None
    size: int = 0
    status: int | None = None


class Recorder:
    """Remembers the last ``MOST`` requests, fewer when they are large; any thread may ask for them."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._receptions: Final[deque[Reception]] = deque(maxlen=MOST)

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The requests, oldest first."""
        with self._lock:
            return tuple(reception.request for reception in self._receptions)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._receptions.clear()

    def recording(self, app: ASGIApp) -> ASGIApp:
        """Return the application, with all that it is asked put down."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            reception = Reception(scope, self._clock.now())
            scope["extensions"][_NAME] = reception
            with self._lock:
                self._receptions.append(reception)

            async def heard() -> Message:
                message = await receive()
                if message["type"] == "http.request":
                    reception.hear(message.get("body", b""), is_last=not message.get("more_body"))
                    if reception.kept > _LARGE:
                        self._trim()
                return message

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    reception.answered(message["status"])
                    date = formatdate(self._clock.now().timestamp(), usegmt=True)
                    message["headers"] = [*message["headers"], (b"date", date.encode())]
                await send(message)

            await app(scope, heard, told)

        return recorded

    def _trim(self) -> None:
        with self._lock:
            kept = sum(reception.kept for reception in self._receptions)
            while kept > _MOST_KEPT and self._receptions:
                kept -= self._receptions.popleft().kept


class Reception:
    """One request while it is received."""

    def __init__(self, scope: Scope, moment: datetime) -> None:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            headers[name.decode("latin-1")] = _hidden(text) if name == b"authorization" else text
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self.request = ReceivedRequest(
            moment=moment,
            method=scope["method"],
            path=scope["path"],
            query=query,
            headers=headers,
            operation=operation(scope["method"], scope["path"], None),
        )
        self.kept = 0
        self._has_ended = False
        self._contents: Final = Contents(headers.get("content-type", ""))

    def hear(self, chunk: bytes, *, is_last: bool) -> None:
        """Take some of the body."""
        self._contents.add(chunk)
        if is_last and not self._has_ended:
            self._has_ended = True
            self.kept = self._contents.kept
            request, body = self.request, self._contents.decoded()
            name = request.operation or operation(request.method, request.path, body)
            self.request = replace(request, body=body, size=self._contents.size, operation=name)

    def answered(self, status: int) -> None:
        """Note how the answer begins."""
        self.request = replace(self.request, status=status, size=self._contents.size)


def _hidden(authorization: str) -> str:
    scheme = authorization.partition(" ")[0]
    return f"{scheme} ***" if scheme.lower() == "bearer" else "***"


def reception_of(scope: Scope) -> Reception:
    """Return what the recorder knows of a request."""
    reception: Reception = scope["extensions"][_NAME]
    return reception
