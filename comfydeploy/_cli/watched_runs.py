"""Several runs, watched at once."""

from asyncio import TaskGroup

from comfydeploy._cli.event_loop import run_async
from comfydeploy._cli.exit_codes import Exit, exit_code
from comfydeploy._cli.invocation import Session
from comfydeploy._cli.ledger import Running
from comfydeploy._cli.progress import Progress
from comfydeploy._cli.records import run_json
from comfydeploy._cli.run_order import end_of
from comfydeploy._cli.sentences import change_cells
from comfydeploy._cli.time_left import TimeLeft
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.run_watch import run_watch_async
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import WaitError, WatchItem
from comfydeploy.result import Result, Success


def follow(session: Session, run_ids: tuple[str, ...], deadline: float | None) -> Exit:
    """Print the changes of all runs and return the highest exit code."""
    session.ledger.state = Running(run_ids)
    with session.core() as core, Progress(session.out, run_ids, is_quiet=True) as progress:
        board = _Board(session, progress, run_ids)
        run_async(session.interrupts, lambda: _watch_all(core, board, run_ids, TimeLeft(deadline)))
    return session.out.ended(max(board.codes.values()), {"exit_codes": board.codes})


class _Board:
    """The displayed states of the runs."""

    def __init__(self, session: Session, progress: Progress, run_ids: tuple[str, ...]) -> None:
        self.codes: dict[str, Exit] = {}
        self._session = session
        self._progress = progress
        self._run_ids = run_ids

    def show(self, run_id: str, item: WatchItem) -> None:
        """Show a state of a run, or a poll that failed."""
        out = self._session.out
        if isinstance(item, Success):
            self._progress.show(item.unwrap())
            if not self._progress.is_live:
                out.row(*change_cells(item.unwrap()))
            out.event("update", run_id, run_json(item.unwrap()))
            return
        out.event("problem", run_id, error=item.failure())
        with self._progress.paused():
            out.note(f"{run_id}: {item.failure().message}")

    def end(self, run_id: str, ended: Result[WorkflowRunModel, WaitError]) -> None:
        """Show the end of a run."""
        out, run = self._session.out, end_of(ended)
        error = None if isinstance(ended, Success) else ended.failure()
        self.codes[run_id] = exit_code(ended, creates_run=False)
        self._session.ledger.state = Running(tuple(one for one in self._run_ids if one not in self.codes))
        out.event("end", run_id, run_json(run) if run else None, error)
        with self._progress.paused(run_id):
            if run is not None:
                out.row(*change_cells(run))
            if error is not None:
                out.problem(error)


async def _watch_all(core: ComfyDeployCore, board: _Board, run_ids: tuple[str, ...], left: TimeLeft) -> None:
    async def watch(run_id: str) -> None:
        async with run_watch_async(core, run_id, left.options) as watched:
            async for item in watched:
                if watched.result is None or item is not watched.result:
                    board.show(run_id, item)
            if watched.result is not None:
                board.end(run_id, watched.result)

    async with core, TaskGroup() as group:
        for run_id in run_ids:
            group.create_task(watch(run_id))
