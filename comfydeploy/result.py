"""Results: every operation returns ``Success(value)`` or ``Failure(error)`` and never raises.

*returns* is loaded when the first result is created or matched: its import is a sixth of the import of an operation.
"""

from typing import TYPE_CHECKING, TypeAlias, TypeVar

__all__ = ["Failure", "Result", "Success", "closed", "opened", "unwrap"]

V = TypeVar("V")
E = TypeVar("E")
X = TypeVar("X", bound=BaseException)

if TYPE_CHECKING:
    from returns.result import Failure, Success
    from returns.result import Result as OpenResult

    # The base class of *returns* can have other subclasses, so a match over it is not exhaustive for a type checker.
    # This union of its two containers is closed.
    Result: TypeAlias = Success[V] | Failure[E]
else:
    from types import GenericAlias

    class _Closed(type):
        def __instancecheck__(cls, value: object) -> bool:
            from returns.result import Result as OpenResult

            return isinstance(value, OpenResult)

    class Result(metaclass=_Closed):
        """A ``Success`` of a value or a ``Failure`` of an error; type checkers see the alias above."""

        __class_getitem__ = classmethod(GenericAlias)

    def __getattr__(name: str) -> object:
        if name not in ("Failure", "Success"):
            raise AttributeError(f"module 'comfydeploy.result' has no attribute {name!r}")
        from returns.result import Failure, Success

        globals().update(Failure=Failure, Success=Success)
        return globals()[name]


def unwrap(result: "Result[V, X]") -> V:
    """Return the value of a ``Success``; raise the error of a ``Failure`` as it is.

    ``result.unwrap()`` of *returns* raises an ``UnwrapFailedError`` without a message: the error is its ``__cause__``.
    """
    from returns.result import Success

    if isinstance(result, Success):
        return result.unwrap()
    raise result.failure()


def opened(result: "Result[V, E]") -> "OpenResult[V, E]":
    """Return the same object typed as the ``Result`` of *returns*, for ``.map``, ``.bind`` and ``flow`` pipelines."""
    return result


def closed(result: "OpenResult[V, E]") -> "Result[V, E]":
    """Return the same object typed as our ``Result`` again, for a ``match`` that is exhaustive; undoes ``opened``."""
    from returns.result import Failure, Success

    if isinstance(result, Success | Failure):
        return result
    raise TypeError(f"expected a Success or a Failure, got {type(result).__name__}")
