"""``comfydeploy wait``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import deadline_option, run_ids_argument

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@run_ids_argument
@deadline_option
@command()
def wait(session: Session, /, run_ids: tuple[str, ...], *, deadline: float | None) -> "Exit":
    """Wait until runs have ended, and print the status of each.

    RUN_ID... are ids; - stands for the first word of each line of stdin. The exit code is the highest of all runs.
    """
    from comfydeploy._cli.exit_codes import Exit, exit_code
    from comfydeploy._cli.ledger import Running
    from comfydeploy._cli.progress import Progress
    from comfydeploy._cli.records import run_json
    from comfydeploy._cli.run_order import end_of
    from comfydeploy._cli.sentences import run_text
    from comfydeploy._cli.time_left import TimeLeft
    from comfydeploy.funcs.run_wait import run_wait
    from comfydeploy.result import Success

    out, left, codes = session.out, TimeLeft(deadline), dict[str, Exit]()
    session.ledger.state = Running(run_ids)
    with session.core() as core, Progress(out, run_ids) as progress:
        # One after the other: this ends as early as waiting for all at once, with the fewest requests.
        for position, run_id in enumerate(run_ids):
            ended = run_wait(core, run_id, left.options, on_update=progress.show)
            session.ledger.state = Running(run_ids[position + 1 :])
            run = end_of(ended)
            error = None if isinstance(ended, Success) else ended.failure()
            codes[run_id] = exit_code(ended, creates_run=False)
            with progress.paused(run_id):
                out.row(run_id, str(run.status) if run else "unknown")
                out.event("end", run_id, run_json(run) if run else None, error)
                if error is not None:
                    out.problem(error)
                elif run is not None:
                    out.note(run_text(run))
    return out.ended(max(codes.values()), {"exit_codes": codes})
