"""Validation of requests, with the error details of the real server."""

from typing import Any, Final, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

V = TypeVar("V")
Location: TypeAlias = tuple[str | int, ...]


class UnprocessableError(Exception):
    """An invalid request; ``problems`` is the detail of the 422."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(problems)
        self.problems: Final = problems

    def __str__(self) -> str:
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'request'}: {one['msg']}" for one in self.problems)


def problem(kind: str, location: Location, message: str, value: object, **context: str) -> dict[str, Any]:
    """Return one item of the detail of a 422."""
    described = {"type": kind, "loc": location, "msg": message, "input": value}
    return {**described, "ctx": context} if context else described


def validated(adapter: TypeAdapter[V], value: object, location: Location) -> V:
    """Return the value as the adapter's type; raise ``UnprocessableError`` if it is invalid."""
    try:
        # FastAPI reads attributes too, which changes its message for a body that is no object.
        return adapter.validate_python(value, from_attributes=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise UnprocessableError([{**one, "loc": (*location, *one["loc"])} for one in found]) from None


def validated_body(adapter: TypeAdapter[V], raw: bytes, content_type: str) -> V:
    """Decode a JSON body as the adapter's type; raise ``UnprocessableError`` if it is invalid."""
    body = _decoded(raw) if _is_json(content_type) else raw.decode(errors="replace")
    if body is None or not raw:
        raise UnprocessableError([problem("missing", ("body",), "Field required", None)])
    return validated(adapter, body, ("body",))


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("", "application/json") or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _decoded(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        reason, _, where = str(error).rpartition(" at line ")
        column = int(where.rpartition(" ")[2])
        raise UnprocessableError(
            [problem("json_invalid", ("body", column), "JSON decode error", {}, error=reason)]
        ) from None
