"""``comfydeploy run``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import deadline_option

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@click.argument("deployment")
@click.option(
    "-i",
    "--input",
    "inputs",
    metavar="NAME=VALUE",
    multiple=True,
    help="An input. @FILE is a file: uploaded, or read where the input takes text. @@ begins a text with an @.",
)
@click.option("-o", "--output", "folder", metavar="DIR", help="Save the files of the run in this folder.")
@click.option("--detach", is_flag=True, help="Print the run's id and do not wait.")
@deadline_option
@click.option(
    "--cancel-on-interrupt", is_flag=True, help="Cancel the run at Ctrl-C, SIGTERM, SIGHUP and at the deadline."
)
@click.option(
    "--key",
    metavar="KEY",
    help="Your key: an existing run with it is followed, and none is created.  [default: a random one]",
)
@click.option("--no-check", is_flag=True, help="Send the inputs without checking them against the deployment.")
@command(does_work=True, has_addresses=True)
def run(
    session: Session,
    /,
    deployment: str,
    *,
    inputs: tuple[str, ...],
    folder: str | None,
    detach: bool,
    deadline: float | None,
    cancel_on_interrupt: bool,
    key: str | None,
    no_check: bool,
) -> "Exit":
    """Create a run of DEPLOYMENT, follow it and save its files.

    DEPLOYMENT is an id, or the name of its workflow. The run's id is the first line on stdout; progress goes to stderr.
    The last lines are the files that were saved, or the addresses of the files.
    """
    if detach and (folder is not None or cancel_on_interrupt):
        raise click.UsageError("--detach does not wait for the run: it excludes -o and --cancel-on-interrupt")
    from comfydeploy._cli.run_order import RunOrder, carry_out

    order = RunOrder(deployment, inputs, folder, detach, deadline, cancel_on_interrupt, key, not no_check)
    return carry_out(session, order)
