"""Sessions: a machine that is reserved for one user for a limited time."""

from datetime import datetime

from attrs import Factory, field, frozen

from comfydeploy.models.document import Document, Shown


def _session_id(session: "Session") -> str:
    return session.session_id


@frozen(kw_only=True, repr=False)
class CreateSessionRequest(Shown):
    """Create a session. ``timeout`` is in minutes; with ``wait_for_server`` the response is sent when it is ready."""

    machine_id: str
    gpu: str | None = None
    timeout: int | None = None
    wait_for_server: bool | None = None


@frozen(kw_only=True, repr=False)
class CreateSessionResponse(Document):
    """The id of a new session; ``url`` is ``None`` until it is ready.

    ``id`` and the deprecated ``session_id`` are equal; the server may send either.
    """

    session_id: str
    url: str | None = None

    @property
    def id(self) -> str:
        """The id of the session."""
        return self.session_id


@frozen(kw_only=True, repr=False)
class Session(Document):
    """A session; ``url`` is ``None`` until it is ready, ``timeout`` is in minutes, ``timeout_end`` when it ends.

    ``id`` and the deprecated ``session_id`` are equal; the server may send either.
    """

    session_id: str
    id: str = field(default=Factory(_session_id, takes_self=True))
    url: str | None = None
    status: str | None = None
    gpu_event_id: str | None = None
    gpu: str | None = None
    created_at: datetime | None = None
    timeout: float | None = None
    timeout_end: datetime | None = None
    machine_id: str | None = None
    machine_version_id: str | None = None


@frozen(kw_only=True, repr=False)
class CancelSessionResponse(Document):
    """Whether the session was closed."""

    success: bool | None = None


@frozen(kw_only=True, repr=False)
class IncreaseTimeoutResponse(Document):
    """The response to a prolonged session."""

    message: str | None = None
