"""The common options and arguments of commands."""

import math
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def since(text: str, now: datetime) -> datetime | None:
    """Return the time for an age or a time, or ``None`` for anything else."""
    try:
        if text[-1:] in _UNITS and text[:-1].replace(".", "", 1).isdecimal():
            return now - timedelta(seconds=float(text[:-1]) * _UNITS[text[-1]])
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.astimezone()


def run_ids_argument(function: F) -> F:
    """Add the argument of one or more run ids to a command."""
    return click.argument("run_ids", metavar="RUN_ID...", nargs=-1, required=True, callback=_read_ids)(function)


def deadline_option(function: F) -> F:
    """Add the option of a deadline to a command."""
    text = "End the wait after this many seconds."
    return click.option("--deadline", type=float, metavar="S", callback=_check_seconds, help=text)(function)


def since_option(function: F) -> F:
    """Add ``--since`` to a command."""
    text = "Only runs since an age, such as 90m, 2h or 3d, or since a time, such as 2026-01-31T08:00."
    return click.option("--since", metavar="TIME", callback=_read_moment, help=text)(function)


def ids_from(arguments: Iterable[str], stdin: Callable[[], Iterable[str]]) -> list[str]:
    """Return the ids, each once; ``-`` stands for the first word of each line of stdin."""
    found: list[str] = []
    for one in arguments:
        found += [words[0] for line in stdin() if (words := line.split())] if one == "-" else [one]
    return [*dict.fromkeys(found)]


def _check_seconds(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"expected seconds above 0, got {value:g}")
    return value


def _read_moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    moment = None if value is None else since(value, datetime.now(UTC))
    if value is not None and moment is None:
        raise click.BadParameter(f"expected an age such as 2h, or a time such as 2026-01-31T08:00, got {value!r}")
    return moment


def _read_ids(ctx: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if ctx.resilient_parsing:
        return value
    stdin: Any = sys.stdin or ()
    if hasattr(stdin, "reconfigure"):
        stdin.reconfigure(errors="replace")
    found = ids_from(value, lambda: stdin)
    if not found:
        raise click.UsageError("stdin has no run id")
    return (*found,)
