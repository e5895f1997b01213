"""The tables of cards: inputs, outputs, saved files, and lists with a row for each value."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import has

from comfydeploy._display.card import Cell, Link, Status, Table, cell_text
from comfydeploy._display.privacy import is_secret
from comfydeploy._display.short import short_value, shown_fields
from comfydeploy._display.units import seconds_text, time_text
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.keys import KEY_INPUT
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.output_file import OutputFile, output_files
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_log import RunLog
from comfydeploy.models.run_output import MediaItem, WorkflowRunOutputModel
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.models.secret import HIDDEN

CELL: Final = 200
"""The most characters of a value in a table."""

_ROWS: Final = 50
_FILES: Final = 3  # the names of files in a cell
_ADDRESS: Final = re.compile(r"https?://\S+", re.IGNORECASE)


def cell(value: Any, name: str = "") -> Cell:
    """Return a value as a cell; ``name`` says whether it is a secret."""
    if isinstance(value, str) and is_secret(name, value):
        return HIDDEN
    text = short_value(value, CELL)
    return Link(text, value) if isinstance(value, str) and _ADDRESS.fullmatch(value) else text


def times(run: WorkflowRunModel | WorkflowRunRow) -> dict[str, Cell]:
    """Return when a run was created and how long it took."""
    seconds = run.duration if run.duration is not None else run.run_duration
    created: dict[str, Cell] = {"created": time_text(run.created_at)} if run.created_at else {}
    return {**created, "duration": seconds_text(seconds)} if seconds is not None else created


def field_cells(value: Any) -> dict[str, Cell]:
    """Return the set fields of a model of any kind."""
    return {name.replace("_", " "): cell(item, name) for name, item in shown_fields(value).items()}


def inputs_tables(inputs: object) -> Iterator[Table]:
    """Yield the table of the inputs of a run, if it has any, without its key."""
    if is_object(inputs):
        rows = [(short_value(name, CELL), cell(value, name)) for name, value in inputs.items() if name != KEY_INPUT]
        yield from _table("Inputs", ("input", "value"), rows)


def inputs_text(inputs: object) -> str:
    """Return the inputs of a run in one cell."""
    pairs = inputs.items() if is_object(inputs) else ()
    cells = (f"{name}: {cell_text(cell(value, name))}" for name, value in pairs if name != KEY_INPUT)
    return short_value(", ".join(cells), CELL)


def outputs_tables(outputs: Iterable[WorkflowRunOutputModel]) -> Iterator[Table]:
    """Yield the table of the files, and that of other outputs."""
    outputs = list(outputs)
    files = [
        (Link(short_value(one.filename, CELL), one.url), one.kind, one.output_id or one.node_id or "")
        for one in output_files(outputs)
    ]
    yield from _table("Files", ("file", "kind", "output"), files)
    others = [
        (short_value(kind, CELL), cell(item))
        for output in outputs
        for kind, items in output.data.items()
        for item in (items if is_array(items) else [items])
        if not isinstance(item, MediaItem)
    ]
    yield from _table("Other outputs", ("kind", "value"), others)


def saved_tables(paths: Sequence[Path]) -> Iterator[Table]:
    """Yield the table of saved files, if there are any."""
    yield from _table("Saved", ("path",), [(short_value(str(path), CELL),) for path in paths])


def list_tables(values: Sequence[Any]) -> Iterator[Table]:
    """Yield the table of a list, if it has any items: a row for each of the first ones."""
    rows = [_row(value) for value in values[:_ROWS]]
    heads = [*dict.fromkeys(name for row in rows for name in row)]
    if rows:
        cells = tuple(tuple(row.get(head, "") for head in heads) for row in rows)
        yield Table("", tuple(heads), cells, len(values) - len(rows))


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> Iterator[Table]:
    if rows:
        yield Table(title, heads, tuple(rows[:_ROWS]), max(len(rows) - _ROWS, 0))


def _row(value: Any) -> Mapping[str, Cell]:  # noqa: PLR0911 - one for each kind of value
    match value:
        case WorkflowRunRow() | WorkflowRunModel():
            named = inputs_text(value.workflow_inputs)
            row: dict[str, Cell] = {"run": value.id, "status": Status(str(value.status)), **times(value)}
            return {**row, "inputs": named} if named else row
        case DeploymentModel():
            texts = {"environment": value.environment, "description": value.description, "gpu": value.gpu}
            inputs = ", ".join(one.input_id for one in value.input_types)
            shown = {name: short_value(text, CELL) for name, text in texts.items() if text}
            return {"deployment": value.id, **shown, "inputs": short_value(inputs, CELL)}
        case WorkflowRunOutputModel():
            files = [file.filename for file in value.files[:_FILES]]
            more = [f"{len(value.files) - _FILES:,} more"] if len(value.files) > _FILES else []
            names = short_value(", ".join([*files, *more]), CELL)
            return {"output": value.output_id or value.id, "kinds": ", ".join(value.data), "files": names}
        case OutputFile():
            return {"file": Link(short_value(value.filename, CELL), value.url), "kind": value.kind}
        case RunLog():
            time: dict[str, Cell] = {"time": time_text(value.timestamp)} if value.timestamp else {}
            return {**time, "log": short_value(value.log, CELL)}
        case _ if has(value.__class__):
            return field_cells(value)
        case _:
            return {"value": cell(value)}
