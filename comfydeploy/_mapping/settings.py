"""The arguments of a map, each checked by name."""

from math import isfinite
from typing import Any, Final, get_args

from attrs import evolve, field, frozen

from comfydeploy._mapping.actions import Resend, Terms
from comfydeploy._mapping.addresses import FORM, is_address, is_database, shown_journal
from comfydeploy._mapping.patterns import Pattern, checked_pattern
from comfydeploy._wire.arguments import check_choice, invalid_argument, path_text
from comfydeploy._wire.settings import checked_options, deadline_of
from comfydeploy.options import RequestOptions

_LONGEST_NAME: Final = 50


@frozen(kw_only=True)
class Arguments:
    """The arguments of ``run_map`` or ``map_step`` as they were given."""

    options: Any = None
    name: Any = None
    journal: Any = field(default=None, repr=shown_journal)
    to: Any = None
    at_once: Any = 20
    attempts: Any = 1
    max_runs: Any = None
    check: Any = True
    resend: Any = "after_grace"
    post_limit: Any = 300.0
    grace: Any = 60.0
    executor: Any = None


@frozen(kw_only=True)
class MapSettings:
    """The checked arguments. ``deadline`` is in seconds from the claim of a job, and not in ``options``.

    ``is_step``: it is for one job, and ends where that is wrong or another owner has it.
    """

    options: RequestOptions
    deadline: float | None
    name: str | None
    journal: str | None = field(repr=shown_journal)
    pattern: Pattern | None
    at_once: int
    check: bool
    terms: Terms
    is_step: bool = False


def checked_settings(given: Arguments) -> MapSettings:
    """Return the settings of a map; raise ``SDKValidationError`` for a wrong argument."""
    options = checked_options(given.options)
    deadline_of(options, 0.0)
    check_choice("resend", given.resend, get_args(Resend))
    if type(given.check) is not bool:
        raise invalid_argument("check", f"expected True or False, got {type(given.check).__name__}")
    post_limit, grace = _seconds("post_limit", given.post_limit, 0.1), _seconds("grace", given.grace, 0.0)
    pattern = None if given.to is None else checked_pattern(given.to)
    terms = Terms(
        resend=given.resend,
        attempts=_count("attempts", given.attempts),
        post_limit=post_limit,
        longest_post=post_limit,
        grace=grace,
        saves=pattern is not None,
        max_runs=None if given.max_runs is None else _count("max_runs", given.max_runs),
    )
    return MapSettings(
        options=evolve(options, deadline=None),
        deadline=options.deadline,
        name=checked_name(given.name),
        journal=None if given.journal is None else known_journal(given.journal),
        pattern=pattern,
        at_once=_count("at_once", given.at_once),
        check=given.check,
        terms=terms,
    )


def _count(name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise invalid_argument(name, f"expected an integer not below 1, got {value!r}"[:200])
    return value


def _seconds(name: str, value: Any, least: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or value < least:
        raise invalid_argument(name, f"expected seconds not below {least:g}, got {value!r}"[:200])
    return float(value)


def checked_name(value: object) -> str | None:
    """Return the name of a map; raise ``SDKValidationError`` for a wrong one."""
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise invalid_argument("name", f"expected text of 1 to {_LONGEST_NAME} characters, got {value!r}"[:200])
    if "/" in value or not value.isprintable():
        raise invalid_argument("name", f"expected printable text without a slash, got {value!r}"[:200])
    return value


def known_journal(value: object) -> str:
    """Return the path or the address of a journal as text; raise ``SDKValidationError`` for a wrong one."""
    journal = path_text("journal", value, "the path of a file or the address of a database")
    if journal == ":memory:" or (is_address(journal) and not is_database(journal)):
        expected = f"expected the path of a file, or {FORM}"
        raise invalid_argument("journal", f"{expected}; got {shown_journal(journal)}"[:300])
    return journal
