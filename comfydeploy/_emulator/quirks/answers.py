"""Quirks of answers: which requests break, and how times are written."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from starlette.exceptions import HTTPException

from comfydeploy._emulator.bodies import ModelRunRequest, RunRequest
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.store import Store

ORIGINS: Final = frozenset({"manual", "api", "public-share", None})


def is_storable(form: RunRequest, quirks: Collection[Quirk]) -> bool:
    """Tell whether the server can store what is asked for."""
    if Quirk.BROKEN_STORING not in quirks:
        return True
    if isinstance(form, ModelRunRequest):
        return False
    inputs = form.model_dump_json(include={"inputs"}).replace("\\\\", "")
    return form.origin in ORIGINS and "\\u0000" not in inputs


def is_answerable(form: RunRequest, quirks: Collection[Quirk]) -> bool:
    """Tell whether the server can write down what it has started, where one run is expected."""
    return Quirk.BROKEN_ANSWERS not in quirks or not (form.is_batch or form.is_native_run)


def refuse_to_cancel(run_id: str, store: Store) -> None:
    """Raise the 500 of an id that names no function call; the real server looks for one instead of for a run."""
    try:
        run = store.run(str(UUID(run_id)))
    except ValueError:
        wrong = f"invalid input for query argument $1: {run_id!r} (invalid UUID)"
        raise HTTPException(500, f"Error cancel function {wrong} [SQL: SELECT workflow_runs.id ...]") from None
    if not run or not run.modal_function_call_id:
        raise HTTPException(500, "Error cancel function 404: Run not found or has no modal function call ID")


def quirky_times(document: dict[str, Any], quirks: Collection[Quirk]) -> dict[str, Any]:
    """Return a run or an output as it is shown, with its times and those of its outputs as these quirks have them."""
    shown: dict[str, Any] = {
        key: _time(value, quirks) if key.endswith("_at") and isinstance(value, str) else value
        for key, value in document.items()
    }
    if "outputs" in shown:
        shown["outputs"] = [quirky_times(output, quirks) for output in shown["outputs"]]
    return shown


def _time(text: str, quirks: Collection[Quirk]) -> str:
    if Quirk.TIMES_WITHOUT_SECONDS in quirks:
        text = text[: len("2026-01-02T03:04")] + "Z"
    if Quirk.DOUBLED_ZONES in quirks:
        text = text.removesuffix("Z") + "+00Z"
    return text
