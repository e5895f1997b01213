"""The jobs of a file, as requests: rows of CSV and lines of JSON."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from comfydeploy._cli.input_values import input_values, json_value
from comfydeploy._wire.json_types import is_object
from comfydeploy.errors import SDKValidationError
from comfydeploy.mapping import Job
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.result import Success

_KEY = "key"
_PLACES = ("deployment_id", "workflow_id", "workflow_version_id")

Request = Mapping[str, Any]


def read_jobs(path: str, deployment: DeploymentModel | None) -> list[Request | Job]:
    """Return the jobs of a file; raise ``click.UsageError`` with the line of one that cannot be read."""
    is_csv = path.lower().endswith(".csv")
    read, make = (_csv_rows, _cells_request) if is_csv else (_json_lines, _request)
    found: list[Request | Job] = []
    try:
        for number, fields in read(Path(path)):
            try:
                key = fields.pop(_KEY, None) or None
                request = make(fields, deployment)
                found.append(request if key is None else Job(str(key), request))
            except SDKValidationError as error:
                raise click.UsageError(f"{path}, line {number}: {error.message}") from None
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise click.UsageError(f"{path}: {error}") from None
    if not found:
        raise click.UsageError(f"{path}: there are no jobs")
    return found


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="", strict=True)
        for row in reader:
            yield reader.line_num, row


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                given: Any = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is not JSON: {error}") from None
            if not is_object(given):
                raise ValueError(f"line {number} is not a JSON object")
            yield number, dict(given)


def _cells_request(cells: dict[str, Any], deployment: DeploymentModel | None) -> Request:
    """Return the request of a row; an empty cell is no input."""
    if cells.pop("", None):
        raise SDKValidationError("the row has more cells than there are columns")
    known = _required(deployment)
    values = input_values(known.input_types, [f"{name}={cell}" for name, cell in cells.items() if cell])
    if not isinstance(values, Success):
        raise values.failure()
    return {"deployment_id": known.id, "inputs": values.unwrap()}


def _request(fields: dict[str, Any], deployment: DeploymentModel | None) -> Request:
    """Return the request of a line: it is one, has the inputs of one, or is the inputs."""
    if any(name in fields for name in _PLACES):
        return {**fields, "inputs": _inputs(fields.get("inputs") or {}, None)}
    known = _required(deployment)
    given: Any = fields.get("inputs")
    return {"deployment_id": known.id, "inputs": _inputs(given if is_object(given) else fields, known)}


def _inputs(given: Any, deployment: DeploymentModel | None) -> Any:
    if not is_object(given):
        return given
    kinds = {one.input_id: one for one in deployment.input_types} if deployment else {}
    try:
        return {name: json_value(kinds.get(name), value) for name, value in given.items()}
    except (ValueError, OSError) as error:
        raise SDKValidationError(str(error)) from None


def _required(deployment: DeploymentModel | None) -> DeploymentModel:
    if deployment is None:
        raise SDKValidationError("the job names no deployment_id: give --deployment")
    return deployment
