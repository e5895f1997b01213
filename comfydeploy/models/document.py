"""What all answers of the server have in common."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class Document:
    """An object as the server sent it, read into fields.

    ``raw`` is the whole object, with the fields that this version does not know and the text of times that it
    could not read. It takes no part in comparisons.
    """

    raw: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, eq=False)
