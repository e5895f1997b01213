"""Quirks of webhooks: the order of the messages of a run, and how often each is sent."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from comfydeploy._emulator.quirks.addresses import signed
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.webhooks.deliveries import Message, Send


def quirky_send(send: Send, quirks: Collection[Quirk], now: Callable[[], datetime]) -> Send:
    """Wrap the sender of the messages of one run so that these quirks apply."""
    if Quirk.EXPIRING_ADDRESSES in quirks:
        send = _signed(send, now)
    for quirk, change in _CHANGES.items():
        if quirk in quirks:
            send = change(send)
    return send


def method(message: Message, quirks: Collection[Quirk]) -> str:
    """Return the method of the request that delivers a message; a repetition may be a GET."""
    return "GET" if message.attempts and Quirk.GET_WEBHOOKS in quirks else "POST"


def _signed(send: Send, now: Callable[[], datetime]) -> Send:
    def sent(message: Message) -> None:
        message.body = signed(message.body, now())
        send(message)

    return sent


def _repeated(send: Send) -> Send:
    def sent(message: Message) -> None:
        send(message)
        send(message)

    return sent


def _late(send: Send) -> Send:
    first: list[Message] = []

    def sent(message: Message) -> None:
        if not first and not message.last:
            first.append(message)
            return
        send(message)
        if message.last:
            for late in first:
                send(late)

    return sent


def _unordered(send: Send) -> Send:
    overtaken: list[Message] = []

    def sent(message: Message) -> None:
        if not overtaken and not message.last:
            overtaken.append(message)
            return
        send(message)
        for slow in overtaken:
            send(slow)
        overtaken.clear()

    return sent


# The last wrapper is the first to see a message.
_CHANGES: Final[dict[Quirk, Callable[[Send], Send]]] = {
    Quirk.REPEATED_WEBHOOKS: _repeated,
    Quirk.LATE_WEBHOOKS: _late,
    Quirk.UNORDERED_WEBHOOKS: _unordered,
}
