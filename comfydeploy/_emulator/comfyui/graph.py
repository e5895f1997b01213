"""Reading graphs and other JSON that others wrote: what is not as it should be is read as empty."""

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


def class_of(node: object) -> str:
    """Return the class of a node."""
    return str(json_object(node).get("class_type", ""))


def inputs_of(node: object) -> dict[str, Any]:
    """Return the inputs of a node: values, and lists that are links to other nodes."""
    return json_object(json_object(node).get("inputs"))
