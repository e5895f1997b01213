"""The reason of a failed run, from its archived log, which loses lines and may hold lines of other runs.

Not for a run that timed out or was cancelled: its archive may hold the failure of another run.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Final

from comfydeploy._wire.failure import Reason, first_paragraph, node_reason, refused_reason, shortened
from comfydeploy._wire.log_marks import END

_ANSI: Final = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
# A delivery has the address of the webhook, which may hold a secret.
_WEBHOOK: Final = r"\s*\{.*\"type\"\s*:\s*\"webhook\""
_EXECUTING: Final = r"Executing prompt: (\S+)"
_RAISED: Final = "!!! Exception during processing !!!"
_NODE_AT_WORK: Final = r"At: \d+% - (\S.*)"
_TYPE: Final = r"[A-Za-z_][\w.]*"
# The end of a message of several lines: a traceback, or one of the server's own lines.
_AFTER_MESSAGE: Final = r"Traceback |Executing prompt: |Status: |At: \d|Prompt executed|Prompt done|\+-|\| "
_REFUSED_NODE: Final = r"\* (\S.*) (\S+):$"
_STARTUP: Final = "Session crashed in startup"
_STARTUP_ERROR: Final = r"Error in [^:]*: *(\S.*)"
_UPLOAD: Final = "Upload failed for "


def archive_lines(entries: Iterable[str], run_id: str) -> list[str]:
    """Return the lines of an archive that may belong to a run.

    Drops the end marks, webhook deliveries and colours; cuts at the first ``Executing prompt`` of another run.
    """
    lines: list[str] = []
    for entry in entries:
        if re.match(_WEBHOOK, entry, re.DOTALL):
            continue
        for line in re.split(r"[\r\n]+", re.sub(_ANSI, "", entry)):
            text = line.strip()
            executing = re.match(_EXECUTING, text)
            if executing and _plain(executing[1]) != _plain(run_id):
                return lines
            if text not in ("", END) and not re.match(_WEBHOOK, text):
                lines.append(text)
    return lines


def archive_reason(lines: Sequence[str], node_type: str | None = None) -> Reason | None:
    """Return the reason in the lines of ``archive_lines``, if there is one.

    ``node_type`` is the node that was executed when the run ended; the archive does not always name it.
    """
    return _raised(lines, node_type) or _refused(lines) or _crashed_in_startup(lines) or _upload_failed(lines)


def _plain(run_id: str) -> str:
    return run_id.replace("-", "").lower()


def _raised(lines: Sequence[str], node_type: str | None) -> Reason | None:
    start = next((place for place, line in enumerate(lines) if line.startswith(_RAISED)), None)
    if start is None:
        return None
    first = lines[start].removeprefix(_RAISED).lstrip()
    behind = lines[start + 1 :]
    more = list(takewhile(lambda line: not re.match(_AFTER_MESSAGE, line), behind))
    # Without a line of the server after it the message has no known end.
    message = "\n".join([first, *more]) if len(more) < len(behind) else first
    at_work = (re.match(_NODE_AT_WORK, line) for line in lines)
    return node_reason(
        node_type=node_type or next((found[1] for found in at_work if found), None),
        exception_type=_exception_type(behind, first),
        exception_message=message.lstrip() or None,
    )


def _exception_type(lines: Sequence[str], message: str) -> str | None:
    """Return the type from the last ``Type: MESSAGE``, or from a lone ``Type`` where there is no message."""
    found: str | None = None
    for line in lines:
        kind, _, said = line.partition(": ")
        is_type = re.fullmatch(_TYPE, kind) is not None and kind.rpartition(".")[2][:1].isupper()
        if is_type and said == message:
            found = kind
    return found


def _refused(lines: Sequence[str]) -> Reason | None:
    nodes: list[tuple[str | None, str | None, str]] = []
    for place, line in enumerate(lines):
        node = re.match(_REFUSED_NODE, line)
        if node is None:
            continue
        errors = list(takewhile(lambda below: below.startswith("- "), lines[place + 1 :]))
        if errors:
            nodes.append((node[1], node[2], ", ".join(first_paragraph(error[2:]) for error in errors)))
    return refused_reason(nodes) if nodes else None


def _crashed_in_startup(lines: Sequence[str]) -> Reason | None:
    start = next((place for place, line in enumerate(lines) if _STARTUP in line), None)
    if start is None:
        return None
    errors = (re.match(_STARTUP_ERROR, line) for line in lines[start + 1 :])
    said = next((found[1] for found in errors if found), None)
    if said is None:
        return Reason(text="The session of the machine crashed in startup", kind="start")
    kind, _, message = said.partition(":")
    is_typed = re.fullmatch(_TYPE, kind) is not None
    return Reason(
        text=shortened(said),
        kind="start",
        exception_type=kind if is_typed else None,
        exception_message=(message.lstrip() if is_typed else said) or None,
    )


def _upload_failed(lines: Sequence[str]) -> Reason | None:
    line = next((line for line in lines if line.startswith(_UPLOAD)), None)
    return Reason(text=shortened(line), kind="upload", exception_message=line) if line else None
