"""The one connection that carries the messages of all prompts."""

import asyncio
import json
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import uuid4

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from comfydeploy._emulator.comfyui.client import ComfyUI
from comfydeploy._emulator.documents import json_object

_LATEST: Final = 1000


class Message(NamedTuple):
    """What ComfyUI says of a prompt, or of its queue."""

    kind: str
    data: dict[str, Any]


Ear: TypeAlias = asyncio.Queue[Message | None]
"""The messages of a prompt; ``None`` when no more will come."""


class Messages:
    """Hands what ComfyUI says to those who wait for it.

    One connection for all prompts, since ComfyUI tells every connection whenever its queue changes. It is opened when
    it is first needed, and again when it has been lost.
    """

    def __init__(self, comfyui: ComfyUI) -> None:
        self.comfyui: Final = comfyui
        self._connecting: Final = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self._client_id = ""
        self._ears: Final[dict[str, Ear]] = {}
        # Messages of prompts whose ids are not known here yet, because the response to the POST is still on its way.
        self._unheard: Final[deque[Message]] = deque(maxlen=_LATEST)

    async def close(self) -> None:
        """Close the connection."""
        if self._listening:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    async def client_id(self) -> str:
        """Return the client id that prompts must be queued with, so that their messages arrive here."""
        async with self._connecting:
            if not self._listening or self._listening.done():
                self._client_id = str(uuid4())
                connection = await self.comfyui.connect(self._client_id)
                self._listening = asyncio.create_task(self._listen(connection))
        return self._client_id

    @contextmanager
    def of(self, prompt_id: str, client_id: str) -> Generator[Ear, None, None]:
        """Hear all that is said of a prompt that has been queued."""
        ear = self._ears[prompt_id] = Ear()
        for message in self._unheard:
            if message.data.get("prompt_id") == prompt_id:
                ear.put_nowait(message)
        if client_id != self._client_id or not self._listening or self._listening.done():
            ear.put_nowait(None)
        try:
            yield ear
        finally:
            del self._ears[prompt_id]

    async def _listen(self, connection: ClientConnection) -> None:
        try:
            async with connection:
                with suppress(ConnectionClosed):
                    async for frame in connection:
                        # Binary frames are previews, which the service does not pass on.
                        if isinstance(frame, str):
                            self._hand_on(_message(frame))
        finally:
            for ear in self._ears.values():
                ear.put_nowait(None)

    def _hand_on(self, message: Message) -> None:
        if message.kind != "status":
            ear = self._ears.get(str(message.data.get("prompt_id")))
            (ear.put_nowait if ear else self._unheard.append)(message)
        elif _is_idle(message.data):
            # Of a prompt that is deleted before it begins nothing is ever said but that the queue is empty.
            for ear in self._ears.values():
                ear.put_nowait(message)


def _message(text: str) -> Message:
    try:
        said = json_object(json.loads(text))
    except ValueError:
        said = {}
    return Message(str(said.get("type")), json_object(said.get("data")))


def _is_idle(status: dict[str, Any]) -> bool:
    queue = json_object(json_object(status.get("status")).get("exec_info"))
    return queue.get("queue_remaining") == 0
