"""Models from JSON values, and JSON from what callers give: the one place that knows how either is done."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard, TypeVar

from attrs import AttrsInstance, fields

from comfydeploy.errors import Problem, SDKValidationError

T = TypeVar("T")

_SHOWN: Final = 3
_DEPTH: Final = 200


def read(value: object, model: type[T], what: str) -> T:
    """Read a JSON value into a model; ``SDKValidationError`` names every path that does not fit."""
    from comfydeploy._wire.structure import converter, problems  # loads cattrs, which a failed call can do without

    try:
        return converter().structure(value, model)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a strange value may do
        found = problems(error)
        summary = "; ".join(f"{problem.path}: {problem.reason}" for problem in found[:_SHOWN])
        more = f" (and {len(found) - _SHOWN} more)" if len(found) > _SHOWN else ""
        raise SDKValidationError(f"{what}: {summary}{more}", found, value) from None


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a value is what JSON calls an object."""
    return isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a value is what JSON calls an array."""
    return isinstance(value, list | tuple)


def given(model: AttrsInstance) -> dict[str, Any]:
    """Give what a request model says, every value as the caller gave it, without what was not given."""
    values = {attribute.name: getattr(model, attribute.name) for attribute in fields(type(model))}
    return {name: value for name, value in values.items() if value is not None}


def json_bytes(value: object, what: str) -> bytes:
    """Give a value as JSON; ``SDKValidationError`` names the first path that JSON cannot say."""
    try:
        # ASCII only: a lone surrogate, which UTF-8 cannot say, still reaches the wire as it is.
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_mapping).encode()
    except (TypeError, ValueError, RecursionError):
        problem = _unspeakable(value, "$", ()) or Problem("$", "nested too deeply")
        raise SDKValidationError(f"{what}: {problem.path}: {problem.reason}", (problem,), value) from None


def _mapping(value: object) -> dict[str, Any]:
    if is_object(value):
        return dict(value)
    raise TypeError


def _unspeakable(value: object, path: str, above: tuple[int, ...]) -> Problem | None:
    """Find the first value that JSON cannot say; ``above`` are the ids of what it is in."""
    if id(value) in above:
        return Problem(path, "contains itself")
    inside: dict[str, Any] = {}
    if is_object(value):
        keys: list[Any] = list(value)
        odd = [key for key in keys if not isinstance(key, str | int | float | None)]
        if odd:
            return Problem(path, f"a key must be a string, got {type(odd[0]).__name__}")
        inside = {f"{path}.{key}": item for key, item in value.items()}
    elif is_array(value):
        inside = {f"{path}[{index}]": item for index, item in enumerate(value)}
    elif not _speakable(value):
        return Problem(path, f"JSON cannot say {value if isinstance(value, float) else type(value).__name__}")
    if len(above) > _DEPTH:
        return None
    found = (_unspeakable(item, where, (*above, id(value))) for where, item in inside.items())
    return next((problem for problem in found if problem), None)


def _speakable(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
