"""Where an operation goes, and with what: parameters in the path and the query, or a model as its body."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import AttrsInstance, frozen

from comfydeploy._wire.codec import given, json_bytes, read
from comfydeploy._wire.request import Request, query, segment
from comfydeploy.errors import Problem, SDKValidationError

_IN_PATH: Final = re.compile(r"{(\w+)}")


@frozen
class Kind:
    """What a parameter of a query may be."""

    expected: str
    holds: Callable[[Any], bool]


TEXT: Final = Kind("a string", lambda value: value is None or isinstance(value, str))
FLAG: Final = Kind("true or false", lambda value: value is None or isinstance(value, bool))


def at_least(least: int) -> Kind:
    """Give the kind of integers that are not below one."""
    return Kind(f"an integer not below {least}", lambda value: type(value) is int and value >= least)


def route(method: str, path: str, **kinds: Kind) -> Callable[[Mapping[str, Any]], Request]:
    """Give the ``encode`` of an operation from its parameters by name.

    A ``{name}`` in the path is filled in and required. The others go into the query, where they are not ``None``.
    """
    names = _IN_PATH.findall(path)

    def encode(parameters: Mapping[str, Any]) -> Request:
        filled = path.format_map({name: segment(parameters[name], name) for name in names})
        asked = {name: _checked(name, kind, parameters[name]) for name, kind in kinds.items()}
        return Request(method, filled + query(asked))

    return encode


def posting(path: str, model: type[AttrsInstance]) -> Callable[[object], Request]:
    """Give the ``encode`` of an operation that posts a request model, or a mapping with its keys, as it was given."""

    def encode(request: object) -> Request:
        wire = given(request) if isinstance(request, model) else request
        read(wire, model, "request")
        return Request("POST", path, content=json_bytes(wire, "request"))

    return encode


def _checked(name: str, kind: Kind, value: Any) -> Any:
    if kind.holds(value):
        return value
    shown = f" {value}" if isinstance(value, int | float) else ""
    problem = Problem(f"$.{name}", f"expected {kind.expected}, got {type(value).__name__}{shown}")
    raise SDKValidationError(f"{name}: {problem.reason}", (problem,), value)
