"""What the models have in common."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from attrs import field, frozen

T = TypeVar("T")

NumberText: TypeAlias = Annotated[float, "a number that the server sends as text"]


class Shown:
    """A value that prints shortly and shows itself in a notebook: no secret, no signed part of an address.

    What shows it is loaded when it is first shown.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        from comfydeploy._display.short import short_repr

        return short_repr(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from comfydeploy._display.bundle import mimebundle

        return mimebundle(self)


@frozen(kw_only=True, repr=False)
class Document(Shown):
    """An object as the server sent it, read into fields.

    ``raw`` is the whole object, with the fields that this version does not know and the text of times that it
    could not read. It takes no part in comparisons.
    """

    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)


class Documents(list[T], Shown):
    """A list that is the whole answer. ``raw`` is the list as the server sent it, with the items that are left out."""

    __slots__ = ("raw",)

    def __init__(self, items: Iterable[T] = (), raw: Sequence[Any] = ()) -> None:
        super().__init__(items)
        self.raw: Sequence[Any] = raw

    __repr__ = Shown.__repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self.raw)
