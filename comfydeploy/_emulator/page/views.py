"""What the page shows of runs, as its templates ask for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.runs.feed import History
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.run import ENDED, OutputFile, Run

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True)
class File:
    """A file that a run has made, as a browser takes it."""

    name: str
    url: str
    kind: str
    """``image``, ``video``, ``audio``, or whatever else the first half of its media type says."""


@dataclass(frozen=True)
class RunView:
    """A run as it is at one moment, and the name of what it runs."""

    run: Run
    name: str
    now: datetime

    @property
    def has_ended(self) -> bool:
        """Whether it changes no more."""
        return self.run.status in ENDED

    @property
    def age(self) -> timedelta:
        """The time since its creation."""
        return self.now - self.run.created_at

    @property
    def took(self) -> timedelta:
        """The time from its creation to its end, or until now."""
        return (self.run.ended_at or self.now) - self.run.created_at

    @property
    def summary(self) -> str:
        """What tells it from its like: its first input that is text."""
        texts = (value for value in self.run.workflow_inputs.values() if isinstance(value, str))
        return next(texts, "")

    @property
    def files(self) -> list[File]:
        """What it has made."""
        return [
            File(file.filename, output.url(file, "/"), media_type(file.filename).partition("/")[0])
            for output in self.run.outputs
            for file in output.files
        ]

    @property
    def texts(self) -> list[str]:
        """What it has made that is no file."""
        items = (item for output in self.run.outputs for items in output.data.values() for item in items)
        return [as_value(item) for item in items if not isinstance(item, OutputFile)]

    @property
    def picture(self) -> File | None:
        """The first picture that it has made."""
        return next((file for file in self.files if file.kind == "image"), None)

    @property
    def times(self) -> list[tuple[str, datetime, timedelta]]:
        """What happened when: the step, the moment, and the time since the creation."""
        run = self.run
        moments = (("created", run.created_at), ("queued", run.queued_at), ("started", run.started_at))
        return [
            (step, moment, moment - run.created_at) for step, moment in (*moments, ("ended", run.ended_at)) if moment
        ]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What else is known of it, by the names that answers have."""
        run = self.run
        facts = {
            "deployment_id": run.deployment_id,
            "workflow_id": run.workflow_id,
            "workflow_version_id": run.workflow_version_id,
            "machine_id": run.machine_id,
            "gpu": run.gpu,
            "origin": run.origin,
            "batch_id": run.batch_id,
        }
        return [(name, fact) for name, fact in facts.items() if fact]


def failure(run: Run, history: History | None, lines: Sequence[LogLine]) -> str | None:
    """Return the reason of a failed run: from its events, or the last line of its log if they are not kept."""
    if run.status != "failed":
        return None
    for timed in reversed(history.latest if history else ()):
        if timed.kind == "execution_error":
            data = timed.event.data["data"]
            where = f"{data.get('node_type')} (node {data.get('node_id')})"
            return f"{data.get('exception_type')} in {where}: {data.get('exception_message')}".rstrip()
    return lines[-1].message if lines else None


def templates() -> Environment:
    """Make the templates, which escape whatever they are given."""
    made = Environment(
        loader=PackageLoader("comfydeploy._emulator.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"age": age, "duration": duration, "clock": clock, "json": as_json, "value": as_value}
    return made


def age(time: timedelta) -> str:
    """Write how long ago something was, no finer than pages are renewed: ``just now``, ``20 s ago``, ``3 min ago``."""
    seconds = time.total_seconds()
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    tens = int(seconds // 10 * 10)
    return f"{tens} s ago" if tens > 0 else "just now"


def duration(time: timedelta) -> str:
    """Write a duration: ``0.42 s``, ``9.10 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d 1 h``."""
    seconds = max(0.0, time.total_seconds())
    for size, unit, part, smaller in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} {int(seconds % size // part)} {smaller}"
    return f"{seconds:.2f} s"


def clock(moment: datetime) -> str:
    """Write a moment of UTC to be read: ``2026-11-23 18:59:43.726``."""
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def as_json(data: Any) -> str:
    """Write data as JSON in one line."""
    return json.dumps(data, ensure_ascii=False)


def as_value(value: Any) -> str:
    """Write an input: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else as_json(value)
