"""The log of a run."""

from datetime import datetime

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class RunLog(Document):
    """An entry of an archived log, sometimes of several lines. ``timestamp`` is aware and in UTC.

    The archive has no ``level``, so a webhook delivery is an entry like any other: its ``log`` is JSON
    with the whole address. ``None`` stands for a value that is missing or cannot be read.
    """

    log: str
    run_id: str | None = None
    timestamp: datetime | None = None
    log_type: str | None = None


@frozen(kw_only=True, repr=False)
class RunLogLine(Document):
    """A line of a streamed log: ``level`` is ``info``, ``webhook`` (then ``message`` is JSON), ..."""

    message: str
    level: str | None = None
    timestamp: datetime | None = None
