"""Checks of arguments, and the error of one that does not fit."""

import os
from collections.abc import Sequence
from typing import Any, TypeGuard

from comfydeploy.errors import Problem, SDKValidationError


def invalid_argument(name: str, reason: str, value: object = None) -> SDKValidationError:
    """Return the error of one argument: its name and what was expected, with the value unless that is large."""
    return SDKValidationError(f"{name}: {reason}", (Problem(f"$.{name}", reason),), value)


def check_callback(name: str, value: object) -> None:
    """Raise ``SDKValidationError`` for a callback that cannot be called."""
    if value is not None and not callable(value):
        raise invalid_argument(name, f"expected a function, got {type(value).__name__}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise ``SDKValidationError`` for a value that is not one of the choices."""
    if not isinstance(value, str) or value not in choices:
        expected = " or ".join(map(repr, choices))
        shown = repr(value) if isinstance(value, str) else type(value).__name__
        raise invalid_argument(name, f"expected {expected}, got {shown}", value)


def path_text(name: str, value: object, expected: str) -> str:
    """Return a path as text; raise ``SDKValidationError`` for what is none."""
    text = os.fspath(value) if _is_path(value) else None
    if not isinstance(text, str):
        raise invalid_argument(name, f"expected {expected}, got {type(value).__name__}")
    if not text or "\0" in text:
        raise invalid_argument(name, f"expected {expected}, got {text!r}"[:200])
    return text


def _is_path(value: object) -> TypeGuard[str | os.PathLike[Any]]:
    return isinstance(value, str | os.PathLike)


def invalid_request(reason: str, value: object = None) -> SDKValidationError:
    """Return the error of a ``request`` that is wrong as a whole."""
    return SDKValidationError(f"request: {reason}", (Problem("$", reason),), value)
