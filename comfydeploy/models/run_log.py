"""The log of a run."""

from datetime import datetime

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True)
class RunLog(Document):
    """A line of an archived log. ``timestamp`` is aware and in UTC; ``None`` where it cannot be read."""

    log: str
    run_id: str | None = None
    timestamp: datetime | None = None
    log_type: str | None = None


@frozen(kw_only=True)
class RunLogLine(Document):
    """A line of a streamed log: ``level`` is ``info``, ``webhook`` (then ``message`` is JSON), ..."""

    message: str
    level: str | None = None
    timestamp: datetime | None = None
