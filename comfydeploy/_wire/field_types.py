"""What the types of a model's fields mean, for whoever reads values into them."""

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
    """A value is not of the kind that its field takes."""


def union(kind: Any) -> tuple[Any, ...]:
    """Give the members of a union, or nothing for what is none."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else ()


@cache
def plain_kinds(kind: Any) -> frozenset[type]:
    """Give the plain kinds that a type is made of, or none where it is made of more.

    ``Literal[...] | str``, "one of these words, or another", is a text.
    """
    kinds = frozenset(str if get_origin(member) is Literal else member for member in union(kind) or (kind,))
    return kinds if kinds <= PLAIN.keys() else frozenset()


def taken_kinds(kind: Any) -> frozenset[type]:
    """Give the kinds of value that a type made of plain kinds takes: an integer is a number, but ``True`` is none."""
    kinds = plain_kinds(kind)
    return kinds | {int} if float in kinds else kinds


def is_moment(kind: Any) -> bool:
    """Check whether a type is a time, given or not."""
    # Not by identity: while time is frozen in a test, the name stands for another class.
    return any(isinstance(member, type) and issubclass(member, datetime) for member in union(kind) or (kind,))


def is_or_raw(kind: Any) -> bool:
    """Tell whether a type is "this where it fits, otherwise as the server sent it": ``X | Any``."""
    return Any in union(kind)
