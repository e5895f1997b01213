"""Sends the state of runs to their webhooks."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.runs.run import ENDED, Run
from comfydeploy._emulator.webhooks.deliveries import Delivery, Message, Send
from comfydeploy._emulator.webhooks.transport import Transport, deliver

WAITS: Final = (0.0, 0.5, 1.0)
AT_ONCE: Final = 50

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """How messages are sent.

    ``wrap`` changes the sender of one run, ``method`` chooses the HTTP method of a message, and ``drops_body`` is of
    redirects.
    """

    wrap: Callable[[Send], Send]
    method: Callable[[Message], str]
    drops_body: Callable[[], bool]


class Webhooks:
    """Delivers messages while the runs go on: at most three times each, and in order for each run.

    ``report`` takes each delivery, and ``transport`` returns what sends the next attempt.
    """

    def __init__(
        self,
        clock: Clock,
        report: Callable[[Delivery], None],
        transport: Callable[[], Transport],
        rules: Rules,
    ) -> None:
        self._clock: Final = clock
        self._report: Final = report
        self._transport: Final = transport
        self._rules: Final = rules
        self._senders: Final[dict[str, Send]] = {}
        # The undelivered messages of each run; the first one is being delivered.
        self._waiting: Final[dict[str, deque[Message]]] = {}
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._places: Final = asyncio.Semaphore(AT_ONCE)

    def send(self, run: Run, base: str) -> None:
        """Send the run as it is now, after its earlier messages were delivered or given up."""
        if not run.webhook:
            return
        last = run.status in ENDED
        send = self._senders.pop(run.id, None) or self._rules.wrap(self._send)
        if not last:
            self._senders[run.id] = send
        send(Message(run.id, run.webhook, run.webhook_json(base, _event_type(run.webhook)), last))

    async def stop(self) -> None:
        """Drop the undelivered messages."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _send(self, message: Message) -> None:
        if waiting := self._waiting.get(message.run_id):
            waiting.append(message)
            return
        self._waiting[message.run_id] = waiting = deque([message])
        task = self._clock.task(self._deliver_all(waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_all(self, waiting: deque[Message]) -> None:
        run_id = waiting[0].run_id
        while waiting:
            await self._deliver(waiting[0])
            waiting.popleft()
        del self._waiting[run_id]

    async def _deliver(self, message: Message) -> None:
        for wait in WAITS:
            await self._clock.sleep(wait)
            delivery = await self._attempt(message)
            self._report(delivery)
            if delivery.was_taken:
                return
        _log.warning("The webhook of run %s did not accept its status %s", message.run_id, message.body["status"])

    async def _attempt(self, message: Message) -> Delivery:
        verb = self._rules.method(message)
        message.attempts += 1
        status, error = None, None
        try:
            body = json.dumps(message.body).encode()
            async with self._places:
                status, verb = await deliver(
                    self._transport(), verb, message.address, body, drops_body=self._rules.drops_body()
                )
        except Exception as problem:  # noqa: BLE001 - the address is free text: whatever it causes, the run goes on
            error = f"{type(problem).__name__}: {problem}"
            _log.info("Webhook: %s", error)
        return Delivery(message.run_id, message.address, verb, message.body, message.attempts, status, error)


def _event_type(address: str) -> str:
    try:
        targets = ",".join(parse_qs(urlsplit(address).query).get("target_events", []))
    except ValueError:  # not an address: there is no delivery
        targets = ""
    return "run.output" if "run.output" in targets.split(",") else "run.updated"
