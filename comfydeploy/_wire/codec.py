"""Models from JSON values, and JSON from what callers give: the one place that knows how either is done."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard, TypeVar

from attrs import AttrsInstance, fields

from comfydeploy.errors import Problem, SDKValidationError

T = TypeVar("T")

_SHOWN: Final = 3


def read(value: object, model: type[T], what: str) -> T:
    """Read a JSON value into a model; ``SDKValidationError`` names every path that does not fit."""
    from comfydeploy._wire.compiled import reader  # loads attrs' and our models, which a failed call can do without

    kind: Any = model
    try:
        fitting: T = reader(kind)(value)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001, S110 - whatever is wrong with it: the rules judge
        pass
    else:
        return fitting
    return _judged(value, model, what)


def _judged(value: object, model: type[T], what: str) -> T:
    from comfydeploy._wire.structure import converter, problems  # loads cattrs, which few calls need

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
    return type(value) is dict or isinstance(value, Mapping)  # the first is all that JSON gives, and faster


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a value is what JSON calls an array."""
    return isinstance(value, list | tuple)


def given(model: AttrsInstance) -> dict[str, Any]:
    """Give what a request model says, every value as the caller gave it, without what was not given."""
    values = {attribute.name: getattr(model, attribute.name) for attribute in fields(type(model))}
    return {name: value for name, value in values.items() if value is not None}


def json_bytes(value: object, what: str) -> bytes:
    """Give a value as JSON; ``SDKValidationError`` names the first path that JSON cannot say."""
    import json  # httpx loads it for the first call anyway

    try:
        # ASCII only: a lone surrogate, which UTF-8 cannot say, still reaches the wire as it is.
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_mapping).encode()
    except (TypeError, ValueError, RecursionError):
        problem = _unspeakable(value) or Problem("$", "nested too deeply")
        raise SDKValidationError(f"{what}: {problem.path}: {problem.reason}", (problem,), value) from None


def _mapping(value: object) -> dict[str, Any]:
    if is_object(value):
        return dict(value)
    raise TypeError


_Place = tuple["_Place | None", str]
"""A part of a path, behind those before it: a path as text, made for every value, would grow with the square."""


def _unspeakable(value: object) -> Problem | None:
    """Find the first value that JSON cannot say. No recursion: what is looked for may be the depth itself."""
    above: set[int] = set()
    steps: list[tuple[object, _Place, bool]] = [(value, (None, "$"), True)]
    while steps:
        item, place, is_entered = steps.pop()
        if not is_entered:
            above.discard(id(item))
            continue
        if id(item) in above:
            return Problem(_path(place), "contains itself")
        inside: list[tuple[object, _Place, bool]] = []
        if is_object(item):
            odd = [key for key in item if not _can_be_key(key)]
            if odd:
                return Problem(_path(place), f"a key must be a string, got {type(odd[0]).__name__}")
            inside = [(part, (place, f".{key}"), True) for key, part in item.items()]
        elif is_array(item):
            inside = [(part, (place, f"[{index}]"), True) for index, part in enumerate(item)]
        elif not _speakable(item):
            return Problem(_path(place), f"JSON cannot say {item if isinstance(item, float) else type(item).__name__}")
        if inside:
            above.add(id(item))
            steps.append((item, place, False))
            steps.extend(reversed(inside))
    return None


def _path(place: _Place) -> str:
    parts: list[str] = []
    link: _Place | None = place
    while link:
        link, part = link
        parts.append(part)
    return "".join(reversed(parts))


def _can_be_key(key: object) -> bool:
    return isinstance(key, str | int | float | None) and _speakable(key)


def _speakable(value: object) -> bool:
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
