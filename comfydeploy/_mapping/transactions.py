"""The transactions of a journal in a database, as generators of statements: what a step does is decided by its row.

Each yields the statements that are carried out next and receives their results. A row is read, changed by ``answered``
and written again. So the database stores what the protocol decides, and decides nothing itself.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from comfydeploy._mapping import statements
from comfydeploy._mapping.journal import ADOPTED, OTHER_REQUEST, SAME_FILES, Conflict, Entry, Known
from comfydeploy._mapping.rows import Claim, End, Finish, Release, Row, Step, Try, Unsend, answered
from comfydeploy._mapping.stored import check_columns, error_text, files_of, is_adopted, run_text

R = TypeVar("R")

Results: TypeAlias = list[list[tuple[Any, ...]]]


class Call(NamedTuple):
    """A statement with its values."""

    text: str
    values: Mapping[str, Any] = {}


Transaction: TypeAlias = Generator[Sequence[Call], Results, R]


class Carried(NamedTuple):
    """The answers to steps, and the longest POST of all processes that have used the journal by then."""

    answers: list[Any]
    longest_post: float


class _Found(NamedTuple):
    """A job that the journal has. ``request`` is its request where only the inputs of a run are known."""

    digest: str
    place: str | None
    request: str | None
    row: Row


def carried_out(transaction: Transaction[R], execute: Callable[[Sequence[Call]], Results]) -> R:
    """Carry out the statements of a transaction and return what it comes to."""
    results: Any = None
    while True:
        try:
            calls = transaction.send(results)
        except StopIteration as end:
            result: R = end.value
            return result
        results = execute(calls)


def creating(uuid: str, name: str, spent: int, id_type: str) -> Transaction[None]:
    """Create the tables of a map."""
    tables = [Call(text.replace("{id}", id_type)) for text in statements.SCHEMA]
    yield [*tables, Call(statements.CREATE, {"uuid": uuid, "name": name, "spent": spent})]


def joining(post_limit: float) -> Transaction[tuple[str, str, float]]:
    """Note the longest request of another process; return the id and the name of the map, and its longest POST."""
    *_, [(uuid, name, longest)] = yield [Call(statements.JOIN, {"post_limit": post_limit}), Call(statements.MAP)]
    return uuid, name, longest


def restoring(rows: Sequence[tuple[Row, str]]) -> Transaction[None]:
    """Write rows whose requests are known in part."""
    yield [
        Call(
            statements.RESTORE,
            {
                "key": row.key,
                "digest": ADOPTED,
                "request": request,
                "state": row.state,
                "attempt": row.attempt,
                "tried_at": row.tried_at,
                "since": row.since,
                "run_id": row.run_id,
            },
        )
        for row, request in rows
    ]


def finding(keys: Sequence[str]) -> Transaction[list[Known | None]]:
    """Read the known ones of some jobs, in their order."""
    found = yield from _found(keys)
    return [Known(found[key].digest, found[key].row) if key in found else None for key in keys]


def reading(ids: Iterable[int]) -> Transaction[list[Row]]:
    """Read the rows with these ids."""
    known = list(ids)
    (rows,) = yield [Call(statements.ROWS, {"ids": known})]
    found = {row.id: row for row in map(_row, rows)}
    return [found[one] for one in known]


def requesting(row_id: int) -> Transaction[str]:
    """Read the request of a row."""
    [[(request,)]] = yield [Call(statements.REQUEST, {"id": row_id})]
    return str(request)


def adding(entries: Sequence[Entry]) -> Transaction[list[Row | Conflict]]:
    """Add the unknown ones of some jobs, and return the rows of all, in their order."""
    keys = [entry.key for entry in entries]
    yield [Call(statements.LOCKED_COUNTERS)]  # other processes add theirs after this
    found = yield from _found(keys)
    changes = [Call(statements.ADD, entry._asdict()) for entry in entries if entry.key not in found]
    for entry in entries:
        if entry.key in found:
            changes += _fitted(entry, found[entry.key])
    if changes:
        yield changes
        found = yield from _found(keys)
    return [_fitting(entry, found.get(entry.key)) for entry in entries]


def _found(keys: Sequence[str]) -> Transaction[dict[str, _Found]]:
    (rows,) = yield [Call(statements.FIND, {"keys": list(keys)})]
    found = (_Found(digest, place, request, _row(values)) for digest, place, request, *values in rows)
    return {one.row.key: one for one in found}


def _fitted(entry: Entry, found: _Found) -> list[Call]:
    """Return what makes a known job fit: the request of a run that was found, and the names of files."""
    changes: list[Call] = []
    digest = found.digest
    if digest == ADOPTED and is_adopted(entry.request, found.request or "{}"):
        digest = entry.digest
        changes.append(Call(statements.ADOPT, {"digest": digest, "request": entry.request, "id": found.row.id}))
    if digest == entry.digest and found.place != entry.place and found.row.state != "done":
        changes.append(Call(statements.PLACE, {"place": entry.place, "id": found.row.id}))
    return changes


def _fitting(entry: Entry, found: _Found | None) -> Row | Conflict:
    if found is None:
        return Conflict(SAME_FILES)
    if found.digest != entry.digest:
        return Conflict(OTHER_REQUEST)
    is_placed = found.place == entry.place or found.row.state == "done"
    return found.row if is_placed else Conflict(SAME_FILES)


def carrying(steps: Sequence[Step]) -> Transaction[Carried]:
    """Carry out steps. A row that another process is changing at this moment is not claimed."""
    counts = any(isinstance(step, Try | Unsend) for step in steps)
    claimed = [step.id for step in steps if isinstance(step, Claim)]
    own = [step.id for step in steps if not isinstance(step, Claim)]
    [(spent, longest_post)], *found = yield [
        Call(statements.LOCKED_COUNTERS if counts else statements.COUNTERS),
        *([Call(statements.UNLOCKED_ROWS, {"ids": claimed})] if claimed else []),
        # By their ids, so that no two processes wait for each other.
        *([Call(statements.LOCKED_ROWS, {"ids": own})] if own else []),
    ]
    rows = {row.id: row for values in found for row in map(_row, values)}
    answers: list[Any] = []
    changes: dict[int, Row] = {}
    runs = 0
    for step in map(_stored, steps):
        row = rows.get(step.id)
        answer = None if row is None else answered(row, step, spent + runs)
        answers.append(None if answer is None else answer.value)
        if answer is not None and answer.row is not None:
            rows[step.id] = changes[step.id] = answer.row
            runs += answer.runs
    spending = [Call(statements.SPEND, {"runs": runs})] if runs else []
    if changes:
        yield [*(Call(statements.WRITE, _values(row)) for row in changes.values()), *spending]
    return Carried(answers, longest_post)


def releasing(session: str) -> Transaction[Carried]:
    """Release all rows of a process."""
    (owned,) = yield [Call(statements.OWNED, {"session": session})]
    return (yield from carrying([Release(row_id, owner) for row_id, owner in owned]))


def _row(values: Sequence[Any]) -> Row:
    check_columns(dict(zip(statements.COLUMNS, values, strict=True)))
    known: Any = (*values[:-1], files_of(values[-1]))
    return Row(*known)


def _values(row: Row) -> dict[str, Any]:
    values = {column: getattr(row, column) for column in statements.COLUMNS}
    return {**values, "files": None if row.files is None else json.dumps(row.files)}


def _stored(step: Step) -> Step:
    """Return a step with its run and its error as they are stored."""
    if isinstance(step, End | Finish):
        step = step._replace(run=run_text(step.run))
    if isinstance(step, Finish):
        step = step._replace(error=error_text(step.error))
    return step
