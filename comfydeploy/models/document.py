"""The common part of all responses of the server."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from attrs import field, frozen

T = TypeVar("T")

NumberText: TypeAlias = Annotated[float, "a number that the server sends as text"]


@frozen(kw_only=True)
class Document:
    """An object of the server, read into fields.

    ``raw`` is the whole object as it was sent, with the fields that this version does not know and the times that it
    cannot read. It is not compared.
    """

    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)


class Documents(list[T]):
    """A list that is the whole response. ``raw`` is the list as it was sent, with the items that cannot be read."""

    __slots__ = ("raw",)

    def __init__(self, items: Iterable[T] = (), raw: Sequence[Any] = ()) -> None:
        super().__init__(items)
        self.raw: Sequence[Any] = raw

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self.raw)
