"""Sessions: a machine that is reserved for one user for a limited time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from comfydeploy._emulator.clock import Clock, to_naive
from comfydeploy._emulator.deployments.deployment import GPU, USER
from comfydeploy._emulator.deployments.forms import Gpu
from comfydeploy._emulator.ids import Ids

START_SECONDS: Final = 2.0
USUAL_MINUTES: Final = 15
_YEAR: Final = 365 * 24 * 60


class CreateSessionBody(BaseModel):
    """The body of a request that creates a session."""

    machine_id: str
    gpu: Gpu | None = None
    timeout: Annotated[int, Field(ge=0, le=_YEAR)] | None = None
    wait_for_server: bool = False


class IncreaseTimeoutBody(BaseModel):
    """The body of a request that prolongs a session."""

    minutes: Annotated[int, Field(ge=-_YEAR, le=_YEAR)]


@dataclass
class Session:
    """A session; its ``url`` comes when its machine has started."""

    id: str
    gpu_event_id: str
    machine_id: str
    gpu: str
    created_at: datetime
    timeout: int
    url: str | None = None
    added: int = 0

    @property
    def timeout_end(self) -> datetime:
        """The time at which the session ends by itself; ``added`` are minutes on top of ``timeout``."""
        return self.created_at + timedelta(minutes=self.timeout + self.added)

    def session_json(self) -> dict[str, Any]:
        """Return the session as ``GET /session/{session_id}`` has it; its times are UTC without a zone."""
        return {
            "id": self.id,
            "session_id": self.id,
            "gpu_event_id": self.gpu_event_id,
            "url": self.url,
            "gpu": self.gpu,
            "created_at": to_naive(self.created_at),
            "timeout": self.timeout,
            "timeout_end": to_naive(self.timeout_end),
            "machine_id": self.machine_id,
            "machine_version_id": None,
            "status": "running",
            "user_id": USER,
            "org_id": None,
        }


class Sessions:
    """The open sessions. They are running machines, so they are not restored after a restart."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock: Final = clock
        self._ids: Final = ids
        self._open: Final[dict[str, Session]] = {}
        self._starting: Final[dict[str, asyncio.Task[None]]] = {}

    def begin(self, body: CreateSessionBody, base: str) -> Session:
        """Open a session and begin to start its machine."""
        session = Session(
            id=self._ids.uuid(),
            gpu_event_id=self._ids.uuid(),
            machine_id=body.machine_id,
            gpu=body.gpu or GPU,
            created_at=self._clock.now(),
            timeout=body.timeout or USUAL_MINUTES,
        )
        self._open[session.id] = session
        task = self._clock.task(self._start(session, base))
        self._starting[session.id] = task
        task.add_done_callback(lambda _: self._starting.pop(session.id))
        return session

    async def started(self, session: Session) -> None:
        """Wait until the machine of a session has started, or the session was closed."""
        if task := self._starting.get(session.id):
            await asyncio.wait([task])

    def open(self) -> list[Session]:
        """List the open sessions, newest first."""
        now = self._clock.now()
        for session in list(self._open.values()):
            if session.timeout_end <= now:
                self.end(session)
        return list(reversed(self._open.values()))

    def find(self, session_id: str) -> Session | None:
        """Return an open session."""
        return next((session for session in self.open() if session.id == session_id), None)

    def prolong(self, session: Session, minutes: int) -> None:
        """Let a session end later, a century later at most."""
        session.added = min(session.added + minutes, 100 * _YEAR)

    def end(self, session: Session) -> None:
        """Close a session."""
        del self._open[session.id]
        if task := self._starting.get(session.id):
            task.cancel()

    async def stop(self) -> None:
        """Close all sessions."""
        tasks = list(self._starting.values())
        for session in list(self._open.values()):
            self.end(session)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self, session: Session, base: str) -> None:
        await self._clock.sleep(START_SECONDS)
        session.url = f"{base}sessions/{session.id}"
