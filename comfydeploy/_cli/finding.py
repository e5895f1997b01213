"""``comfydeploy find``."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import since_option

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit

_HEAD = ("run", "status", "created (UTC)", "seconds", "workflow", "key")


@click.command()
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@click.option("--deployment", metavar="DEPLOYMENT", help="Search only this deployment: an id or a workflow's name.")
@since_option
@command()
def find(session: Session, /, keys: tuple[str, ...], *, deployment: str | None, since: datetime | None) -> "Exit":
    """Find the runs with a key, as `run` sends one: in all workflows, or in that of one deployment.

    It searches back to 24 hours before the newest run, or to --since. A run that was created a moment ago may not be
    listed yet: no run is no proof that there is none.
    """
    from comfydeploy._cli.exit_codes import Exit
    from comfydeploy._cli.found_rows import found_rows, key_of_row
    from comfydeploy._cli.records import row_json
    from comfydeploy._cli.sentences import row_cells
    from comfydeploy._cli.tables import table
    from comfydeploy.result import Success

    out = session.out
    with session.core() as core:
        found = found_rows(core, keys, deployment, since=since)
    if not isinstance(found, Success):
        return out.result(found, creates_run=False)
    rows = found.unwrap()
    cells = [[*row_cells(row, workflow), key_of_row(row)] for row, workflow in rows]
    out.lines(table(_HEAD, cells, out.width))
    if not rows:
        out.note("No run has the key, as far as the server lists runs now")
    data = {"runs": [row_json(row, workflow, key_of_row(row)) for row, workflow in rows]}
    return out.result(found, data, creates_run=False, least=Exit.OK if rows else Exit.NOT_FOUND)
