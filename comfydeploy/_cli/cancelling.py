"""``comfydeploy cancel``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import run_ids_argument

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@run_ids_argument
@command(does_work=True)
def cancel(session: Session, /, run_ids: tuple[str, ...]) -> "Exit":
    """Cancel runs. One that has ended stays as it is.

    RUN_ID... are ids; - stands for the first word of each line of stdin.
    """
    from comfydeploy._cli.exit_codes import Exit, exit_code
    from comfydeploy._cli.ledger import Cancelling
    from comfydeploy.funcs.run_cancel import run_cancel
    from comfydeploy.result import Success

    out, codes = session.out, dict[str, Exit]()
    with session.core() as core:
        for position, run_id in enumerate(run_ids):
            session.ledger.state = Cancelling(run_ids[position:])
            result = run_cancel(core, run_id)
            codes[run_id] = exit_code(result, creates_run=False)
            if isinstance(result, Success):
                out.row(run_id, "cancelled, unless it had ended")
                out.event("cancelled", run_id, {"message": result.unwrap().message})
            else:
                out.event("problem", run_id, error=result.failure())
                out.problem(result.failure())
    return out.ended(max(codes.values()), {"exit_codes": codes})
