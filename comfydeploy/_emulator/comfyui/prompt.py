"""A prompt of ComfyUI, and its messages."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from comfydeploy._emulator.comfyui.client import ComfyUI, ComfyUIError
from comfydeploy._emulator.comfyui.messages import RECONNECTED, Message, MessageQueue, Messages
from comfydeploy._emulator.documents import json_list, json_object

# Real seconds, whatever the pace of the server: ComfyUI does not follow it.
_POLLING: Final = 1.0
_TRIES: Final = 3
_BEGINS: Final = {"execution_start", "execution_cached"}
_ENDS: Final = {"execution_error", "execution_interrupted"}


class DeletedError(Exception):
    """The prompt was taken out of ComfyUI's queue."""


class Prompt:
    """A prompt of ComfyUI. Its messages carry the id of the run, which older ComfyUIs do not let the client choose.

    ``answer`` is ComfyUI's response to it: without a ``prompt_id`` it was refused.
    """

    def __init__(self, comfyui: ComfyUI, run_id: str) -> None:
        self._comfyui: Final = comfyui
        self._run_id: Final = run_id
        self._seen: Final[set[tuple[str, Any]]] = set()
        self._has_gap = False
        self.answer: dict[str, Any] = {}
        self.is_over = False

    @property
    def id(self) -> str:
        """The id under which ComfyUI knows the prompt."""
        return str(self.answer.get("prompt_id", self._run_id))

    async def messages(self, queue: MessageQueue) -> AsyncGenerator[Message, None]:
        """Yield the messages; where some were lost, those of the history once the prompt has ended."""
        while message := await queue.get():
            if message is RECONNECTED or message.kind == "status":
                self._has_gap |= message is RECONNECTED
                if await self._has_vanished(message, queue):
                    break
            elif self._has_gap and _is_end(message):
                # The history also has what was lost.
                break
            else:
                yield self._noted(message)
            if self.is_over:
                return
        for message in _remembered(await self._outcome(), self._run_id):
            if _key(message) not in self._seen:
                yield self._noted(message)
            if self.is_over:
                return

    def _noted(self, message: Message) -> Message:
        self._seen.add(_key(message))
        self.is_over = _is_end(message)
        if self.id == self._run_id:
            return message
        return Message(message.kind, json.loads(json.dumps(message.data).replace(self.id, self._run_id)))

    async def _has_vanished(self, message: Message, queue: MessageQueue) -> bool:
        """Return whether no more messages will come; raise ``DeletedError`` for a prompt that never began."""
        is_reconnected = message is RECONNECTED
        # The queue first: a prompt may end between the two requests.
        if (self._seen and not is_reconnected) or await self._comfyui.is_queued(self.id):
            return False
        is_known = bool(self._seen or await self._comfyui.history(self.id))
        # Messages from before the queue became empty may arrive after the message that says so.
        if not is_known and queue.empty():
            raise DeletedError
        return is_reconnected and is_known

    async def _outcome(self) -> dict[str, Any]:
        tries = _TRIES
        while True:
            try:
                is_queued = await self._comfyui.is_queued(self.id)
                entry = await self._comfyui.history(self.id)
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
            await asyncio.sleep(_POLLING)


@asynccontextmanager
async def prompted(
    messages: Messages, graph: dict[str, Any], workflow: Any, run_id: str
) -> AsyncGenerator[tuple[Prompt, MessageQueue], None]:
    """Queue a graph for a run; a prompt that has not ended when the context is left is given up."""
    await messages.connect()
    prompt = Prompt(messages.comfyui, run_id)
    try:
        # Before the prompt is queued: it may end before the response is read.
        with messages.subscribe(run_id) as subscription:
            prompt.answer = await messages.comfyui.queue(graph, workflow, run_id, messages.client_id)
            prompt.is_over = "prompt_id" not in prompt.answer
            subscription.rename(prompt.id)
            yield prompt, subscription.queue
    finally:
        if not prompt.is_over:
            await messages.comfyui.give_up(prompt.id)


def _is_end(message: Message) -> bool:
    return message.kind in _ENDS or _key(message) == ("executing", None)


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
