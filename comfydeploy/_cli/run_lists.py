"""``comfydeploy list``."""

from datetime import datetime
from typing import TYPE_CHECKING, get_args

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import since_option

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit

_HEAD = ("run", "status", "created (UTC)", "seconds", "workflow")


def _known_status(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from comfydeploy.models.run import RunStatus

    known = get_args(RunStatus)
    if value is not None and value not in known:
        raise click.BadParameter(f"expected one of {', '.join(known)}, got {value!r}")
    return value


@click.command("list")
@click.option(
    "--status",
    metavar="STATUS",
    callback=_known_status,
    help="Only runs with this status, such as running or failed.",
)
@click.option("--deployment", metavar="DEPLOYMENT", help="Only runs of this deployment: an id or a workflow's name.")
@since_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="The most runs.")
@command()
def list_runs(
    session: Session, /, *, status: str | None, deployment: str | None, since: datetime | None, limit: int
) -> "Exit":
    """List runs, newest first: of the workflows of all deployments, or of one deployment.

    In a pipe the cells are separated by tabs and the id is the first: `comfydeploy list --status queued | comfydeploy
    cancel -` cancels what waits.
    """
    from comfydeploy._cli.found_rows import listed_rows
    from comfydeploy._cli.records import row_json
    from comfydeploy._cli.sentences import row_cells
    from comfydeploy._cli.tables import table
    from comfydeploy.result import Success

    out = session.out
    with session.core() as core:
        listed = listed_rows(core, deployment, limit, status=status, since=since)
    if not isinstance(listed, Success):
        return out.result(listed, creates_run=False)
    rows = listed.unwrap()
    out.lines(table(_HEAD, [row_cells(row, workflow) for row, workflow in rows], out.width))
    return out.result(listed, {"runs": [row_json(row, workflow) for row, workflow in rows]}, creates_run=False)
