"""The time to read the response for a run, compared with pydantic and with ``json.loads`` alone."""

import json
from collections.abc import Iterator
from functools import partial
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

from attrs import NOTHING, fields, has

from benchmarks import samples
from benchmarks.parsers import OWN, SPEED, reading_by
from benchmarks.rounds import each, in_turns
from benchmarks.table import Section, Target
from comfydeploy._wire.reply import Reply
from comfydeploy.funcs.run_get import OPERATION
from comfydeploy.models.run import WorkflowRunModel

if TYPE_CHECKING:
    from pydantic import BaseModel

_OURS: Final = "decode of run_get"


def sections(*, quick: bool) -> Iterator[Section]:
    """Read a run of the usual size, and a big one."""
    validated = _equal(WorkflowRunModel).model_validate_json
    target = Target("decode of a run with 1,000 outputs / pydantic", _OURS, at_most=1)
    for outputs, times, targets in ((3, 300, []), (1000, 2, [target])):
        answer = samples.run(outputs)
        decode = each(partial(OPERATION.decode, Reply(200, content=answer)), times)
        contenders = {
            "pydantic: model_validate_json": each(partial(validated, answer), times),
            _OURS: reading_by(OWN, decode),
            f"{_OURS} with comfydeploy[speed]": reading_by(SPEED, decode),
            "json.loads": each(partial(json.loads, answer), times),
        }
        taken = in_turns(contenders, 10 if quick else 60)
        yield Section(f"Decode a run with {outputs:,} outputs", "us", taken, targets)


def _equal(model: type[Any]) -> "type[BaseModel]":
    """Return pydantic's model with the fields of one of ours, without ``raw``, which only ours has."""
    from pydantic import create_model

    named = {attribute.name: attribute for attribute in fields(model) if attribute.name != "raw"}
    definitions: dict[str, Any] = {
        name: (_translated(attribute.type), ... if attribute.default is NOTHING else None)
        for name, attribute in named.items()
    }
    return create_model(model.__name__, **definitions)


def _translated(kind: Any) -> Any:
    """Return a type with pydantic's models in place of ours."""
    if has(kind):
        return _equal(kind)
    origin, members = get_origin(kind), get_args(kind)
    if origin is None or origin is Literal:
        return kind
    inside = tuple(map(_translated, members))
    return Union[inside] if origin in (Union, UnionType) else origin[inside]  # noqa: UP007 - of a tuple
