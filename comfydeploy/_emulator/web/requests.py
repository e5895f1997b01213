"""The parameters and the body of a request."""

from typing import Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request

from comfydeploy._emulator.runs.run import Run
from comfydeploy._emulator.runs.store import Store
from comfydeploy._emulator.validation import UnprocessableError, problem, validated, validated_body

V = TypeVar("V")

_RUN_ID: Final = TypeAdapter(UUID)


def base(request: Request) -> str:
    """Return the address of the server as the client wrote it, with a slash at its end."""
    return str(request.base_url)


def uuid_or_text(text: str) -> str:
    """Return a UUID in its usual spelling, and any other text as it is."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


async def body(request: Request, adapter: TypeAdapter[V]) -> V:
    """Read the body of a request."""
    return validated_body(adapter, await request.body(), request.headers.get("content-type", ""))


def query(request: Request, name: str, adapter: TypeAdapter[V], default: str) -> V:
    """Read one query parameter."""
    return validated(adapter, request.query_params.get(name, default), ("query", name))


def run(request: Request, store: Store) -> Run:
    """Find the run that the path or the query names."""
    where = "path" if "run_id" in request.path_params else "query"
    given = request.path_params.get("run_id", request.query_params.get("run_id"))
    if given is None:
        raise UnprocessableError([problem("missing", ("query", "run_id"), "Field required", None)])
    if found := store.run(str(validated(_RUN_ID, given, (where, "run_id")))):
        return found
    raise HTTPException(404, "Run not found")
