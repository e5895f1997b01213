"""A prompt that ComfyUI has taken: what is heard of it."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple
from uuid import uuid4

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.comfyui.client import ComfyUI, ComfyUIError
from comfydeploy._emulator.comfyui.graph import json_list, json_object

_POLLING: Final = 1.0  # seconds
_TRIES: Final = 3
_BEGINS: Final = {"execution_start", "execution_cached"}
_ENDS: Final = {"execution_error", "execution_interrupted"}


class Message(NamedTuple):
    """What ComfyUI says of a prompt."""

    kind: str
    data: dict[str, Any]


class DeletedError(Exception):
    """Somebody took the prompt out of ComfyUI's queue."""


class Prompt:
    """A prompt of ComfyUI's, told of under the id of a run, which older ComfyUIs do not let one choose.

    ``answer`` is what ComfyUI answered to it: without a ``prompt_id`` it was refused.
    """

    def __init__(self, comfyui: ComfyUI, connection: ClientConnection, run_id: str, clock: Clock) -> None:
        self._comfyui: Final = comfyui
        self._connection: Final = connection
        self._run_id: Final = run_id
        self._clock: Final = clock
        self._heard: Final[set[tuple[str, Any]]] = set()
        self.answer: dict[str, Any] = {}
        self.is_over = False

    @property
    def id(self) -> str:
        """The id under which ComfyUI knows the prompt."""
        return str(self.answer.get("prompt_id", self._run_id))

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Tell what ComfyUI says; once the connection is lost, what it remembers when the prompt has ended."""
        with suppress(ConnectionClosed):
            async for frame in self._connection:
                # Binary frames are previews, which the service does not pass on.
                if not isinstance(frame, str):
                    continue
                message = _message(frame.replace(self.id, self._run_id))
                if message.kind == "status":
                    await self._check(message.data)
                elif message.data.get("prompt_id") == self._run_id:
                    yield self._noted(message)
                    if self.is_over:
                        return
        for message in _remembered(await self._outcome(), self._run_id):
            if _key(message) not in self._heard:
                yield self._noted(message)
            if self.is_over:
                return

    def _noted(self, message: Message) -> Message:
        self._heard.add(_key(message))
        self.is_over = message.kind in _ENDS or _key(message) == ("executing", None)
        return message

    async def _check(self, status: dict[str, Any]) -> None:
        # Of a prompt that is deleted before it begins nothing is ever said but that the queue is empty.
        if not self._heard and "sid" not in status and _is_idle(status) and not await self._is_known():
            raise DeletedError

    async def _is_known(self) -> bool:
        # The queue first: a prompt may end between the two questions.
        return await self._comfyui.is_queued(self.id) or bool(await self._comfyui.remembered(self.id))

    async def _outcome(self) -> dict[str, Any]:
        tries = _TRIES
        while True:
            try:
                is_queued = await self._comfyui.is_queued(self.id)
                entry = await self._comfyui.remembered(self.id)
            except ComfyUIError:
                tries -= 1
                if not tries:
                    raise
            else:
                if entry:
                    return entry
                if not is_queued:
                    raise ComfyUIError("ComfyUI does not know the prompt any more: it may have been restarted")
                tries = _TRIES
            await self._clock.sleep(_POLLING)


@asynccontextmanager
async def prompted(
    comfyui: ComfyUI, graph: dict[str, Any], workflow: Any, run_id: str, clock: Clock
) -> AsyncGenerator[Prompt, None]:
    """Have a graph executed for a run; what has not ended when it is left is given up."""
    client_id = str(uuid4())
    async with comfyui.listening(client_id) as connection:
        prompt = Prompt(comfyui, connection, run_id, clock)
        try:
            prompt.answer = await comfyui.queue(graph, workflow, run_id, client_id)
            prompt.is_over = "prompt_id" not in prompt.answer
            yield prompt
        finally:
            if not prompt.is_over:
                await comfyui.give_up(prompt.id)


def _key(message: Message) -> tuple[str, Any]:
    return message.kind, message.data.get("node")


def _message(text: str) -> Message:
    try:
        said = json_object(json.loads(text))
    except ValueError:
        said = {}
    return Message(str(said.get("type")), json_object(said.get("data")))


def _is_idle(status: dict[str, Any]) -> bool:
    queue = json_object(json_object(status.get("status")).get("exec_info"))
    return queue.get("queue_remaining") == 0


def _remembered(entry: dict[str, Any], prompt_id: str) -> Iterator[Message]:
    """Tell a prompt that has ended as it would have been told meanwhile, as far as that is known."""
    written = map(json_list, json_list(json_object(entry.get("status")).get("messages")))
    messages = [Message(str(kind), {**json_object(data), "prompt_id": prompt_id}) for kind, data in written]
    yield from (message for message in messages if message.kind in _BEGINS)
    for node, output in json_object(entry.get("outputs")).items():
        yield Message("executed", {"node": node, "display_node": node, "output": output, "prompt_id": prompt_id})
    yield from (message for message in messages if message.kind not in _BEGINS)
    yield Message("executing", {"node": None, "prompt_id": prompt_id})
