"""The cards of values, and of lists of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comfydeploy._display.card import Bar, Card, Cell, Table
from comfydeploy._display.pictures import picture, saved_pictures
from comfydeploy._display.short import short_value
from comfydeploy._display.tables import (
    CELL,
    cell,
    field_cells,
    inputs_tables,
    list_tables,
    outputs_tables,
    saved_tables,
    times,
)
from comfydeploy._display.units import counted, size_text
from comfydeploy._wire.json_types import is_array
from comfydeploy.models.deployment import DeploymentInput, DeploymentModel
from comfydeploy.models.found_runs import FoundRuns
from comfydeploy.models.media_file import MediaFile
from comfydeploy.models.output_file import OutputFile
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_output import MediaItem, WorkflowRunOutputModel
from comfydeploy.models.saved_files import SavedFiles

_NOTHING_LISTED = "The list has no run at all: the workflow is unknown, not yours, or has no runs"


def card_of(value: Any) -> Card:  # noqa: PLR0911 - one for each kind of value
    """Return the card of a value."""
    match value:
        case WorkflowRunModel():
            return run_card(value)
        case WorkflowRunOutputModel():
            return Card("Output", value.output_id or value.id, tables=tuple(outputs_tables([value])))
        case OutputFile() | MediaItem():
            return _file(value)
        case MediaFile():
            shown = picture("", value.content, value.content_type)
            name = f"{short_value(value.content_type, CELL)}, {size_text(value.size)}"
            return Card("File", name, pictures=(shown,) if shown else ())
        case DeploymentModel():
            return _deployment(value)
        case FoundRuns():
            return _list("Found runs", value.runs, None if value.listed else _NOTHING_LISTED)
        case SavedFiles():
            tables = tuple(saved_tables(value))
            return Card("Files", counted(len(value), "file"), tables=tables, pictures=saved_pictures(value))
        case _ if is_array(value):
            return _list("List", value)
        case _:
            return Card(value.__class__.__name__, facts=tuple(field_cells(value).items()))


def run_card(run: WorkflowRunModel, note: str | None = None) -> Card:
    """Return the card of a run; ``note`` is the reason of its end."""
    facts: dict[str, Cell] = {}
    if run.live_status and not run.is_success:
        facts["live status"] = short_value(run.live_status, CELL)
    if run.progress is not None and not run.is_ended:
        facts["progress"] = Bar(min(max(run.progress, 0.0), 1.0))
    if run.queue_position is not None and not run.is_ended:
        facts["queue position"] = f"{run.queue_position:,}"
    facts |= times(run)
    if run.gpu:
        facts["gpu"] = short_value(run.gpu, CELL)
    tables = (*inputs_tables(run.workflow_inputs), *outputs_tables(run.outputs))
    return Card("Run", run.id, str(run.status), tuple(facts.items()), tables, note=note or run.warning)


def stream_card(kind: str, run_id: str | None, state: str, note: str | None = None) -> Card:
    """Return the card of a stream, or of a watch that has not read its run yet."""
    return Card(kind, f"of run {run_id}" if run_id else "of a run that is not named yet", state, note=note)


def job_card(  # noqa: PLR0913 - the fields of a job, by name
    key: str,
    *,
    status: str,
    facts: Mapping[str, Cell],
    inputs: object,
    saved: Sequence[Path],
    note: str | None,
) -> Card:
    """Return the card of a job of a map, with the pictures that were saved."""
    tables: tuple[Table, ...] = (*inputs_tables(inputs), *saved_tables(saved))
    return Card("Job", key, status, tuple(facts.items()), tables, saved_pictures(saved), note)


def _list(kind: str, values: Sequence[Any], note: str | None = None) -> Card:
    return Card(kind, counted(len(values), "item"), tables=tuple(list_tables(values)), note=note)


def _file(file: OutputFile | MediaItem) -> Card:
    facts: dict[str, Cell] = {"address": cell(file.url)}
    if isinstance(file, OutputFile):
        facts |= {name: text for name, text in (("kind", file.kind), ("output", file.output_id)) if text}
    return Card("File", short_value(file.filename, CELL), facts=tuple(facts.items()))


def _deployment(deployment: DeploymentModel) -> Card:
    texts = {
        "environment": deployment.environment,
        "description": deployment.description,
        "workflow": deployment.workflow_id,
        "gpu": deployment.gpu,
        "outputs": ", ".join(one.output_id for one in deployment.output_types),
    }
    facts = tuple((name, short_value(text, CELL)) for name, text in texts.items() if text)
    rows = tuple(map(_input_row, deployment.input_types))
    heads = ("input", "type", "default", "allowed", "description")
    return Card("Deployment", deployment.id, facts=facts, tables=(Table("Inputs", heads, rows),) if rows else ())


def _input_row(one: DeploymentInput) -> tuple[Cell, ...]:
    limits = [limit for limit in (one.min_value, one.max_value) if limit is not None]
    allowed = ", ".join(map(str, one.enum_options)) or " to ".join(map(str, limits))
    texts = (one.input_id, one.type, one.default_value, allowed, one.description or one.display_name)
    return tuple("" if text is None else short_value(text, CELL) for text in texts)
