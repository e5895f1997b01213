"""What JSON calls an object and an array, among Python's values."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Check whether a value is what JSON calls an object."""
    return type(value) is dict or isinstance(value, Mapping)  # the first is all that JSON gives, and faster


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    """Check whether a value is what JSON calls an array."""
    return isinstance(value, list | tuple)
