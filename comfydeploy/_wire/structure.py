"""The rules for reading JSON values into models: no coercion, no loss, and every problem with its path."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, TypeAlias, get_args, get_origin

from attrs import fields, has
from cattrs import Converter, ForbiddenExtraKeysError, transform_error
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, override
from cattrs.gen import make_mapping_structure_fn as _make_mapping_structure_fn  # pyright: ignore[reportUnknownVariableType] - untyped there

from comfydeploy._wire.field_types import PLAIN, Misfit, is_moment, is_or_raw, plain_kinds, taken_kinds, union
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.timestamps import moment
from comfydeploy.errors import Problem
from comfydeploy.models.document import Document, NumberText
from comfydeploy.models.secret import Secret

_Hook: TypeAlias = Callable[[Any, Any], Any]

_LIST: Final[Any] = list
_DICT: Final[Any] = dict


@cache
def converter() -> Converter:
    """Return the one converter of the process."""
    rules = Converter()
    rules.register_structure_hook_func(is_moment, lambda value, _: moment(value))
    made = rules.register_structure_hook_factory
    made(lambda kind: bool(plain_kinds(kind)), _plain_hook)
    for kind in (str, int, float, bool):  # cattrs has hooks of its own for these, which coerce
        rules.register_structure_hook(kind, _plain_hook(kind, rules))
    rules.register_structure_hook_func(lambda kind: kind == NumberText, _number_text)
    rules.register_structure_hook(Secret, lambda value, _: Secret(rules.structure(value, str)))
    made(_is_made_from(list), _list_hook)
    made(_is_made_from(Sequence), _sequence_hook)
    made(_is_made_from(dict, Mapping), _object_hook)
    made(is_or_raw, _or_raw_hook)
    made(has, _class_hook)
    return rules


def problems(error: Exception) -> tuple[Problem, ...]:
    """Return the problems in an exception that structuring raised, each with its path."""
    # cattrs joins reason and path to one text; the mark separates them.
    lines = transform_error(error, format_exception=_marked_reason)
    parts = (line.partition("\0 @ ") for line in lines)
    return tuple(Problem(path, reason) for reason, _, path in parts)


def _marked_reason(error: BaseException, kind: type | None) -> str:
    return f"{_reason(error, kind)}\0"


def _reason(error: BaseException, kind: type | None) -> str:
    match error:
        case Misfit():
            return str(error)
        case KeyError():
            return "required, but missing"
        case ForbiddenExtraKeysError(extra_fields=names, cl=model):
            known = [attribute.name for attribute in fields(model)]
            meant = [close[0] for name in sorted(map(str, names)) if (close := get_close_matches(name, known))]
            question = f"did you mean {', '.join(map(repr, meant))}? " if meant else ""
            return f"unknown: {', '.join(sorted(map(repr, names)))} ({question}known: {', '.join(known)})"
        case _:
            return f"does not fit {kind}: {error}"


def _misfit(expected: str, value: object) -> Misfit:
    return Misfit(f"expected {expected}, got {'null' if value is None else type(value).__name__}")


def _plain_hook(kind: Any, _: Converter) -> _Hook:
    kinds, taken = plain_kinds(kind), taken_kinds(kind)
    expected = " or ".join(PLAIN[member] for member in PLAIN if member in kinds)

    def structure(value: Any, _: Any) -> Any:
        if type(value) in taken or (str in taken and isinstance(value, str)):
            return value
        raise _misfit(expected, value)

    return structure


def _number_text(value: Any, _: Any) -> float:
    try:
        # Accepts numbers too: the server may stop sending text.
        return float(value)
    except (TypeError, ValueError):
        raise _misfit("a number as text", value) from None


def _or_raw_hook(kind: Any, rules: Converter) -> _Hook:
    (model,) = (member for member in union(kind) if member is not Any)
    hook = rules.get_structure_hook(model)
    expected = get_origin(model) or dict

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, expected):  # most items are text, and an exception for each would be slow
            return value
        try:
            return hook(value, model)
        except Exception:  # noqa: BLE001 - a value that does not fit is kept
            return value

    return structure


def _is_made_from(*origins: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) in origins


def _list_hook(kind: Any, rules: Converter) -> _Hook:
    hook = list_structure_factory(kind, rules)

    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, list):
            return hook(value, kind)
        if value is None:  # the server sometimes sends null for an empty list
            return []
        raise _misfit("a list", value)

    return structure


def _tolerant_lists(kind: Any, rules: Converter) -> dict[str, Any]:
    """Return the hooks for lists of documents in a response: an item that does not fit is only in ``raw``."""
    items = {one.name: get_args(one.type)[0] for one in fields(kind) if get_origin(one.type) is list}
    models = {name: item for name, item in items.items() if isinstance(item, type) and issubclass(item, Document)}
    return {name: override(struct_hook=_fitting_items(model, rules)) for name, model in models.items()}


def _fitting_items(model: Any, rules: Converter) -> _Hook:
    whole, one = rules.get_structure_hook(_LIST[model]), rules.get_structure_hook(model)

    def structure(value: Any, _: Any) -> Any:
        if not is_array(value):
            return whole(value, _LIST[model])
        items: list[Any] = []
        for item in value:
            with suppress(Exception):
                items.append(one(item, model))
        return items

    return structure


def _sequence_hook(kind: Any, rules: Converter) -> _Hook:
    hook = list_structure_factory(_LIST[get_args(kind)], rules)

    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return hook(value, kind)
        raise _misfit("a list", value)

    return structure


def _object_hook(kind: Any, rules: Converter) -> _Hook:
    is_answer = get_origin(kind) is dict  # requests have a Mapping
    hook: _Hook = _make_mapping_structure_fn(_DICT[get_args(kind)], rules)

    def structure(value: Any, _: Any) -> Any:
        if is_object(value):
            return hook(value, kind)
        if is_answer:  # an output of a cancelled run may have none, and the rest is still read
            return {}
        raise _misfit("an object", value)

    return structure


def _class_hook(kind: Any, rules: Converter) -> _Hook:
    is_answer = issubclass(kind, Document)
    # An unknown field of the server is ignored, an unknown key of a caller is an error.
    hook = (
        make_dict_structure_fn(kind, rules, raw=override(omit=True), **_tolerant_lists(kind, rules))
        if is_answer
        else make_dict_structure_fn(kind, rules, _cattrs_forbid_extra_keys=True)
    )

    secrets = [attribute.name for attribute in fields(kind) if attribute.type is Secret]

    def structure(value: Any, _: Any) -> Any:
        if not is_object(value):
            raise _misfit("an object", value)
        model = hook(value, kind)
        if is_answer:
            raw = {**value, **{name: getattr(model, name) for name in secrets}} if secrets else value
            object.__setattr__(model, "raw", raw)  # frozen for users
        return model

    return structure
