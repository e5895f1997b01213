"""``comfydeploy download``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import run_ids_argument

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@run_ids_argument
@click.option("-o", "--output", "folder", metavar="DIR", default=".", show_default=True, help="The folder.")
@click.option(
    "--name",
    metavar="PATTERN",
    default="{run_id}-{index}{suffix}",
    show_default=True,
    help="The name of each file, with run_id, index, suffix, filename, stem, kind, output_id and node_id.",
)
@command(does_work=True)
def download(session: Session, /, run_ids: tuple[str, ...], *, folder: str, name: str) -> "Exit":
    """Save the files of runs, and print their paths. No file is ever replaced.

    RUN_ID... are ids; - stands for the first word of each line of stdin.
    """
    from comfydeploy._cli.exit_codes import Exit, exit_code
    from comfydeploy._cli.saved_files import Saved, saved_before, saved_files_of
    from comfydeploy.models.run import WorkflowRunModel
    from comfydeploy.result import Success

    out, codes = session.out, dict[str, Exit]()

    def report(run: WorkflowRunModel | str, saved: Saved) -> None:
        run_id = run if isinstance(run, str) else run.id
        error = None if isinstance(saved, Success) else saved.failure()
        paths = [*map(str, saved.unwrap() if isinstance(saved, Success) else saved_before(saved.failure()))]
        codes[run_id] = exit_code(saved, creates_run=False)
        out.lines(paths)
        out.event("saved", run_id, {"paths": paths}, error)
        if error is not None:
            out.problem(error)
        elif not paths:
            out.note(f"Run {run_id} has no files")

    with session.core() as core:
        saved_files_of(session.interrupts, core, run_ids, folder, name=name, report=report)
    return out.ended(max(codes.values()), {"exit_codes": codes})
