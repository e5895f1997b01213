"""Graphs of other authors: a part that is not as expected is read as empty."""

from typing import Any

from comfydeploy._emulator.documents import json_object


def class_of(node: object) -> str:
    """Return the class of a node."""
    return str(json_object(node).get("class_type", ""))


def inputs_of(node: object) -> dict[str, Any]:
    """Return the inputs of a node: values, and lists that are links to other nodes."""
    return json_object(json_object(node).get("inputs"))
