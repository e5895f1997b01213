"""Results: every operation returns ``Success(value)`` or ``Failure(error)`` and never raises."""

from typing import TypeAlias, TypeVar

from returns.result import Failure, Success
from returns.result import Result as OpenResult

__all__ = ["Failure", "Result", "Success", "opened", "unwrap"]

V = TypeVar("V")
E = TypeVar("E")
X = TypeVar("X", bound=BaseException)

# The base class of *returns* is open to further kinds, so a match over it is never exhaustive for a type checker.
# This union of the same two containers is closed.
Result: TypeAlias = Success[V] | Failure[E]


def unwrap(result: Result[V, X]) -> V:
    """Give the value of a ``Success``; raise the error of a ``Failure`` as it is."""
    if isinstance(result, Success):
        return result.unwrap()
    raise result.failure()


def opened(result: Result[V, E]) -> OpenResult[V, E]:
    """Give the same object typed as the ``Result`` of *returns*, for ``.map``, ``.bind`` and ``flow`` pipelines."""
    return result
