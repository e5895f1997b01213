"""Values for notebooks: HTML, and text where HTML is not shown."""

from collections.abc import Sequence
from pathlib import Path

from comfydeploy._display.card import Card, Cell
from comfydeploy._display.cards import card_of, job_card, run_card, stream_card
from comfydeploy._display.page import card_html
from comfydeploy._display.plain import card_text
from comfydeploy._display.tables import times
from comfydeploy.errors import ComfyDeployError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import RunFailed, WaitError
from comfydeploy.result import Failure, Result


def mimebundle(value: object) -> dict[str, str]:
    """Return a value by media types, as ``_repr_mimebundle_`` does."""
    return card_bundle(card_of(value))


def stream_bundle(kind: str, run_id: str | None, state: str, failure: RunFailed | None) -> dict[str, str]:
    """Return a stream by media types: its run and whether it is open."""
    return card_bundle(stream_card(kind, run_id, state, str(failure) if failure else None))


def watch_bundle(
    kind: str, run_id: str, run: WorkflowRunModel | None, result: Result[WorkflowRunModel, WaitError] | None
) -> dict[str, str]:
    """Return a watch by media types: the last state of its run, and why it has ended."""
    note = str(result.failure()) if isinstance(result, Failure) else None
    return card_bundle(run_card(run, note) if run else stream_card(kind, run_id, "ended" if result else "open", note))


def job_bundle(  # noqa: PLR0913, PLR0917 - the fields of an item of a map
    key: str,
    run_id: str | None,
    attempt: int,
    inputs: object,
    saved: Sequence[Path],
    result: Result[WorkflowRunModel, ComfyDeployError],
) -> dict[str, str]:
    """Return an item of a map by media types: the result of the job, with the saved pictures."""
    error = result.failure() if isinstance(result, Failure) else None
    run: WorkflowRunModel | None = getattr(error, "run", None) if error else result.unwrap()
    status = str(run.status) if run else "error"
    facts: dict[str, Cell] = {"run": run_id} if run_id else {}
    facts |= {"attempt": f"{attempt}"} if attempt > 1 else {}
    facts |= times(run) if run else {}
    note = str(error) if error else None
    return card_bundle(job_card(key, status=status, facts=facts, inputs=inputs, saved=saved, note=note))


def card_bundle(card: Card, *, addresses: bool = False) -> dict[str, str]:
    """Return a card by media types."""
    page = card_html(card, addresses=addresses)
    # A notebook sends it as UTF-8, which cannot encode half of a pair of surrogates.
    return {"text/plain": card_text(card), "text/html": page.encode(errors="replace").decode()}
