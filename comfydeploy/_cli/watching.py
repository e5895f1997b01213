"""``comfydeploy watch``."""

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
def watch(session: Session, /, run_ids: tuple[str, ...], *, deadline: float | None) -> "Exit":
    """Print the states of runs as they change, until all have ended.

    RUN_ID... are ids; - stands for the first word of each line of stdin. The exit code is the highest of all runs.
    """
    from comfydeploy._cli.watched_runs import follow

    return follow(session, run_ids, deadline)
