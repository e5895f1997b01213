"""Quirks of responses: which requests break, and how times are written."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from comfydeploy._emulator.deployments.forms import ModelRunRequest, RunRequest, WorkflowRunRequest
from comfydeploy._emulator.quirks.addresses import signed
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.runs.store import Store

ORIGINS: Final = frozenset({"manual", "api", "public-share", None})


def is_storable(form: RunRequest, quirks: Collection[Quirk]) -> bool:
    """Return whether the server can store the request."""
    if Quirk.BROKEN_STORING not in quirks:
        return True
    if isinstance(form, ModelRunRequest):
        return False
    if isinstance(form, WorkflowRunRequest) and isinstance(form.workflow_api_json.get("nodes"), list):
        return False
    inputs = form.model_dump_json(include={"inputs"}).replace("\\\\", "")
    return form.origin in ORIGINS and "\\u0000" not in inputs


def is_answerable(form: RunRequest, quirks: Collection[Quirk]) -> bool:
    """Return whether the server can serialize what it has started, where one run is expected."""
    return Quirk.BROKEN_ANSWERS not in quirks or not (form.is_batch or form.is_native_run)


def cancel_error(run_id: str, store: Store) -> str | None:
    """Return the error of an id without a function call; the real server looks for the call instead of the run."""
    try:
        run = store.run(str(UUID(run_id)))
    except ValueError:
        wrong = f"invalid input for query argument $1: {run_id!r} (invalid UUID)"
        return f"Error cancel function {wrong} [SQL: SELECT workflow_runs.id ...]"
    if not run or not run.modal_function_call_id:
        return "Error cancel function 404: Run not found or has no modal function call ID"
    return None


def quirky_json(document: dict[str, Any], quirks: Collection[Quirk], now: datetime) -> dict[str, Any]:
    """Return the JSON of a run or an output with its times and addresses changed by these quirks."""
    changed = _with_times(document, quirks)
    return signed(changed, now) if Quirk.EXPIRING_ADDRESSES in quirks else changed


def _with_times(document: dict[str, Any], quirks: Collection[Quirk]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        key: _time(value, quirks) if key.endswith("_at") and isinstance(value, str) else value
        for key, value in document.items()
    }
    if "outputs" in shown:
        shown["outputs"] = [_with_times(output, quirks) for output in shown["outputs"]]
    return shown


def _time(text: str, quirks: Collection[Quirk]) -> str:
    if Quirk.TIMES_WITHOUT_SECONDS in quirks:
        text = text[: len("2026-01-02T03:04")] + "Z"
    if Quirk.DOUBLED_ZONES in quirks:
        text = text.removesuffix("Z") + "+00Z"
    return text
