"""The lines of a run's log, archived or live."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from comfydeploy._cli.output import Output
from comfydeploy._cli.records import time_text
from comfydeploy._wire.log_archive import archive_lines
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, MalformedEvent, StreamError
from comfydeploy.funcs.run_logs import run_logs
from comfydeploy.funcs.run_logs_stream import run_logs_stream
from comfydeploy.models.run_log import RunLog
from comfydeploy.result import Failure, Result, Success

_WEBHOOK = "webhook"


def print_archive(core: ComfyDeployCore, out: Output, run_id: str) -> Result[int, Error]:
    """Print the archived log and return the number of its lines."""
    read = run_logs(core, run_id)
    if not isinstance(read, Success):
        return read
    count = 0
    for line, moment in lines_of(read.unwrap(), run_id):
        _print(out, run_id, line, moment)
        count += 1
    if not count:
        out.note(f"Run {run_id} has no log yet: it is archived up to 30 s after the end. To follow it: -f")
    return Success(count)


def print_stream(core: ComfyDeployCore, out: Output, run_id: str) -> Result[int, Error | StreamError]:
    """Print the lines as they are written and return their number; where none are, print the archived log."""
    opened = run_logs_stream(core, run_id)
    if not isinstance(opened, Success):
        return opened
    count = 0
    with opened.unwrap() as stream:
        for item in stream:
            if isinstance(item, Success):
                line = item.unwrap()
                if line.level != _WEBHOOK:
                    _print(out, run_id, line.message, line.timestamp)
                    count += 1
                continue
            error = item.failure()
            if not isinstance(error, MalformedEvent):
                return Failure(error)
            out.event("problem", run_id, error=error)
            out.problem(error)
    return Success(count) if count else print_archive(core, out, run_id)


def lines_of(entries: Iterable[RunLog], run_id: str) -> Iterator[tuple[str, datetime | None]]:
    """Yield the lines that may belong to the run, with their times."""
    found = [*entries]
    left = len(archive_lines([entry.log for entry in found], run_id))  # the log ends where another run begins
    for entry in found:
        for line in archive_lines([entry.log], run_id)[:left]:
            left -= 1
            yield line, entry.timestamp


def _print(out: Output, run_id: str, line: str, moment: datetime | None) -> None:
    out.line(line)
    out.event("log", run_id, {"line": line, "timestamp": time_text(moment)})
