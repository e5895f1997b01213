"""The route of an operation: parameters in the path and the query, or a model or a file as the body."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import AttrsInstance, field, frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.codec import check, given, json_bytes
from comfydeploy._wire.request import Request, path_segment, query

_IN_PATH: Final = re.compile(r"{(\w+)}")


@frozen(eq=False, repr=False)  # constants
class Kind:
    """The values that a parameter of a query accepts, and how one is sent."""

    expected: str
    holds: Callable[[Any], bool]
    text: Callable[[Any], str] = str
    is_required: bool = field(default=False, kw_only=True)


TEXT: Final = Kind("a string", lambda value: isinstance(value, str))
REQUIRED: Final = Kind("a non-empty string", lambda value: isinstance(value, str) and value != "", is_required=True)
FLAG: Final = Kind("true or false", lambda value: isinstance(value, bool), lambda value: str(value).lower())
# By its attributes, so that the class need not be imported.
MOMENT: Final = Kind(
    "an aware datetime",
    lambda value: getattr(value, "tzinfo", None) is not None and hasattr(value, "timestamp"),
    lambda value: str(int(value.timestamp())),
)
"""It is sent as whole seconds since 1970."""
TIME: Final = Kind(MOMENT.expected, MOMENT.holds, lambda value: value.isoformat())
"""It is sent as ISO text."""
FOLDER: Final = Kind("a string", TEXT.holds, lambda value: value.strip("/") or "/", is_required=True)
"""The path of a folder, ``/`` for the root; any other is sent without a slash at its ends, as the server stores it."""


def at_least(least: int) -> Kind:
    """Return the kind of integers that are not below one."""
    return Kind(f"an integer not below {least}", lambda value: type(value) is int and value >= least, is_required=True)


def route(method: str, path: str, /, **kinds: Kind) -> Callable[[Mapping[str, Any]], Request]:
    """Return the ``encode`` of an operation from its parameters by name.

    A ``{name}`` in the path is filled in and required. The others go into the query, where they are not ``None``.
    """
    names = _IN_PATH.findall(path)

    def encode(parameters: Mapping[str, Any]) -> Request:
        filled = _filled(path, names, parameters)
        texts = {name: _text(name, kind, parameters[name]) for name, kind in kinds.items()}
        return Request(method, filled + query(texts), route=path if names else None)

    return encode


def posting(path: str, model: type[AttrsInstance]) -> Callable[[object], Request]:
    """Return the ``encode`` of an operation that posts a request model, or a mapping with its keys, untouched."""
    return lambda request: Request("POST", path, content=_model_bytes(request, model))


def patching(path: str, model: type[AttrsInstance]) -> Callable[[Mapping[str, Any]], Request]:
    """Return the ``encode`` of an operation that sends the parameter ``request`` as in ``posting``, with ``PATCH``.

    The other parameters are those of the path.
    """
    names = _IN_PATH.findall(path)

    def encode(parameters: Mapping[str, Any]) -> Request:
        filled = _filled(path, names, parameters)
        return Request("PATCH", filled, content=_model_bytes(parameters["request"], model), route=path)

    return encode


def posting_values(path: str, /, **kinds: Kind) -> Callable[[Mapping[str, Any]], Request]:
    """Return the ``encode`` of an operation that posts an object of parameters by name.

    A ``{name}`` in the path is filled in, as in ``route``.
    """
    names = _IN_PATH.findall(path)

    def encode(parameters: Mapping[str, Any]) -> Request:
        filled = _filled(path, names, parameters)
        for name, kind in kinds.items():
            _check(name, kind, parameters[name])
        body = json_bytes({name: parameters[name] for name in kinds}, "request")
        return Request("POST", filled, content=body, route=path if names else None)

    return encode


def uploading(path: str) -> Callable[[Mapping[str, Any]], Request]:
    """Return the ``encode`` of an operation that posts a ``file``, with its ``name`` and a ``progress`` callback."""

    def encode(parameters: Mapping[str, Any]) -> Request:
        from comfydeploy._wire.upload import checked_upload  # loads the table of media types

        return Request("POST", path, upload=checked_upload(**parameters))

    return encode


def _filled(path: str, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    return path.format_map({name: path_segment(parameters[name], name) for name in names})


def _model_bytes(request: object, model: type[AttrsInstance]) -> bytes:
    wire = given(request) if isinstance(request, model) else request
    check(wire, model, "request")
    return json_bytes(wire, "request")


def _text(name: str, kind: Kind, value: Any) -> str | None:
    _check(name, kind, value)
    return None if value is None else kind.text(value)


def _check(name: str, kind: Kind, value: Any) -> None:
    is_left_out = value is None and not kind.is_required
    if not is_left_out and not kind.holds(value):
        shown = f" {value}" if isinstance(value, int | float) else ""
        raise invalid_argument(name, f"expected {kind.expected}, got {type(value).__name__}{shown}", value)
