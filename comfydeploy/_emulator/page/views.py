"""Runs as the templates of the page show them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from comfydeploy._emulator.documents import json_object
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.page.writing import as_value
from comfydeploy._emulator.runs.feed import History
from comfydeploy._emulator.runs.output import Output, OutputFile
from comfydeploy._emulator.runs.run import ENDED, Run


@dataclass(frozen=True)
class File:
    """An output file, for a browser."""

    name: str
    url: str
    kind: str
    """The first half of its media type, such as ``image``, ``video`` or ``audio``."""
    thumbnail: str
    """The address of a small copy of a picture, with ``{size}`` in it."""


@dataclass(frozen=True)
class Made:
    """The output of one node: its name, its files and its other values."""

    name: str
    files: list[File]
    texts: list[str]


@dataclass(frozen=True)
class RunView:
    """A run as it is at one moment, and the name of what it runs."""

    run: Run
    name: str
    now: datetime
    history: History | None = None
    address: Callable[[str], str] = str
    """Returns the address by which the file at another one can be read."""

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended."""
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
        """A short description of the run: its first input that is text."""
        texts = (value for value in self.run.workflow_inputs.values() if isinstance(value, str))
        return next(texts, "")

    @property
    def outputs(self) -> list[Made]:
        """The outputs of its nodes."""
        return [_made(output, self.address) for output in self.run.outputs]

    @property
    def pictures(self) -> list[File]:
        """The pictures of its outputs."""
        return [file for output in self.outputs for file in output.files if file.kind == "image"]

    @property
    def picture(self) -> File | None:
        """The first picture of its outputs."""
        return next(iter(self.pictures), None)

    @property
    def live(self) -> str:
        """The node that is executed, with its step if it has several, or what is missing from an ended run."""
        if self.run.status == "success" and any("error" in json_object(one.data) for one in self.run.internal_outputs):
            return "Some outputs are missing"
        if self.has_ended or not self.run.live_status:
            return ""
        for timed in reversed(self.history.latest if self.history else ()):
            data = json_object(timed.event.data.get("data"))
            if timed.kind == "executing":
                break
            if timed.kind == "progress" and (data.get("max") or 0) > 1:
                return f"{self.run.live_status} {data.get('value')}/{data.get('max')}"
        return self.run.live_status

    @property
    def times(self) -> list[tuple[str, datetime, timedelta]]:
        """The steps of the run: name, time, and duration since the creation."""
        run = self.run
        moments = (("created", run.created_at), ("queued", run.queued_at), ("started", run.started_at))
        return [
            (step, moment, moment - run.created_at) for step, moment in (*moments, ("ended", run.ended_at)) if moment
        ]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Further fields of the run, named as in responses."""
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


def _made(output: Output, address: Callable[[str], str]) -> Made:
    values = [item for items in output.data.values() for item in items]
    node = f"{output.node_class} (node {output.node})"
    return Made(
        f"{output.output_id}: {node}" if output.output_id else node,
        [
            File(
                file.filename,
                address(output.url(file, "/")),
                media_type(file.filename).partition("/")[0],
                f"/page/thumbnails/{{size}}/{output.run_id}/{quote(file.filename)}",
            )
            for file in output.files
        ],
        [as_value(item) for item in values if not isinstance(item, OutputFile)],
    )
