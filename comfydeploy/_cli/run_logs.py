"""``comfydeploy logs``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import run_ids_argument

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@run_ids_argument
@click.option("-f", "--follow", is_flag=True, help="Print lines as they are written, until the run has ended.")
@command()
def logs(session: Session, /, run_ids: tuple[str, ...], *, follow: bool) -> "Exit":
    """Print the logs of runs. Without -f a run has a log up to 30 s after its end.

    RUN_ID... are ids; - stands for the first word of each line of stdin. Deliveries of webhooks are left out.
    """
    from comfydeploy._cli.exit_codes import Exit, exit_code
    from comfydeploy._cli.log_lines import print_archive, print_stream
    from comfydeploy.result import Success

    out, codes = session.out, dict[str, Exit]()
    with session.core() as core:
        for run_id in run_ids:
            if len(run_ids) > 1:
                out.line(f"==> {run_id} <==")
            result = print_stream(core, out, run_id) if follow else print_archive(core, out, run_id)
            codes[run_id] = exit_code(result, creates_run=False)
            if not isinstance(result, Success):
                out.event("problem", run_id, error=result.failure())
                out.problem(result.failure())
    return out.ended(max(codes.values()), {"exit_codes": codes})
