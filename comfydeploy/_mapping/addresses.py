"""The addresses of databases, which may contain a password and are shown without it."""

import re
from typing import Final

from comfydeploy.models.secret import HIDDEN

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST: Final = r"(?:\[[^\]\s]*\]|[^\s:,@/?#\[\]]*)(?::\d+)?"
_ADDRESS: Final = re.compile(
    rf"(?P<scheme>postgres(?:ql)?://)(?:(?P<user>[^\s:@/?#]*)(?P<password>:[^\s@/?#]*)?@)?"
    rf"(?P<place>{_HOST}(?:,{_HOST})*(?:/[^\s@?#]*)?)(?:\?[^\s#]*)?"
)
FORM: Final = "postgresql://user:password@host:port/database, with other characters percent-encoded"
"""The form of an address."""


def is_address(journal: str) -> bool:
    """Check whether a journal is an address, and not the path of a file."""
    return _SCHEME.match(journal) is not None


def is_database(journal: str) -> bool:
    """Check whether a journal is a valid address of a PostgreSQL database."""
    return _ADDRESS.fullmatch(journal) is not None


def shown_journal(journal: object) -> str:
    """Return a journal as it may be shown: an address without its password and its parameters."""
    text = str(journal)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return text
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return f"{scheme[0]}{HIDDEN}"
    user = "" if found["user"] is None else f"{found['user']}{':' + HIDDEN if found['password'] else ''}@"
    return f"{found['scheme']}{user}{found['place']}"
