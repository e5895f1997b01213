"""JSON objects and arrays among Python's values."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Check whether a value is a JSON object."""
    return type(value) is dict or isinstance(value, Mapping)  # the first is JSON's only type, and faster


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    """Check whether a value is a JSON array."""
    return isinstance(value, list | tuple)
