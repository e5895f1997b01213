"""The fields of the form that adds a fault, made from its options."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

from pydantic import TypeAdapter

from comfydeploy._emulator.faults.faults import Fault, FaultOptions
from comfydeploy._emulator.page.fields import Field, Kind
from comfydeploy._emulator.page.writing import as_value

# What most faults need; the others are one click away.
_USUAL: Final = ("times", "status", "delay", "hang", "reset")
_KINDS: Final[dict[str, Kind]] = {"integer": "integer", "number": "number", "boolean": "boolean", "object": "json"}


def _fields() -> Iterator[Field]:
    for name, schema in TypeAdapter(FaultOptions).json_schema()["properties"].items():
        # An option that may be None has its type first.
        first: dict[str, Any] = next(iter(schema.get("anyOf", [schema])))
        # One that takes several types is text, of which the server makes what it is.
        kind = "line" if "anyOf" in first else _KINDS.get(first.get("type", ""), "line")
        options = tuple(first.get("enum", ()))
        yield Field(
            name,
            "choice" if options else "text" if name in {"body", "garbage"} else kind,
            label=name,
            description=schema.get("description") or first.get("description", ""),
            low=first.get("minimum"),
            high=first.get("maximum"),
            options=options,
        )


FAULT_FIELDS: Final = tuple(_fields())
USUAL_FAULT_FIELDS: Final = tuple(one for name in _USUAL for one in FAULT_FIELDS if one.name == name)


def fault_options(fault: Fault) -> list[tuple[str, str]]:
    """Return the options of a fault that were set, as text."""
    usual = Fault()
    options = {one.name: getattr(fault, one.name) for one in fields(fault) if one.name != "operation"}
    return [(name, _text(value)) for name, value in options.items() if value != getattr(usual, name)]


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else as_value(value)
