"""Functions that read what fits as it is, written for each model when it is first read: a third of the rules' time.

They accept and never judge: whatever is not exactly as expected is a ``Misfit`` without a word. Then the rules of
``structure`` read the same value, mend what may be mended and name what does not fit. So most processes never load
cattrs, whose import and hooks are a tenth of the time to a first answer.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Any, Never, TypeAlias, get_args, get_origin

from attrs import NOTHING, Attribute, fields, has

from comfydeploy._wire.kinds import Misfit, is_moment, is_or_raw, plain_kinds, taken_kinds, union
from comfydeploy._wire.times import moment
from comfydeploy.models.document import Document

Read: TypeAlias = Callable[[Any], Any]
Within: TypeAlias = tuple[type[Any], str, Mapping[str, object]]
_Names: TypeAlias = dict[str, Any]


@cache
def reader(kind: Any) -> Read:
    """Give the function that reads a kind of value."""
    if has(kind):
        return _function("value", *_model(kind))
    names: _Names = {}
    return _function("value", [f"return {_expression(kind, 'value', names)}"], names)


def maker(model: type[Any], *names: str, within: Sequence[Within] = ()) -> Callable[..., Any]:
    """Give a function that makes a model from the values of all its fields, in this order.

    ``within`` are classes to put it into, from the inside out: each with the field for it and the values of the others.
    It sets the slots themselves, where the ``__init__`` of a frozen class takes twice as long.
    """
    known: _Names = {"model": model, **{f"set_{name}": getattr(model, name).__set__ for name in names}}
    lines = ["made = new(model)", *(f"set_{name}(made, {name})" for name in names)]
    for place, (outer, name, others) in enumerate(within):
        known |= {f"outer{place}": outer, f"set{place}": getattr(outer, name).__set__}
        lines += [f"inner, made = made, new(outer{place})", f"set{place}(made, inner)"]
        for other, value in others.items():
            known |= {f"set{place}_{other}": getattr(outer, other).__set__, f"{other}{place}": value}
            lines.append(f"set{place}_{other}(made, {other}{place})")
    return _function(", ".join(names), [*lines, "return made"], known)


def _misfit(*_: object) -> Never:
    raise Misfit


def _function(parameters: str, lines: list[str], names: _Names) -> Callable[..., Any]:
    space: _Names = {"new": object.__new__, "misfit": _misfit, "moment": moment, **names}
    exec("\n ".join([f"def made({parameters}):", *lines]), space)  # noqa: S102 - as attrs does, and all names are ours
    made: Callable[..., Any] = space["made"]
    return made


def _model(model: type[Any]) -> tuple[list[str], _Names]:
    names: _Names = {"model": model}
    is_answer = issubclass(model, Document)
    named = [attribute for attribute in fields(model) if not (is_answer and attribute.name == "raw")]
    lines = ["if type(value) is not dict: misfit()"]
    if not is_answer:  # what the server adds is none of our business, what a caller adds is a mistake
        names["known"] = frozenset(attribute.name for attribute in named)
        lines.append("if not known.issuperset(value): misfit()")
    lines += ["get = value.get", "made = new(model)"]
    # Into the slots themselves: the `__init__` of a frozen class takes three times as long.
    for place, attribute in enumerate(named):
        names[f"set{place}"] = getattr(model, attribute.name).__set__
        lines += _field(attribute, place, names)
    if is_answer:
        names["set_raw"] = vars(Document)["raw"].__set__
        lines.append("set_raw(made, value)")
    return [*lines, "return made"], names


def _field(attribute: "Attribute[Any]", place: int, names: _Names) -> list[str]:
    name, default = attribute.name, attribute.default
    taken = _expression(attribute.type, "item", names)
    if default is NOTHING:
        return [f"item = value[{name!r}]", f"set{place}(made, {taken})"]
    factory = getattr(default, "factory", None)
    if factory is not None:
        names[f"default{place}"] = factory
        return [
            f"if {name!r} in value: item = value[{name!r}]; set{place}(made, {taken})",
            f"else: set{place}(made, default{place}())",
        ]
    names[f"default{place}"] = default
    return [f"item = get({name!r}, default{place})", f"set{place}(made, {taken})"]


def _expression(kind: Any, value: str, names: _Names) -> str:  # noqa: PLR0911 - one for each kind
    """Give the expression for what a kind makes of a value, which is in a variable of this name."""
    members, inside = union(kind), f"{value}_"
    if kind is Any:
        return value
    if plain_kinds(kind):
        return f"{value} if {_is_taken(kind, value)} else misfit()"
    if is_moment(kind):
        return f"None if {value} is None else moment({value})"
    if is_or_raw(kind):
        (wanted,) = (member for member in members if member is not Any)
        expected: type = get_origin(wanted) or dict
        return f"({_expression(wanted, value, names)}) if isinstance({value}, {expected.__name__}) else {value}"
    if len(members) == 2 and NoneType in members:  # noqa: PLR2004 - this or nothing
        (wanted,) = (member for member in members if member is not NoneType)
        return f"None if {value} is None else ({_expression(wanted, value, names)})"
    match get_origin(kind), get_args(kind):
        case (origin, (item,)) if origin in (list, Sequence):
            made = f"[{_expression(item, inside, names)} for {inside} in {value}]"
            return f"{made} if type({value}) is list else misfit()"
        case (origin, (key, item)) if origin in (dict, Mapping) and key is str:
            made = f"key if type(key) is str else misfit(): {_expression(item, inside, names)}"
            return f"{{{made} for key, {inside} in {value}.items()}} if type({value}) is dict else misfit()"
        case _:
            if not has(kind):
                return "misfit()"
            names[kind.__name__] = reader(kind)
            return f"{kind.__name__}({value})"


def _is_taken(kind: Any, value: str) -> str:
    taken = taken_kinds(kind)
    checks = [f"type({value}) is {one.__name__}" for one in taken if one is not NoneType]
    return " or ".join([f"{value} is None"] * (NoneType in taken) + checks)
