"""What all answers of the server have in common."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from attrs import field, frozen

T = TypeVar("T")

NumberText: TypeAlias = Annotated[float, "a number that the server sends as text"]


@frozen(kw_only=True)
class Document:
    """An object as the server sent it, read into fields.

    ``raw`` is the whole object, with the fields that this version does not know and the text of times that it
    could not read. It takes no part in comparisons.
    """

    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)


class Documents(list[T]):
    """A list that is the whole answer. ``raw`` is the list as the server sent it, with the items that are left out."""

    __slots__ = ("raw",)

    def __init__(self, items: Iterable[T] = (), raw: Sequence[Any] = ()) -> None:
        super().__init__(items)
        self.raw: Sequence[Any] = raw

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self.raw)
