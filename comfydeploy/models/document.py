"""What all answers of the server have in common."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from attrs import field, frozen

NumberText: TypeAlias = Annotated[float, "a number that the server sends as text"]


@frozen(kw_only=True)
class Document:
    """An object as the server sent it, read into fields.

    ``raw`` is the whole object, with the fields that this version does not know and the text of times that it
    could not read. It takes no part in comparisons.
    """

    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)
