"""Functions that read values that fit exactly, compiled for each model when it is first read.

They take a third of the time of the rules in ``structure``. Anything that is not exactly as expected raises ``Misfit``
without a message: then the rules read the same value, accept what they can and name what does not fit. So most
processes never load cattrs, whose import and hooks are a tenth of the time to a first response.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Any, TypeAlias, get_args, get_origin

from attrs import NOTHING, Attribute, fields, has

from comfydeploy._wire.field_types import is_moment, is_or_raw, plain_kinds, taken_kinds, union
from comfydeploy._wire.generated_code import Names, compiled
from comfydeploy.models.document import Document

Read: TypeAlias = Callable[[Any], Any]


@cache
def reader(kind: Any) -> Read:
    """Return the function that reads a kind of value."""
    if has(kind):
        return compiled("value", *_model(kind))
    names: Names = {}
    return compiled("value", [f"return {_expression(kind, 'value', names)}"], names)


def _model(model: type[Any]) -> tuple[list[str], Names]:
    names: Names = {"model": model}
    is_answer = issubclass(model, Document)
    named = [attribute for attribute in fields(model) if not (is_answer and attribute.name == "raw")]
    lines = ["if type(value) is not dict: misfit()"]
    if not is_answer:  # an unknown field is ignored in a response, and an error in a request
        names["known"] = frozenset(attribute.name for attribute in named)
        lines.append("if not known.issuperset(value): misfit()")
    lines += ["get = value.get", "made = new(model)"]
    # Sets the slots directly: the `__init__` of a frozen class takes three times as long.
    for place, attribute in enumerate(named):
        names[f"set{place}"] = getattr(model, attribute.name).__set__
        lines += _field(attribute, place, names)
    if is_answer:
        names["set_raw"] = vars(Document)["raw"].__set__
        lines.append("set_raw(made, value)")
    return [*lines, "return made"], names


def _field(attribute: "Attribute[Any]", place: int, names: Names) -> list[str]:
    name, default = attribute.name, attribute.default
    taken = _expression(attribute.type, "item", names)
    if default is NOTHING:
        return [f"item = value[{name!r}]", f"set{place}(made, {taken})"]
    factory = getattr(default, "factory", None)
    if factory is not None:
        # A default that is computed from the other fields raises here, which leaves it to the rules.
        names[f"default{place}"] = factory
        absent = f"else: set{place}(made, default{place}())"
        return [f"if {name!r} in value: item = value[{name!r}]; set{place}(made, {taken})", absent]
    names[f"default{place}"] = default
    return [f"item = get({name!r}, default{place})", f"set{place}(made, {taken})"]


def _expression(kind: Any, value: str, names: Names) -> str:  # noqa: PLR0911 - one for each kind
    """Return the expression that reads a kind from a variable of this name."""
    members, inside = union(kind), f"{value}_"
    if kind is Any:
        return value
    if plain_kinds(kind):
        return f"{value} if {_is_taken(kind, value)} else misfit()"
    if is_moment(kind):
        return f"None if {value} is None else moment({value})"
    if is_or_raw(kind):
        (member_type,) = (member for member in members if member is not Any)
        expected: type = get_origin(member_type) or dict
        return f"({_expression(member_type, value, names)}) if isinstance({value}, {expected.__name__}) else {value}"
    if len(members) == 2 and NoneType in members:  # noqa: PLR2004 - one of two members is None
        (member_type,) = (member for member in members if member is not NoneType)
        return f"None if {value} is None else ({_expression(member_type, value, names)})"
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
