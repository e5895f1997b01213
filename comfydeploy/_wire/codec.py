"""Models from JSON values, and JSON from requests."""

from typing import Any, Final, TypeAlias, TypeVar

from attrs import AttrsInstance, fields

from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models.document import Documents

T = TypeVar("T")

_MOST_SHOWN: Final = 3


def read(value: object, model: type[T], what: str) -> T:
    """Read a JSON value into a model; ``SDKValidationError`` names every path that does not fit."""
    from comfydeploy._wire.field_readers import (
        reader,  # loads attrs' and our models, which a failed call does not need
    )

    kind: Any = model
    try:
        fitting: T = reader(kind)(value)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001, S110 - the rules below name every problem
        pass
    else:
        return fitting
    return _read_by_rules(value, model, what)


def read_list(value: object, item: type[T], what: str) -> Documents[T]:
    """Read a JSON list into models, without the items that do not fit; ``SDKValidationError`` where none does."""
    kind: Any = list[item]  # type: ignore[valid-type] # a type at run time
    try:
        return Documents(read(value, kind, what), raw=value if is_array(value) else ())
    except SDKValidationError:
        if not is_array(value):
            raise
        fitting = [one for one in (_fitting(part, item) for part in value) if one is not None]
        if not fitting:
            raise
        return Documents(fitting, raw=value)


def _fitting(value: object, model: type[T]) -> T | None:
    try:
        return read(value, model, "")
    except SDKValidationError:
        return None


def check(value: object, model: type[Any], what: str) -> None:
    """Raise ``SDKValidationError`` with every path where a JSON value does not fit a model."""
    read(value, model, what)


def _read_by_rules(value: object, model: type[T], what: str) -> T:
    from comfydeploy._wire.structure import converter, problems  # loads cattrs, which few calls need

    try:
        return converter().structure(value, model)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a value of any class may raise anything
        found = problems(error)
        summary = "; ".join(f"{problem.path}: {problem.reason}" for problem in found[:_MOST_SHOWN])
        more = f" (and {len(found) - _MOST_SHOWN} more)" if len(found) > _MOST_SHOWN else ""
        raise SDKValidationError(f"{what}: {summary}{more}", found, value) from None


def given(model: AttrsInstance) -> dict[str, Any]:
    """Return the fields of a request model that were given, every value untouched."""
    values = {attribute.name: getattr(model, attribute.name) for attribute in fields(type(model))}
    return {name: value for name, value in values.items() if value is not None}


def json_bytes(value: object, what: str) -> bytes:
    """Serialize a value as JSON; ``SDKValidationError`` names the first path that is not serializable."""
    import json  # httpx loads it for the first call anyway

    try:
        # ASCII only: a lone surrogate, which UTF-8 cannot encode, is still sent as it is.
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_mapping).encode()
    except (TypeError, ValueError, RecursionError):
        problem = _first_unserializable(value) or Problem("$", "nested too deeply")
        raise SDKValidationError(f"{what}: {problem.path}: {problem.reason}", (problem,), value) from None


def _mapping(value: object) -> dict[str, Any]:
    if is_object(value):
        return dict(value)
    raise TypeError


_Path: TypeAlias = tuple["_Path | None", str]
"""A path as a linked list of its parts: a text for every value would take quadratic time."""


def _first_unserializable(value: object) -> Problem | None:
    """Find the first value that is not serializable, without recursion: the depth itself may be the problem."""
    above: set[int] = set()
    steps: list[tuple[object, _Path, bool]] = [(value, (None, "$"), True)]
    while steps:
        item, path, is_entered = steps.pop()
        if not is_entered:
            above.discard(id(item))
            continue
        if id(item) in above:
            return Problem(_path_text(path), "contains itself")
        inside: list[tuple[object, _Path, bool]] = []
        if is_object(item):
            odd = [key for key in item if not _can_be_key(key)]
            if odd:
                return Problem(_path_text(path), f"a key must be a string, got {type(odd[0]).__name__}")
            inside = [(part, (path, f".{key}"), True) for key, part in item.items()]
        elif is_array(item):
            inside = [(part, (path, f"[{index}]"), True) for index, part in enumerate(item)]
        elif not _is_serializable(item):
            return Problem(_path_text(path), f"{_shown(item)} is not JSON serializable{_suggestion(item)}")
        above.add(id(item))
        steps.append((item, path, False))
        steps.extend(reversed(inside))
    return None


def _path_text(path: _Path) -> str:
    parts: list[str] = []
    link: _Path | None = path
    while link:
        link, part = link
        parts.append(part)
    return "".join(reversed(parts))


def _shown(value: object) -> str:
    if type(value) is float:
        return str(value)
    kind = type(value)
    # A type of a package by its full name: one of numpy's is also named bool.
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _suggestion(value: object) -> str:
    from comfydeploy._wire.file_values import is_file

    return ": upload files with inputs_upload" if isinstance(value, bytes) or is_file(value) else ""


def _can_be_key(key: object) -> bool:
    return isinstance(key, str | int | float | None) and _is_serializable(key)


def _is_serializable(value: object) -> bool:
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
