"""The line of a run in progress: status, place in the queue, node, bar and elapsed time."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import node_at_work

_BAR: Final = 20
_LEAST_NODE: Final = 8
_MOST: Final = 15
"""The number of runs that are shown at once."""


class Watched(NamedTuple):
    """A run as it was last read; ``name`` stands before the line where there are several."""

    name: str = ""
    run: WorkflowRunModel | None = None
    note: str = "waiting"


def progress_lines(watched: Sequence[Watched], elapsed: float, width: int, *, is_ascii: bool) -> list[str]:
    """Return a line for each run, at most fifteen of them."""
    lines = [progress_line(one, elapsed, width, is_ascii=is_ascii) for one in watched[:_MOST]]
    more = len(watched) - len(lines)
    return [*lines, shortened(f"and {more} more", width)] if more else lines


def progress_line(watched: Watched, elapsed: float, width: int, *, is_ascii: bool = False) -> str:
    """Return a line of at most ``width`` characters; parts that do not fit are left out, the bar first."""
    run = watched.run
    status = run.status if run else watched.note
    place = f"place {run.queue_position} in the queue" if run and run.queue_position is not None else ""
    node = (node_at_work(run) or run.live_status or "") if run else ""
    has_progress = run is not None and run.progress is not None and run.started_at is not None
    share = min(max(run.progress or 0.0, 0.0), 1.0) if run else 0.0
    percent = f"{share:.0%}".rjust(4) if has_progress else ""
    fixed = [part for part in (watched.name, status, place) if part]
    end = [part for part in (percent, clock(elapsed)) if part]
    bar = _bar(share, is_ascii=is_ascii) if has_progress else ""
    for parts in ([*fixed, node, bar, *end], [*fixed, node, *end]):
        line = "  ".join(filter(None, parts))
        if len(line) <= width:
            return line
    room = width - len("  ".join([*fixed, *end])) - 2
    if node and room >= _LEAST_NODE:
        return "  ".join([*fixed, shortened(node, room, is_ascii=is_ascii), *end])
    return shortened("  ".join([*fixed, *end]), width, is_ascii=is_ascii)


def shortened(text: str, width: int, *, is_ascii: bool = False) -> str:
    """Return a text of at most ``width`` characters."""
    dots = "..." if is_ascii else "…"
    return text if len(text) <= width else text[: max(width - len(dots), 0)] + dots[: max(width, 0)]


def clock(seconds: float) -> str:
    """Return a duration as ``0:07`` or ``1:02:03``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _bar(share: float, *, is_ascii: bool) -> str:
    full, empty = ("#", "-") if is_ascii else ("━", "╌")
    done = round(share * _BAR)
    return full * done + empty * (_BAR - done)
