"""Quirks of webhooks: the order in which messages of a run arrive, and how often."""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Final, TypeAlias

from comfydeploy._emulator.deliveries import Message
from comfydeploy._emulator.quirks.catalogue import Quirk

Messages: TypeAlias = AsyncGenerator[Message, None]


def quirky_messages(messages: Messages, quirks: Collection[Quirk]) -> Messages:
    """Return the messages of a run, in the order in which they are delivered under these quirks."""
    for quirk, change in _CHANGES.items():
        if quirk in quirks:
            messages = change(messages)
    return messages


def method(message: Message, quirks: Collection[Quirk]) -> str:
    """Return the method of the request that delivers a message, which has been tried before or not."""
    return "GET" if message.attempts and Quirk.GET_WEBHOOKS in quirks else "POST"


async def _late(messages: Messages) -> Messages:
    first = None
    async with aclosing(messages):
        async for message in messages:
            if first:
                yield message
            else:
                first = message
    if first:
        yield first


async def _unordered(messages: Messages) -> Messages:
    overtaken = None
    async with aclosing(messages):
        async for message in messages:
            if overtaken:
                yield message
                yield overtaken
                overtaken = None
            else:
                overtaken = message
    if overtaken:
        yield overtaken


async def _repeated(messages: Messages) -> Messages:
    async with aclosing(messages):
        async for message in messages:
            yield message
            yield message


_CHANGES: Final[dict[Quirk, Callable[[Messages], Messages]]] = {
    Quirk.UNORDERED_WEBHOOKS: _unordered,
    Quirk.LATE_WEBHOOKS: _late,
    Quirk.REPEATED_WEBHOOKS: _repeated,
}
