"""The common part of the models."""

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
    """An object of the server, read into fields.

    ``raw`` is the whole object as it was sent, with the fields that this version does not know and the times that it
    cannot read. It is not compared.
    """

    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)


class Documents(list[T], Shown):
    """A list that is the whole response. ``raw`` is the list as it was sent, with the items that cannot be read."""

    __slots__ = ("raw",)

    def __init__(self, items: Iterable[T] = (), raw: Sequence[Any] = ()) -> None:
        super().__init__(items)
        self.raw: Sequence[Any] = raw

    def __repr__(self) -> str:
        return Shown.__repr__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self.raw)
