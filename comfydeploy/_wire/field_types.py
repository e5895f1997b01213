"""The types of the fields of models, and the JSON values that they accept."""

from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

PLAIN: Final[dict[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
}


class Misfit(ValueError):  # noqa: N818 - the name of what happened
    """A value is not of a kind that its field accepts."""


def union(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or nothing for another type."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else ()


@cache
def plain_kinds(kind: Any) -> frozenset[type]:
    """Return the plain kinds that a type consists of, or none where it has other parts.

    ``Literal[...] | str``, "one of these words, or another", is a text.
    """
    kinds = frozenset(str if get_origin(member) is Literal else member for member in union(kind) or (kind,))
    return kinds if kinds <= PLAIN.keys() else frozenset()


def taken_kinds(kind: Any) -> frozenset[type]:
    """Return the kinds of value that a type of plain kinds accepts: an integer is a number, but ``True`` is not."""
    kinds = plain_kinds(kind)
    return kinds | {int} if float in kinds else kinds


def is_moment(kind: Any) -> bool:
    """Check whether a type is a time, required or optional."""
    # By name, not by identity: while a test freezes time, ``datetime`` is another class.
    return any(isinstance(member, type) and issubclass(member, datetime) for member in union(kind) or (kind,))


def is_or_raw(kind: Any) -> bool:
    """Check whether a type is ``X | Any``: a value that does not fit ``X`` is kept as the server sent it."""
    return Any in union(kind)
