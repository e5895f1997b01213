"""The record of received requests."""

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
from comfydeploy._emulator.web.contents import Contents
from comfydeploy._emulator.web.endpoints import Endpoint, Operations

MOST: Final = 1000
# Bytes of bodies in all: as many as ``MOST`` bodies have that are not large.
_LARGE: Final = 64 * 1024
_MOST_KEPT: Final = MOST * _LARGE
_NAME: Final = "comfydeploy.received"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as the server received it.

    ``operation``: the client's operation that sends such a request, ``output_file`` or ``input_file`` for the address
    of a file, ``None`` for anything else. ``headers``: names in lower case, the bearer hidden. ``body``: decoded JSON,
    the fields of a form (files as ``ReceivedFile``), text, or ``None`` when there is none, or over 1 MiB of it.
    ``size``: bytes of the body that were read. ``status``: ``None`` until a response begins.
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
    """Keeps the last ``MOST`` requests, fewer when they are large; thread-safe."""

    def __init__(self, clock: Clock, operations: Operations) -> None:
        self._clock: Final = clock
        self._operations: Final = operations
        self._lock: Final = threading.Lock()
        self._receptions: Final[deque[Reception]] = deque(maxlen=MOST)

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The requests, oldest first."""
        with self._lock:
            return tuple(reception.request for reception in self._receptions)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._receptions.clear()

    def recording(self, app: ASGIApp) -> ASGIApp:
        """Wrap the application so that its requests are recorded."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            reception = Reception(scope, self._clock.now(), self._operations.endpoint(scope))
            scope["extensions"][_NAME] = reception
            with self._lock:
                self._receptions.append(reception)

            async def received() -> Message:
                message = await receive()
                if message["type"] == "http.request":
                    reception.add(message.get("body", b""), is_last=not message.get("more_body"))
                    if reception.kept > _LARGE:
                        self._trim()
                return message

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    reception.begin_response(message["status"])
                    date = formatdate(self._clock.now().timestamp(), usegmt=True)
                    message["headers"] = [*message["headers"], (b"date", date.encode())]
                await send(message)

            await app(scope, received, sent)

        return recorded

    def _trim(self) -> None:
        with self._lock:
            kept = sum(reception.kept for reception in self._receptions)
            while kept > _MOST_KEPT and self._receptions:
                kept -= self._receptions.popleft().kept


class Reception:
    """One request while it is received."""

    def __init__(self, scope: Scope, moment: datetime, endpoint: Endpoint[Any] | None) -> None:
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
            operation=endpoint.operation(None) if endpoint else None,
        )
        self.endpoint: Final = endpoint
        self.kept = 0
        self._has_ended = False
        self._contents: Final = Contents(headers.get("content-type", ""))

    def add(self, chunk: bytes, *, is_last: bool) -> None:
        """Add a part of the body."""
        self._contents.add(chunk)
        if is_last and not self._has_ended:
            self._has_ended = True
            self.kept = self._contents.kept
            body = self._contents.decoded()
            name = self.endpoint.operation(body) if self.endpoint else None
            self.request = replace(self.request, body=body, size=self._contents.size, operation=name)

    def begin_response(self, status: int) -> None:
        """Record the status of the response."""
        self.request = replace(self.request, status=status, size=self._contents.size)


def _hidden(authorization: str) -> str:
    scheme = authorization.partition(" ")[0]
    return f"{scheme} ***" if scheme.lower() == "bearer" else "***"


def reception_of(scope: Scope) -> Reception:
    """Return the record of a request."""
    reception: Reception = scope["extensions"][_NAME]
    return reception
