"""A prompt of ComfyUI, and its messages."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.comfyui.client import ComfyUI, ComfyUIError
from comfydeploy._emulator.comfyui.messages import Ear, Message, Messages
from comfydeploy._emulator.documents import json_list, json_object

_POLLING: Final = 1.0  # seconds
_TRIES: Final = 3
_BEGINS: Final = {"execution_start", "execution_cached"}
_ENDS: Final = {"execution_error", "execution_interrupted"}


class DeletedError(Exception):
    """Somebody took the prompt out of ComfyUI's queue."""


class Prompt:
    """A prompt of ComfyUI. Its messages carry the id of the run, which older ComfyUIs do not let the client choose.

    ``answer`` is what ComfyUI answered to it: without a ``prompt_id`` it was refused.
    """

    def __init__(self, comfyui: ComfyUI, run_id: str, clock: Clock) -> None:
        self._comfyui: Final = comfyui
        self._run_id: Final = run_id
        self._clock: Final = clock
        self._heard: Final[set[tuple[str, Any]]] = set()
        self.answer: dict[str, Any] = {}
        self.is_over = False

    @property
    def id(self) -> str:
        """The id under which ComfyUI knows the prompt."""
        return str(self.answer.get("prompt_id", self._run_id))

    async def messages(self, ear: Ear) -> AsyncGenerator[Message, None]:
        """Yield the messages; after a lost connection, those of the history once the prompt has ended."""
        while message := await ear.get():
            if message.kind != "status":
                yield self._noted(message)
            elif not self._heard and not await self._is_known():
                raise DeletedError
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
        if self.id == self._run_id:
            return message
        return Message(message.kind, json.loads(json.dumps(message.data).replace(self.id, self._run_id)))

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
    messages: Messages, graph: dict[str, Any], workflow: Any, run_id: str, clock: Clock
) -> AsyncGenerator[tuple[Prompt, Ear], None]:
    """Have a graph executed for a run, and hear of it; what has not ended when it is left is given up."""
    client_id = await messages.client_id()
    prompt = Prompt(messages.comfyui, run_id, clock)
    try:
        prompt.answer = await messages.comfyui.queue(graph, workflow, run_id, client_id)
        prompt.is_over = "prompt_id" not in prompt.answer
        with messages.of(prompt.id, client_id) as ear:
            yield prompt, ear
    finally:
        if not prompt.is_over:
            await messages.comfyui.give_up(prompt.id)


def _key(message: Message) -> tuple[str, Any]:
    return message.kind, message.data.get("node")


def _remembered(entry: dict[str, Any], prompt_id: str) -> Iterator[Message]:
    """Yield the messages of a prompt that has ended, as far as the history has them."""
    written = map(json_list, json_list(json_object(entry.get("status")).get("messages")))
    messages = [Message(str(kind), {**json_object(data), "prompt_id": prompt_id}) for kind, data in written]
    yield from (message for message in messages if message.kind in _BEGINS)
    for node, output in json_object(entry.get("outputs")).items():
        yield Message("executed", {"node": node, "display_node": node, "output": output, "prompt_id": prompt_id})
    yield from (message for message in messages if message.kind not in _BEGINS)
    yield Message("executing", {"node": None, "prompt_id": prompt_id})
