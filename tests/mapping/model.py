"""A model checker for the protocol of the map: it visits every state that processes and a server can reach.

Positions and rows are those of the map itself. What is modelled is all around them: processes, which are killed at any
moment, each alone or all with their machine; the journal, which loses with the machine what was not durable; the
server, which executes a request at some time after it was sent or never, and whose answer may be lost; leases, which
may seem to have ended at any time, because clocks jump; and time, in steps of the longest POST.
"""

from collections import deque
from collections.abc import Callable
from itertools import permutations, product
from typing import Any, NamedTuple, TypeAlias

from attrs import evolve, field, frozen

from comfydeploy._mapping import protocol
from comfydeploy._mapping.actions import Fetch, Follow, Leave, Look, Pause, Post, Prepare, Sighting, Terms, Turn
from comfydeploy._mapping.protocol import Position
from comfydeploy._mapping.rows import DURABLE, Claim, Release, Row, Try, changed
from comfydeploy._wire.polling import FIRST
from comfydeploy.errors import ConnectionError, HTTPValidationError, SDKError
from comfydeploy.mapping import JobUnresolved
from comfydeploy.outcome import RunFailed
from comfydeploy.result import Failure, Success

FOREVER = 99
LOST = ("reset", "500", "503", "429")
ANSWERS = {
    "reset": Failure(ConnectionError("reset", "unknown")),
    "500": Failure(SDKError("broken", 500)),
    "503": Failure(SDKError("busy", 503)),
    "429": Failure(SDKError("too many", 429)),
    "not sent": Failure(ConnectionError("refused", "not_sent")),
    "refused": Failure(HTTPValidationError([])),
    "look fails": Failure(SDKError("broken", 500)),
    "look is refused": Failure(SDKError("who", 401)),
    "ready": Success(None),
    "not ready": Failure(HTTPValidationError([])),
    "turn": True,
    "no turn": False,
    "tried": "tried",
    "lost": None,
    "stored": True,
    "goes on": None,
    "ended": Success("run"),
    "failed": Failure(RunFailed("failed", None, "r")),
    "cannot follow": Failure(SDKError("who", 401)),
    "fetched": Success([]),
}
UNRESOLVED = Failure(SDKError("unresolved", 0))
DEAD = "x"
LOCAL = (Pause, Prepare, Turn, Follow, Fetch)
"""Actions that touch neither the journal nor the server, as far as the protocol depends on it."""


def following(position: Position, answer: Any) -> Position:
    """Return the position after an answer at the time 0."""
    return position.next(answer, 0.0, 0.0, 1.0)


@frozen
class World:
    """What is assumed, and by what the protocol differs from the real one.

    ``longest`` is the time in which a request is executed and visible, from the time at which it was noted. A weakened
    protocol has another ``owner``, ``durable``, ``begin``, ``store`` or ``next``, or ``terms`` that do not fit
    ``longest``. ``others``: there are jobs of other processes, so that a list may show one of their runs or not.
    ``blind``: no list shows anything. ``late``: a request may be sent at any time after it was noted. ``claims``: how
    often each job may be claimed. ``slow``: each step takes its time, also those that nothing else depends on.
    """

    jobs: int = 2
    workers: int = 2
    terms: Terms = Terms(post_limit=1.0, longest_post=1.0, grace=1.0)  # noqa: RUF009 - it is frozen
    longest: int = 2
    crashes: bool = True
    outages: bool = True
    blind: bool = False
    others: bool = False
    slow: bool = False
    late: bool = False
    lost: tuple[str, ...] = LOST[:1]
    unsent: bool = True
    claims: tuple[int, ...] | None = None
    owner: Callable[[int], str] = "w{}".format
    durable: tuple[type, ...] = DURABLE
    begin: Callable[..., Position] = protocol.begin
    store: Callable[[Row, Any], Row | None] = changed
    next: Callable[[Position, Any], Position] = following


class Server(NamedTuple):
    """The requests for one job: ``(attempt, time left, whether it is executed)``, and the attempts with a run."""

    pending: tuple[tuple[int, int, bool], ...] = ()
    runs: tuple[int, ...] = ()

    @property
    def paid(self) -> list[int]:
        """The attempts of all runs, also of those that are not visible yet."""
        return [*self.runs, *(attempt for attempt, _, is_executed in self.pending if is_executed)]

    def later(self) -> "Server":
        """Return the server after a step of time: what has not been executed now never is."""
        shown = [attempt for attempt, left, is_executed in self.pending if left == 1 and is_executed]
        kept = [(attempt, left - (left != FOREVER), known) for attempt, left, known in self.pending if left > 1]
        return Server(tuple(sorted(kept)), tuple(sorted([*self.runs, *shown])))


class Column(NamedTuple):
    """All that belongs to one job: its row, the row that is durable, its position in each process, and the server."""

    row: int
    durable: int
    cells: tuple["Cell | None", ...]
    server: Server
    claims: int = -1


class Cell(NamedTuple):
    """A position, the time since its request was noted, and what its look has seen."""

    position: int
    age: int = 0
    seen: Any = None


State: TypeAlias = tuple[int, ...]
"""A column for each job, by number."""


@frozen
class Found:
    """What a search has found: the number of states, a fault and the way to it, and a way to a state without an end."""

    states: int
    fault: str | None = None
    way: list[str] = field(factory=list)
    stuck: list[str] = field(factory=list)


class Checker:
    """Visits all states of a world. Rows, positions and columns are numbered, and what follows from each is kept."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._values: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._known: dict[Any, Any] = {}
        self._orders = [*permutations(range(world.workers))]

    def search(self, *, ends: bool = False) -> Found:
        """Return what the states of the world hold; stop at the first fault.

        ``ends``: look as well for states from which no way leads to the end of all jobs.
        """
        row = self._number(Row(1, "k"))
        column = Column(row, row, (None,) * self.world.workers, Server())
        claims = self.world.claims or (-1,) * self.world.jobs
        beginning = tuple(sorted(self._number(column._replace(claims=one)) for one in claims))
        came: dict[State, tuple[State, str] | None] = {beginning: None}
        before: dict[State, list[State]] = {}
        waiting = deque([beginning])
        while waiting:
            state = waiting.popleft()
            for name, moved in self._moves(state):
                after = self._least(moved)
                if ends:
                    before.setdefault(after, []).append(state)
                if after not in came:
                    came[after] = state, name
                    waiting.append(after)
                    fault = next(filter(None, map(self._fault, after)), None)
                    if fault:
                        return Found(len(came), fault, _way(came, after))
        if not ends:
            return Found(len(came))
        reaching = [one for one in came if all(map(self._is_done, one))]
        seen = set(reaching)
        for one in reaching:
            fresh = {state for state in before.get(one, ()) if state not in seen}
            seen |= fresh
            reaching += fresh
        return Found(len(came), stuck=next((_way(came, one) for one in came if one not in seen), []))

    def _moves(self, state: State) -> list[tuple[str, State]]:
        found: list[tuple[str, State]] = []
        has_runs = [bool(self._values[column].server.runs) for column in state]
        for job, column in enumerate(state):
            shown = any(has for other, has in enumerate(has_runs) if other != job)
            for name, after, is_durable in self._kept(self._column_moves, column, shown):
                others = [self._kept(self._synced, one) for one in state] if is_durable else [*state]
                others[job] = after
                found.append((f"job {job}, {name}", tuple(others)))
        for worker in range(self.world.workers):
            killed = tuple(self._kept(self._killed, one, worker) for one in state)
            found += [(f"process {worker} is killed", killed)]
        if self.world.crashes:
            crashed = product(*(self._kept(self._crashed, one) for one in state))
            found += [("the machine crashes", one) for one in crashed]
        if self.world.others:
            synced = tuple(self._kept(self._synced, one) for one in state)
            found.append(("another job makes all durable", synced))
        found.append(("time passes", tuple(self._kept(self._later, one) for one in state)))
        return found

    def _least(self, state: State) -> State:
        """Return the first of the states that differ by the order of processes and jobs alone."""
        ordered = (tuple(sorted(self._kept(self._reordered, one, order) for one in state)) for order in self._orders)
        return min(ordered)

    def _fault(self, column: int) -> str | None:
        row, paid = self._values[self._values[column].row], self._values[column].server.paid
        if len(set(paid)) < len(paid):
            return "twice"
        known = {*range(1, row.attempt), *([row.attempt] if row.run_id else [])}
        return "lost" if row.state == "done" and not known.issuperset(paid) else None

    def _is_done(self, column: int) -> bool:
        return self._values[self._values[column].row].state == "done"

    def _killed(self, number: int, worker: int) -> int:
        column = self._values[number]
        return self._marked(column._replace(cells=_put(column.cells, worker, None)))

    def _crashed(self, number: int) -> set[int]:
        """Return what a crash of the machine leaves: with what was not durable, or without."""
        column = self._values[number]._replace(cells=(None,) * self.world.workers)
        return {self._marked(column), self._marked(column._replace(row=column.durable))}

    def _synced(self, number: int) -> int:
        column = self._values[number]
        return self._marked(column._replace(durable=column.row))

    def _later(self, number: int) -> int:
        """Return a column after a step of time."""
        column = self._values[number]
        cells = tuple(cell and self._aged(cell) for cell in column.cells)
        return self._marked(column._replace(cells=cells, server=column.server.later()))

    def _reordered(self, number: int, order: tuple[int, ...]) -> int:
        """Return a column for processes in another order."""
        column = self._values[number]
        cells = (column.cells[worker] for worker in order)
        renamed = (cell and cell._replace(position=self._kept(self._renamed, cell.position, order)) for cell in cells)
        return self._number(column._replace(row=self._kept(self._renamed, column.row, order), cells=tuple(renamed)))

    def _renamed(self, number: int, order: tuple[int, ...]) -> int:
        names = {self.world.owner(old): self.world.owner(new) for new, old in enumerate(order)}
        return self._number(_renamed(self._values[number], names))

    def _column_moves(self, number: int, shown: bool) -> list[tuple[str, int, bool]]:
        """Return the moves of one job: their names, its columns after them, and whether they make all durable.

        ``shown``: another job has a run that a list shows.
        """
        column, found = self._values[number], []
        for worker, cell in enumerate(column.cells):
            moves = self._claimed(column, worker) if cell is None else self._moved(column, worker, cell, shown)
            found += [(f"process {worker}: {name}", self._marked(after), durable) for name, after, durable in moves]
        for one in set(column.server.pending):
            rest = [*column.server.pending]
            rest.remove(one)
            server = Server(tuple(rest), tuple(sorted([*column.server.runs, one[0]])))
            found.append(("its run appears", self._marked(column._replace(server=server)), False))
        return found

    def _claimed(self, column: Column, worker: int) -> list[tuple[str, Column, bool]]:
        row = self._values[column.row]
        if row.state == "done" or not column.claims:
            return []
        column = column._replace(claims=max(column.claims - 1, -1))
        claim = Claim(row.id, self.world.owner(worker), 1.0, row.owner, row.lease)
        stored = self._written(column, claim)
        assert stored is not None
        position = self._kept(self._begun, stored.row)
        return [("claims", self._put(stored, worker, position), isinstance(claim, self.world.durable))]

    def _begun(self, row: int) -> int | None:
        return self._settled(self.world.begin(self._values[row], self.world.terms, 0.0))

    def _moved(self, column: Column, worker: int, cell: Cell, shown: bool) -> list[tuple[str, Column, bool]]:
        position = self._values[cell.position]
        action = position.action
        name = type(action).__name__.lower()
        if isinstance(action, Post):
            return self._posted(column, worker, cell)
        if isinstance(action, Look) and cell.seen is None:
            looks = self._looks(column, position, shown)
            if not self.world.slow:
                return [(f"look: {one}", self._next(column, worker, cell, one), False) for one in looks]
            return [
                (f"looks: {one}", column._replace(cells=_put(column.cells, worker, cell._replace(seen=one))), False)
                for one in looks
            ]
        answers, stored, is_durable = [cell.seen], column, False
        if isinstance(action, LOCAL):
            answers = self._answers(action)
        elif not isinstance(action, Look):
            written = self._written(column, action)
            answers = ["lost" if written is None else "tried" if isinstance(action, Try) else "stored"]
            stored = written or column
            is_durable = isinstance(action, self.world.durable)
        return [(f"{name}: {answer}", self._next(stored, worker, cell, answer), is_durable) for answer in answers]

    def _answers(self, action: Any) -> list[Any]:
        is_hard, repeats = self.world.outages, self.world.terms.attempts > 1
        match action:
            case Pause():
                return ["goes on"]
            case Prepare():
                return ["ready", *["not ready"] * is_hard]
            case Turn():
                return ["turn", *["no turn"] * is_hard]
            case Follow():
                return ["ended", *["failed"] * repeats, *["cannot follow"] * is_hard]
            case _:
                return ["fetched"]

    def _looks(self, column: Column, position: Position, shown: bool) -> list[Any]:
        """Return what a look may come to."""
        found: list[Any] = ["look fails", "look is refused"] if self.world.outages else []
        if self.world.blind:
            return [Sighting((), shown=False), *found]
        runs = column.server.runs
        ids = tuple(f"r{one}" for one in runs if one == position.row.attempt)
        shown = shown or bool(runs)
        others = [Sighting(ids, shown=True)] if self.world.others and not shown else []
        return [Sighting(ids, shown=shown), *others, *found]

    def _posted(self, column: Column, worker: int, cell: Cell) -> list[tuple[str, Column, bool]]:
        world, attempt, old = self.world, self._values[cell.position].row.attempt, column.server

        def receiving(answer: Any, *pending: tuple[int, int, bool]) -> tuple[str, Column, bool]:
            after = column._replace(server=Server(tuple(sorted([*old.pending, *pending])), old.runs))
            return f"post: {answer}", self._next(after, worker, cell, answer), False

        found = [receiving("not sent")] if world.unsent or cell.age > world.terms.post_limit else []
        left = FOREVER if world.longest == FOREVER else world.longest - cell.age
        if cell.age > world.terms.post_limit or left <= 0:
            if not world.late:
                return found
            left = 1
        found.append(receiving(("created", f"r{attempt}"), (attempt, left, True)))
        found += [receiving(lost, (attempt, left, False)) for lost in world.lost]
        return [*found, receiving("refused")] if world.outages else found

    def _next(self, column: Column, worker: int, cell: Cell, answer: Any) -> Column:
        return self._put(column, worker, self._kept(self._after, cell.position, answer))

    def _after(self, number: int, answer: Any) -> int | None:
        given = answer if isinstance(answer, str) else Success(answer if isinstance(answer, Sighting) else answer[1])
        given = ANSWERS[answer] if isinstance(answer, str) else given
        return self._settled(self.world.next(self._values[number], given))

    def _settled(self, position: Position) -> int | None:
        """Return the number of a position, once all steps are done that nothing else depends on."""
        while isinstance(position.action, LOCAL) and not self.world.slow:
            is_look = isinstance(position.action, Pause) and isinstance(position.action.then, Look)
            answers = self._answers(position.action)
            if is_look or len(answers) > 1:
                break
            position = self.world.next(position, ANSWERS[answers[0]])
        return None if isinstance(position.action, Leave) else self._number(self._plain(position))

    def _put(self, column: Column, worker: int, position: int | None) -> Column:
        return column._replace(cells=_put(column.cells, worker, None if position is None else Cell(position)))

    def _written(self, column: Column, step: Any) -> Column | None:
        row = self._kept(self._stored, column.row, type(step), step)
        if row is None:
            return None
        return column._replace(row=row, durable=row if isinstance(step, self.world.durable) else column.durable)

    def _stored(self, number: int, _kind: type, step: Any) -> int | None:
        row = self.world.store(self._values[number], step)
        return None if row is None else self._number(_plain(row))

    def _plain(self, position: Position) -> Position:
        """Return a position without what has no influence on what is done."""
        action, result = position.action, position.result
        if isinstance(action, Pause):
            action = Pause(0.0, Look(0.0) if isinstance(action.then, Look) else action.then)
        elif isinstance(action, Post):
            action = Post(1.0)
        elif isinstance(action, Release) and isinstance(result, Failure):
            result = UNRESOLVED if isinstance(result.failure(), JobUnresolved) else result
        row = evolve(position.row, lease=1.0, tried_at=None if position.row.tried_at is None else 1.0)
        return evolve(position, action=action, row=row, result=result, pause=FIRST)

    def _aged(self, cell: Cell) -> Cell:
        is_post = isinstance(self._values[cell.position].action, Post)
        age = min(cell.age + 1, int(self.world.terms.post_limit) + 1) if is_post else 0
        return cell._replace(position=self._kept(self._older, cell.position), age=age)

    def _older(self, number: int) -> int:
        position = self._values[number]
        action, certain_at = position.action, position.certain_at
        if isinstance(action, Look):  # whether it began in time does not change
            action = Look(0.0 if action.began >= certain_at else -1.0)
        began = max(position.began - 1, -2.0)
        return self._number(evolve(position, began=began, certain_at=max(certain_at - 1, 0.0), action=action))

    def _marked(self, column: Column) -> int:
        """Return the number of a column whose owners are marked as dead where no process has their claim."""
        owner = self._values[column.row].owner
        held = (self._values[cell.position].row.owner for cell in column.cells if cell is not None)
        row = column.row if owner is None or owner in held else self._kept(self._dead, column.row)
        return self._number(column._replace(row=row, durable=self._kept(self._dead, column.durable)))

    def _dead(self, number: int) -> int:
        row = self._values[number]
        return number if row.owner is None else self._number(evolve(row, owner=DEAD))

    def _kept(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function of a column comes to, which is kept."""
        key = work.__name__, *arguments
        if key not in self._known:
            self._known[key] = work(*arguments)
        return self._known[key]

    def _number(self, value: Any) -> int:
        # Actions are tuples, so that those of two classes may be equal.
        action = getattr(value, "action", None)
        key = (value, type(action), type(getattr(action, "then", None))) if action is not None else value
        number = self._numbers.setdefault(key, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, Row):
        return evolve(value, owner=names.get(value.owner, value.owner))
    action = value.action
    if "owner" in getattr(action, "_fields", ()):
        action = action._replace(owner=names.get(action.owner, action.owner))
    return evolve(value, row=_renamed(value.row, names), action=action)


def _plain(row: Row) -> Row:
    """Return a row without what has no influence on what is done."""
    lease, tried_at = 0.0 if row.owner is None else 1.0, None if row.tried_at is None else 1.0
    return evolve(row, lease=lease, tried_at=tried_at, run=None, error=None, files=None)


def _put(items: tuple[Any, ...], index: int, item: Any) -> tuple[Any, ...]:
    return (*items[:index], item, *items[index + 1 :])


def _way(came: dict[State, Any], state: State) -> list[str]:
    way = []
    while came[state] is not None:
        state, name = came[state]
        way.append(name)
    return way[::-1]
