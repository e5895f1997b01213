"""Options and arguments that several commands have."""

import math
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Seconds(click.ParamType):
    """Seconds above 0."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"expected seconds above 0, got {value!r}", param, ctx)
        return seconds


class Since(click.ParamType):
    """A moment: an age, such as 90m, 2h or 3d, or a time in ISO 8601."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the moment; a time without a zone is one of this computer."""
        moment = value if isinstance(value, datetime) else since(str(value), datetime.now(UTC))
        if moment is None:
            self.fail(
                f"expected an age such as 90m, 2h or 3d, or a time such as 2026-01-31T08:00, got {value!r}", param, ctx
            )
        return moment


def since(text: str, now: datetime) -> datetime | None:
    """Return the moment that an age or a time stands for, or ``None`` where it is neither."""
    try:
        if text[-1:] in _UNITS and text[:-1].replace(".", "", 1).isdecimal():
            return now - timedelta(seconds=float(text[:-1]) * _UNITS[text[-1]])
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.astimezone()


def run_ids_argument(function: F) -> F:
    """Give a command the argument of one or more run ids."""
    return click.argument("run_ids", metavar="RUN_ID...", nargs=-1, required=True, callback=_read_ids)(function)


def deadline_option(function: F) -> F:
    """Give a command the option of a deadline."""
    return click.option("--deadline", type=Seconds(), metavar="S", help="Give up after so many seconds.")(function)


def ids_from(arguments: Iterable[str], stdin: Callable[[], Iterable[str]]) -> list[str]:
    """Return the ids, each once; ``-`` stands for the first word of each line of stdin."""
    found: list[str] = []
    for one in arguments:
        found += [words[0] for line in stdin() if (words := line.split())] if one == "-" else [one]
    return [*dict.fromkeys(found)]


def _read_ids(ctx: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if ctx.resilient_parsing:
        return value
    found = ids_from(value, lambda: sys.stdin or ())
    if not found:
        raise click.UsageError("stdin has no run id")
    return (*found,)
