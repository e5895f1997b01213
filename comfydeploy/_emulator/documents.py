"""JSON documents of unknown shape: a part that is not as expected is read as empty."""

from typing import Any, TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether this is a JSON list."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether this is a JSON object."""
    return isinstance(value, dict)


def json_list(value: object) -> list[Any]:
    """Return a JSON list as it is, and anything else as an empty one."""
    return value if is_list(value) else []


def json_object(value: object) -> dict[str, Any]:
    """Return a JSON object as it is, and anything else as an empty one."""
    return value if is_object(value) else {}
