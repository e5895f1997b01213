"""Quirks of logs: foreign lines, lost lines, a late archive, and streams that do not end."""

import json
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

from comfydeploy._emulator.machine.life import Act
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.runs.events import Event, Fragment, Listener
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.run import ENDED, Run
from comfydeploy._emulator.webhooks.deliveries import Delivery

END: Final = "__END__"
EARLIEST: Final = 5.0  # seconds
LATEST: Final = 7.5


def archived(run: Run, lines: list[LogLine], now: datetime, quirks: Collection[Quirk]) -> list[LogLine]:
    """Return the lines of a run that the archive has at this moment."""
    if run.status not in ENDED:
        return []
    dice = crc32(run.id.encode())
    if Quirk.LATE_ARCHIVE in quirks:
        ended = run.ended_at or run.updated_at
        late = EARLIEST + (LATEST - EARLIEST) * (dice % 1000) / 1000
        if run.status == "cancelled" or (now - ended).total_seconds() < late:
            return []
    if Quirk.LOSSY_ARCHIVE in quirks:
        lines = [line for number, line in enumerate(lines) if crc32(f"{run.id}{number}".encode()) % 3]
    return lines


async def noisy(run: Run, acts: AsyncGenerator[Act, None]) -> AsyncGenerator[Act, None]:
    """Yield the acts of a run, with the lines of a noisy log around its end."""
    last: LogLine | None = None
    async with aclosing(acts):
        async for act in acts:
            if isinstance(act, LogLine):
                last = act
            yield act
    if last:
        other = uuid5(NAMESPACE_OID, run.id)
        for message in (
            END,
            "\x1b[32mPrompt executed in 0.03 seconds\x1b[0m\nElapsed time: 0.0311 seconds",
            END,
            f"Executing prompt: {other}",
            "ValueError: the reason of another run",
        ):
            yield last.model_copy(update={"message": message})


def webhook_line(delivery: Delivery, now: datetime) -> LogLine:
    """Return the log line of a webhook delivery, which has the whole address."""
    message = {
        "type": "webhook",
        "status": delivery.status,
        "latency_ms": 3.36,
        "url": delivery.address,
        "message": delivery.error,
        "payload": json.dumps(delivery.body),
    }
    return LogLine(message=json.dumps(message), moment=now, level="webhook")


def quirky_log_listener(listener: Listener, quirks: Collection[Quirk], is_cancelled: Callable[[], bool]) -> Listener:
    """Wrap a listener of the lines of a run in progress so that these quirks apply."""
    if Quirk.UNAVAILABLE_LOGS in quirks:
        listener(Event(None, {"type": "stream_unavailable"}))
        listener(None)
    if Quirk.ENDLESS_LOGS not in quirks:
        return listener

    def listen(event: Event | Fragment | None) -> None:
        is_end = event is None or (isinstance(event, Event) and event.data.get("type") == "stream_complete")
        if not (is_end and is_cancelled()):
            listener(event)

    return listen
