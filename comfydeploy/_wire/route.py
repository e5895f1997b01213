"""Where an operation goes, and with what: parameters in the path and the query, or a model or a file as its body."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import AttrsInstance, frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.codec import check, given, json_bytes
from comfydeploy._wire.request import Request, path_segment, query

_IN_PATH: Final = re.compile(r"{(\w+)}")


@frozen
class Kind:
    """The values that a parameter of a query takes."""

    expected: str
    holds: Callable[[Any], bool]


TEXT: Final = Kind("a string", lambda value: value is None or isinstance(value, str))
FLAG: Final = Kind("true or false", lambda value: value is None or isinstance(value, bool))


def at_least(least: int) -> Kind:
    """Return the kind of integers that are not below one."""
    return Kind(f"an integer not below {least}", lambda value: type(value) is int and value >= least)


def route(method: str, path: str, **kinds: Kind) -> Callable[[Mapping[str, Any]], Request]:
    """Return the ``encode`` of an operation from its parameters by name.

    A ``{name}`` in the path is filled in and required. The others go into the query, where they are not ``None``.
    """
    names = _IN_PATH.findall(path)

    def encode(parameters: Mapping[str, Any]) -> Request:
        filled = path.format_map({name: path_segment(parameters[name], name) for name in names})
        for name, kind in kinds.items():
            _check_kind(name, kind, parameters[name])
        return Request(method, filled + query({name: parameters[name] for name in kinds}))

    return encode


def posting(path: str, model: type[AttrsInstance]) -> Callable[[object], Request]:
    """Return the ``encode`` of an operation that posts a request model, or a mapping with its keys, untouched."""

    def encode(request: object) -> Request:
        wire = given(request) if isinstance(request, model) else request
        check(wire, model, "request")
        return Request("POST", path, content=json_bytes(wire, "request"))

    return encode


def uploading(path: str) -> Callable[[Mapping[str, Any]], Request]:
    """Return the ``encode`` of an operation that posts a ``file``, with its ``name`` and a ``progress`` callback."""

    def encode(parameters: Mapping[str, Any]) -> Request:
        from comfydeploy._wire.upload import checked_upload  # loads the table of media types

        return Request("POST", path, upload=checked_upload(**parameters))

    return encode


def _check_kind(name: str, kind: Kind, value: Any) -> None:
    if not kind.holds(value):
        shown = f" {value}" if isinstance(value, int | float) else ""
        raise invalid_argument(name, f"expected {kind.expected}, got {type(value).__name__}{shown}", value)
