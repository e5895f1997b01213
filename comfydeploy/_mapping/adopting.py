"""Writing a lost journal again from the runs of its map, as steps."""

from collections.abc import Mapping
from functools import partial
from math import inf
from typing import Any, Final

from comfydeploy._mapping.markers import Marker, Prefix
from comfydeploy._mapping.opening import check_new, write_journal
from comfydeploy._mapping.rows import Row
from comfydeploy._mapping.settings import checked_name, known_journal
from comfydeploy._mapping.stored import adopted_text
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.keys import KEY_INPUT, key_of
from comfydeploy._wire.route import MOMENT
from comfydeploy._wire.run_search import PATIENCE, Lists, RunSearch, SearchScope, check_place
from comfydeploy._wire.timeline import Actions, Timeline
from comfydeploy.errors import Error
from comfydeploy.models.adopted_runs import AdoptedRuns
from comfydeploy.models.run_row import WorkflowRunRow
from comfydeploy.result import Result, Success

SETTLE: Final = 360.0
"""Longest POST + grace, unless a map has others."""

_Found = dict[str, dict[Marker, list[WorkflowRunRow]]]


def adopting(  # noqa: PLR0913 - the options of the call, by name
    timeline: Timeline, lists: Lists, *, journal: Any, name: Any, place: SearchScope, since: Any, settle: Any
) -> Actions[Result[AdoptedRuns, Error]]:
    """Find the runs of a map by their markers, and write a journal that knows them."""
    path, known_as = known_journal(journal), checked_name(name)
    if known_as is None:
        raise invalid_argument("name", "expected the name of the map")
    check_place(place)
    if not MOMENT.holds(since):
        raise invalid_argument("since", f"expected {MOMENT.expected}, got {type(since).__name__}")
    if not isinstance(settle, int | float) or isinstance(settle, bool) or not 0 <= settle < inf:
        raise invalid_argument("settle", f"expected seconds not below 0, got {settle!r}"[:200])
    yield from timeline.compute(partial(check_new, path, known_as))
    search = RunSearch(timeline, lists, Prefix(f"{known_as}/"), {})
    workflow = yield from search.workflow(place, PATIENCE)
    if not isinstance(workflow, Success):
        return workflow
    if settle:
        # If the list cannot be read, the error is returned now, and not after minutes.
        page = {"workflow_id": workflow.unwrap(), "limit": 1, "offset": 0, "with_outputs": False, "with_inputs": False}
        first = yield from timeline.read(lists.rows, page, PATIENCE)
        if not isinstance(first, Success):
            return first
        yield from timeline.sleep(settle)
    found = yield from search.runs(workflow.unwrap(), since, PATIENCE)
    if not isinstance(found, Success):
        return found
    journals = _by_journal(found.unwrap().runs)
    chosen = next(reversed(journals), "")
    of_chosen = journals.get(chosen, {})
    latest = _latest(of_chosen)
    if latest:
        rows = [_row(number, *one) for number, one in enumerate(latest.items(), 1)]
        yield from timeline.compute(partial(write_journal, path, known_as, chosen, rows))
    twins = [(marker.key, tuple(run.id for run in runs)) for marker, runs in of_chosen.items()]
    return Success(
        AdoptedRuns(
            runs={marker.key: run.id for marker, run in latest.items()},
            listed=found.unwrap().listed,
            twins=[(key, ids) for key, ids in twins if len(ids) > 1],
            others=len(journals) - bool(journals),
        )
    )


def _by_journal(runs: list[WorkflowRunRow]) -> _Found:
    """Return the runs of each journal by their markers, oldest first; the journal of the newest run is the last."""
    found: _Found = {}
    for run in runs:
        marker = Marker.parsed(key_of(run.workflow_inputs) or "")
        if marker is not None:
            of_journal = found.pop(marker.journal, {})
            of_journal.setdefault(marker, []).append(run)
            found[marker.journal] = of_journal
    return found


def _latest(found: Mapping[Marker, list[WorkflowRunRow]]) -> dict[Marker, WorkflowRunRow]:
    """Return the oldest run of the last attempt of each key."""
    last: dict[str, Marker] = {}
    for marker in found:
        if marker.key not in last or last[marker.key].attempt < marker.attempt:
            last[marker.key] = marker
    return {marker: found[marker][0] for marker in last.values()}


def _row(number: int, marker: Marker, run: WorkflowRunRow) -> tuple[Row, str]:
    """Return the row of a found run, and the known part of its request."""
    since = run.created_at.isoformat() if run.created_at else None
    inputs: Any = run.workflow_inputs
    given = {name: value for name, value in inputs.items() if name != KEY_INPUT}
    row = Row(number, marker.key, "created", marker.attempt, tried_at=0.0, since=since, run_id=run.id)
    return row, adopted_text(given)
