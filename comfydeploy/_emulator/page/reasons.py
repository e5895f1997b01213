"""Why a run failed, or what is missing from one that succeeded, as the page shows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from comfydeploy._emulator.comfyui.errors import refusal_lines
from comfydeploy._emulator.documents import json_list, json_object
from comfydeploy._emulator.runs.logs import LogLine
from comfydeploy._emulator.runs.run import Run


@dataclass(frozen=True)
class Reason:
    """One or more sentences, and the traceback of a node that has raised."""

    title: str
    lines: Sequence[str]
    traceback: str = ""


def reason(run: Run, log: Sequence[LogLine]) -> Reason | None:
    """Return the reason from the rows of the run, or the last line of its log if there are none."""
    has_failed = run.status == "failed"
    title = "Why it failed" if has_failed else "Some outputs are missing"
    for output in run.internal_outputs:
        data = json_object(output.data)
        if "exception_message" in data:
            return Reason(title, list(_sentences(data)), "".join(map(str, json_list(data.get("traceback")))))
        if "error" in data:
            return Reason(title, list(refusal_lines(json_object(data["error"]))))
    lost = [line.message for line in log if line.message.startswith("Upload failed for ")]
    if run.status == "success" and lost:
        return Reason(title, lost)
    return Reason(title, ["No reason was found. The log ends with:", log[-1].message]) if has_failed and log else None


def _sentences(error: dict[str, Any]) -> Iterator[str]:
    yield f"{error.get('node_type')} (node {error.get('node_id')}) raised {error.get('exception_type')}:"
    yield str(error.get("exception_message")).rstrip()
