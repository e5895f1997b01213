"""Endpoints: routes, and the operations of the client that use them."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

T = TypeVar("T")
Handler: TypeAlias = Callable[[T, Request], Awaitable[Response]]


@dataclass(frozen=True)
class Endpoint(Generic[T]):
    """A route of the service; its handler takes the backend and the request.

    ``operations`` are the names of the client's functions that send such a request. ``operation_of`` chooses one of
    them by the decoded body where there are several.
    """

    method: str
    path: str
    handler: Handler[T]
    operations: tuple[str, ...] = ()
    operation_of: Callable[[Any], str | None] | None = None

    def route(self, backend: T) -> Route:
        """Create the route."""
        return Route(self.path, partial(self.handler, backend), methods=[self.method])

    def operation(self, body: object) -> str | None:
        """Return the name of the operation that sends a request with this body."""
        if self.operation_of:
            return self.operation_of(body)
        return self.operations[0] if self.operations else None


class Operations:
    """The endpoints by the requests that they answer."""

    def __init__(self, endpoints: Iterable[Endpoint[Any]]) -> None:
        # These routes only match requests: their handlers are never called, so that they need no backend.
        self._matchers: Final = [(one, one.route(None)) for one in endpoints]

    def endpoint(self, scope: Scope) -> Endpoint[Any] | None:
        """Return the endpoint of a request."""
        return next((one for one, route in self._matchers if route.matches(scope)[0] is Match.FULL), None)

    @property
    def names(self) -> Collection[str]:
        """The names of all operations."""
        return tuple(dict.fromkeys(name for one, _ in self._matchers for name in one.operations))
