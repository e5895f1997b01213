"""The check of inputs against a deployment."""

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from comfydeploy._wire.file_values import is_file, is_file_list
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.keys import RESERVED
from comfydeploy.errors import Problem
from comfydeploy.models.deployment import DeploymentInput, DeploymentModel

_LONGEST: Final = 80
_MEDIA: Final = ("Image", "Video", "Audio", "EXR")
"""Words in the class of an input that takes the address of a file, although its type is ``string``."""


def input_problems(deployment: object, inputs: object) -> tuple[Problem, ...]:
    """Return all problems of inputs for a deployment."""
    if not isinstance(deployment, DeploymentModel):
        return (Problem("$", f"expected a DeploymentModel to check against, got {type(deployment).__name__}"),)
    if not is_object(inputs):
        return (Problem("$.inputs", f"expected a mapping, got {type(inputs).__name__}"),)
    known = {one.input_id: one for one in deployment.input_types}
    # A deployment that lists no inputs may have some: the server omits them from some responses.
    is_listed = bool(known) or is_array(deployment.raw.get("input_types"))
    found: list[Problem] = []
    for name, value in inputs.items():
        kind = known.get(name)
        if kind is not None:
            reason = _misfit(kind, value)
        elif is_listed and not str(name).startswith(RESERVED):
            reason = _unknown(name, known)
        else:
            reason = _unsendable(value)
        if reason:
            found.append(Problem(f"$.inputs.{name}", reason))
    return tuple(found)


def _unknown(name: Any, known: Mapping[str, Any]) -> str:
    close = get_close_matches(str(name), known)
    if close:
        return f"the deployment has no such input; did you mean {close[0]!r}?"
    return f"the deployment has no such input; it has {', '.join(known) or 'none'}"


def _misfit(kind: DeploymentInput, value: Any) -> str | None:
    if kind.enum_options:
        options = ", ".join(map(repr, kind.enum_options))
        return None if value in kind.enum_options else f"expected one of {options}, got {_shown(value)}"
    check = _check_of(kind)
    return check(kind, value)


def takes_several(kind: DeploymentInput) -> bool:
    """Check whether an input takes a list: of addresses as JSON text, or of files to upload."""
    return "ImageBatch" in (kind.class_type or "") or (kind.type or "").lower().startswith("array")


def takes_files(kind: DeploymentInput) -> bool:
    """Check whether an input takes the address of a file, and so a file to upload."""
    names_media = any(word in (kind.class_type or "") for word in _MEDIA)
    return names_media or "url" in (kind.type or "").lower() or _check_of(kind) is _any


def _check_of(kind: DeploymentInput) -> Callable[[DeploymentInput, Any], str | None]:
    words = (kind.type or "").lower()
    if takes_several(kind):
        return _batch
    return next((check for start, check in _CHECKS.items() if words.startswith(start)), _any)


def _batch(_: DeploymentInput, value: Any) -> str | None:
    if is_file_list(value):
        return None
    try:
        is_list = isinstance(value, str) and isinstance(json.loads(value), list)
    except (ValueError, RecursionError):
        is_list = False
    expected = "expected a JSON list as text, or a list of files for inputs_upload"
    return None if is_list else f"{expected}, got {_shown(value)}"


def _text(kind: DeploymentInput, value: Any) -> str | None:
    if isinstance(value, str) or (takes_files(kind) and is_file(value)):
        return None
    return f"expected a string, got {_shown(value)}"


def _boolean(_: DeploymentInput, value: Any) -> str | None:
    return None if isinstance(value, bool) else f"expected true or false, got {_shown(value)}"


def _integer(kind: DeploymentInput, value: Any) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return f"expected an integer, got {_shown(value)}"
    return _range(kind, value)


def _number(kind: DeploymentInput, value: Any) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return f"expected a number, got {_shown(value)}"
    return _range(kind, value)


def _range(kind: DeploymentInput, value: float) -> str | None:
    low, high = _limit(kind.min_value), _limit(kind.max_value)
    if (low is None or low <= value) and (high is None or value <= high):
        return None
    if low is not None and high is not None:
        return f"expected {low:g} to {high:g}, got {value}"
    return f"expected at least {low:g}, got {value}" if low is not None else f"expected at most {high:g}, got {value}"


def _limit(given: float | str | None) -> float | None:
    try:
        return None if given is None else float(given)
    except ValueError:
        return None


def _any(_: DeploymentInput, value: Any) -> str | None:
    return _unsendable(value)


def _unsendable(value: Any) -> str | None:
    is_taken = isinstance(value, str | int | float) or is_array(value) or is_file(value)
    return None if is_taken else f"expected a string, a number, true, false or a list, got {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        text = repr(value)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return "null" if value is None else type(value).__name__


# By how a type begins, as `int` and `integer`.
_CHECKS: Final = {
    "string": _text,
    "int": _integer,
    "float": _number,
    "number": _number,
    "boolean": _boolean,
}
