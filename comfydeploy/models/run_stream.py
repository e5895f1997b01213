"""The events of a streamed run."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from comfydeploy.models.document import Document, Shown


@frozen(kw_only=True, repr=False)
class EventUpdate(Document):
    """A step of the run.

    ``event`` is its kind (``queuing``, ``executing``, ``progress``, ``executed``, ``status``, ... and future
    ones) and ``data`` its data, as the server sent it. One payload of every run has no kind
    (``event is None``): then ``data`` is the payload itself, with ``prompt_id`` (the run id) or ``error``.
    """

    event: str | None = None
    data: Any = None


@frozen(kw_only=True, repr=False)
class EventUpdateEvent(Shown):
    """``event_update``: the run took a step."""

    data: EventUpdate
    event: Literal["event_update"] = "event_update"


@frozen(kw_only=True, repr=False)
class LogUpdate(Document):
    """A line of the machine's log. ``timestamp`` is aware and in UTC; ``None`` where it cannot be read."""

    logs: str
    timestamp: datetime | None = None


@frozen(kw_only=True, repr=False)
class LogUpdateEvent(Shown):
    """``log_update``: the machine wrote a line to its log, sometimes one of an earlier run."""

    data: LogUpdate
    event: Literal["log_update"] = "log_update"


@frozen(kw_only=True, repr=False)
class UnknownEvent(Shown):
    """An event that this version does not know: ``data`` is its JSON value, or its text where it is not JSON."""

    event: str
    data: Any = field(default=None)


RunStream: TypeAlias = EventUpdateEvent | LogUpdateEvent | UnknownEvent
