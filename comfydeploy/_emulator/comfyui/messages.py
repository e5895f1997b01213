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

from comfydeploy._emulator.comfyui.client import ComfyUI, ComfyUIError
from comfydeploy._emulator.documents import json_object

_LATEST: Final = 1000
# A restart of ComfyUI takes about this long.
_TRIES: Final = 30
_PAUSE: Final = 1.0  # seconds


class Message(NamedTuple):
    """A message of ComfyUI about a prompt, or about its queue."""

    kind: str
    data: dict[str, Any]


RECONNECTED: Final = Message("reconnected", {})
"""Not sent by ComfyUI: messages may have been lost before it."""

MessageQueue: TypeAlias = asyncio.Queue[Message | None]
"""The messages of a prompt; ``None`` when no more will come."""


class Messages:
    """Passes the messages of ComfyUI to the runs that they are for.

    There is one connection for all prompts, as ComfyUI notifies every connection when its queue changes. It is opened
    when it is first needed, and again, with the same client id, when it is lost while prompts are in flight.
    """

    def __init__(self, comfyui: ComfyUI) -> None:
        self.comfyui: Final = comfyui
        self.client_id: Final = str(uuid4())
        self._connecting: Final = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self._queues: Final[dict[str, MessageQueue]] = {}
        # Messages of prompts whose ids are not known yet, because the response to the POST is still on its way.
        self._unclaimed: Final[deque[Message]] = deque(maxlen=_LATEST)
        self._executing: str | None = None

    async def close(self) -> None:
        """Close the connection."""
        if self._listening:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    async def connect(self) -> None:
        """Open the connection, unless it is open."""
        async with self._connecting:
            if not self._listening or self._listening.done():
                connection = await self.comfyui.connect(self.client_id)
                self._listening = asyncio.create_task(self._listen(connection))

    @contextmanager
    def subscribe(self, prompt_id: str) -> Generator["Subscription", None, None]:
        """Receive the messages of a prompt. Subscribe before it is queued, so that none is missed."""
        subscription = Subscription(self._queues, self._unclaimed, prompt_id)
        if not self._listening or self._listening.done():
            subscription.queue.put_nowait(None)
        try:
            yield subscription
        finally:
            subscription.end()

    async def _listen(self, first: ClientConnection) -> None:
        connection: ClientConnection | None = first
        try:
            while connection:
                async with connection:
                    with suppress(ConnectionClosed):
                        async for frame in connection:
                            # Binary frames are previews, which the service does not pass on.
                            if isinstance(frame, str):
                                self._pass_on(_message(frame))
                connection = await self._reconnect()
        finally:
            for queue in self._queues.values():
                queue.put_nowait(None)

    async def _reconnect(self) -> ClientConnection | None:
        """Open a lost connection again, unless no prompt is in flight or ComfyUI stays away."""
        for _ in range(_TRIES):
            if not self._queues:
                return None
            try:
                connection = await self.comfyui.connect(self.client_id)
            except ComfyUIError:
                await asyncio.sleep(_PAUSE)
            else:
                for queue in self._queues.values():
                    queue.put_nowait(RECONNECTED)
                return connection
        return None

    def _pass_on(self, message: Message) -> None:
        if message.kind == "status":
            if _is_idle(message.data):
                # The only sign of a prompt that is deleted before it begins.
                for queue in self._queues.values():
                    queue.put_nowait(message)
            return
        if message.kind == "executing" and "prompt_id" not in message.data and self._executing:
            # ComfyUI sends this to a client that has reconnected.
            message = Message("executing", {**message.data, "prompt_id": self._executing})
        prompt_id = str(message.data.get("prompt_id"))
        if message.kind == "execution_start":
            self._executing = prompt_id
        receiver = self._queues.get(prompt_id)
        (receiver.put_nowait if receiver else self._unclaimed.append)(message)


class Subscription:
    """The messages of one prompt."""

    def __init__(self, queues: dict[str, MessageQueue], unclaimed: deque[Message], prompt_id: str) -> None:
        self.queue: Final = MessageQueue()
        self._queues: Final = queues
        self._unclaimed: Final = unclaimed
        self._prompt_id = prompt_id
        queues[prompt_id] = self.queue

    def rename(self, prompt_id: str) -> None:
        """Set the id that ComfyUI has chosen, and receive the messages that have arrived for it already."""
        if prompt_id == self._prompt_id:
            return
        del self._queues[self._prompt_id]
        self._prompt_id = prompt_id
        self._queues[prompt_id] = self.queue
        for message in self._unclaimed:
            if message.data.get("prompt_id") == prompt_id:
                self.queue.put_nowait(message)

    def end(self) -> None:
        """Receive nothing more."""
        del self._queues[self._prompt_id]


def _message(text: str) -> Message:
    try:
        document = json_object(json.loads(text))
    except ValueError:
        document = {}
    return Message(str(document.get("type")), json_object(document.get("data")))


def _is_idle(status: dict[str, Any]) -> bool:
    queue = json_object(json_object(status.get("status")).get("exec_info"))
    return queue.get("queue_remaining") == 0
