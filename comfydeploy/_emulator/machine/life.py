"""The life of a run as a sequence of acts: pauses, changes, outputs, log lines and events."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.runs.events import Event
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.output import InternalOutput, Output
from comfydeploy._emulator.runs.run import Run


@dataclass(frozen=True)
class Pause:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Change:
    """Fields of the run get new values."""

    fields: dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """An output is added and its files are saved: by name their bytes, or the files that are moved."""

    output: Output
    files: Mapping[str, bytes | Path]


Act: TypeAlias = Pause | Change | Upload | InternalOutput | LogLine | Event
Life: TypeAlias = Callable[[Run, Deployment, int, str], AsyncGenerator[Act, None]]
"""Yields the acts of a run, given its deployment, its number and the server's address."""
