"""Removing secrets from values that may be printed."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from attrs import AttrsInstance, evolve, fields, has

from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy.models.secret import HIDDEN, Secret

T = TypeVar("T")

# Strings, which `re` compiles and caches when first needed: few processes print a request.
_SENSITIVE: Final = r"authorization|cookie|token|secret|password|api[-_]?key|signature|credential"
# A secret in JSON ("cd_token": "..."), also in JSON that is a string in JSON, closed or not; and one in the
# query of an address (?X-Amz-Signature=...). Then everything after ComfyUI's "current_inputs": prompts and
# addresses, nested, so that a pattern cannot find their end. Last, the token of an account in any other notation.
_SECRET_IN_TEXT: Final = (
    rf'((\\*)"[^"\\]*(?:{_SENSITIVE})[^"\\]*\2"\s*:\s*\2")(?:(?!\2")(?:\\.|.))*'
    rf'|([?&][^=&\s"]*(?:{_SENSITIVE}|\bsig\b)[^=&\s"]*=)[^&\s"]*'
    r'|((\\*)"current_inputs\5"\s*:\s*).*'
    r"""|(\bcd_token\b\W{0,8})[^\s"'&,;<>{}()]+"""
)
_LONGEST: Final = 2_000


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with their secrets hidden."""
    return {
        name: HIDDEN if re.search(_SENSITIVE, name, re.IGNORECASE) else redacted_text(value)
        for name, value in headers.items()
    }


def redacted_text(text: str) -> str:
    """Return the start of a text, at most 2,000 characters, without anything that looks like a secret."""
    # Cut first, so that a log line of a large body is cheap.
    shown = _hidden_in(text[:_LONGEST])
    return shown if len(text) <= _LONGEST else f"{shown}... ({len(text):,} characters)"


def without_secret(value: T, secret: Secret) -> T:
    """Return a value with this secret removed from every text in it; the same object where there is none.

    A value is JSON, bytes, an error, or a model of a part of one.
    """
    return _replaced(value, secret.removed_from)


def without_secrets(value: T) -> T:
    """Return a value with all that looks like a secret removed, as ``without_secret`` does with one."""
    return _replaced(value, _hidden_in, hides=_SENSITIVE)


def _hidden_in(text: str) -> str:
    return re.sub(
        _SECRET_IN_TEXT,
        lambda found: f"{found[1] or found[3] or found[4] or found[6]}{HIDDEN}",
        text,
        flags=re.IGNORECASE | re.DOTALL,
    )


def _replaced(value: T, replace: Callable[[str], str], hides: str | None = None) -> T:
    found: Any = HIDDEN  # where it is nested more deeply than it can be searched
    with suppress(RecursionError):
        found = _part(value, replace, hides)
    return cast("T", found)


def _part(value: Any, replace: Callable[[str], str], hides: str | None) -> Any:
    if isinstance(value, str):
        text = replace(value)
        return value if text == value else text
    if isinstance(value, bytes):
        content = replace(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return value if content == value else content
    if is_object(value):
        pairs = {
            _part(name, replace, hides): HIDDEN
            if hides and isinstance(item, str) and re.search(hides, name, re.IGNORECASE)
            else _part(item, replace, hides)
            for name, item in value.items()
        }
        return value if all(name in value and value[name] is item for name, item in pairs.items()) else pairs
    if is_array(value):
        items = [_part(item, replace, hides) for item in value]
        if all(one is other for one, other in zip(items, value, strict=True)):
            return value
        return tuple(items) if isinstance(value, tuple) else items
    kind: Any = value.__class__
    return _model(value, kind, replace, hides) if has(kind) else value


def _model(value: Any, kind: type[AttrsInstance], replace: Callable[[str], str], hides: str | None) -> Any:
    named = {one.name: getattr(value, one.name) for one in fields(kind) if one.init}
    parts = {name: _replaced(item, replace, hides) for name, item in named.items()}
    changes = {name: item for name, item in parts.items() if item is not named[name]}
    return evolve(value, **changes) if changes else value
