"""What a request asks for."""

from typing import Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request

from comfydeploy._emulator.bodies import UnprocessableError, checked, problem, read
from comfydeploy._emulator.runs import Run
from comfydeploy._emulator.store import Store

V = TypeVar("V")

_RUN_ID: Final = TypeAdapter(UUID)


def base(request: Request) -> str:
    """Return the address under which the client knows the server, with a slash at its end."""
    return str(request.base_url)


def uuid_or_text(text: str) -> str:
    """Return the usual spelling of an id that has several, and any other text as it is."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


async def body(request: Request, adapter: TypeAdapter[V]) -> V:
    """Read the body of a request."""
    return read(adapter, await request.body(), request.headers.get("content-type", ""))


def query(request: Request, name: str, adapter: TypeAdapter[V], default: str) -> V:
    """Read one parameter of the address."""
    return checked(adapter, request.query_params.get(name, default), ("query", name))


def run(request: Request, store: Store) -> Run:
    """Find the run that the path or the query names."""
    where = "path" if "run_id" in request.path_params else "query"
    given = request.path_params.get("run_id", request.query_params.get("run_id"))
    if given is None:
        raise UnprocessableError([problem("missing", ("query", "run_id"), "Field required", None)])
    if found := store.run(str(checked(_RUN_ID, given, (where, "run_id")))):
        return found
    raise HTTPException(404, "Run not found")
