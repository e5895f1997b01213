"""``comfydeploy map``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._cli.options import deadline_option

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command("map")
@click.argument("jobs", metavar="JOBS", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--journal",
    required=True,
    metavar="JOURNAL",
    help="Keeps each step; the same command resumes from it: a file, or postgresql://user@host/database, which any "
    "number of machines may use at once. The password may be in PGPASSWORD.",
)
@click.option("--name", metavar="NAME", help="The name of the map, which selects one of those in a database.")
@click.option("--deployment", metavar="DEPLOYMENT", help="The deployment of the jobs: an id or a workflow's name.")
@click.option(
    "-o",
    "--output",
    "pattern",
    metavar="PATTERN",
    help="Save the files, such as 'out/{prompt}-{seed}{suffix}': with inputs, key, run_id, attempt, index, filename.",
)
@click.option("--at-once", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="Jobs in work.")
@click.option("--max-runs", type=click.IntRange(1), metavar="N", help="Create no run once the journal has so many.")
@click.option("--attempts", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Runs of a job.")
@deadline_option
@click.option("--no-check", is_flag=True, help="Send the inputs without checking them against the deployment.")
@click.option("--sheet", metavar="FILE", help="Write a page with the results, such as sheet.html.")
@command(does_work=True)
def run_jobs(
    session: Session,
    /,
    jobs: str,
    *,
    journal: str,
    name: str | None,
    deployment: str | None,
    pattern: str | None,
    at_once: int,
    max_runs: int | None,
    attempts: int,
    deadline: float | None,
    no_check: bool,
    sheet: str | None,
) -> "Exit":
    """Run the jobs of a file, each once, and print the result of each.

    JOBS is a .csv file whose columns are inputs, or a .jsonl file with an object a line: inputs, or a request with
    deployment_id. A column or field `key` is the key of the job. Values are written as with `run -i`. The deadline is
    for each job.

    With the same journal the command goes on where it was, after any crash. The exit code is the highest of all jobs.
    """
    from comfydeploy._cli.job_map import MapOrder, carry_out

    order = MapOrder(
        jobs, journal, name, deployment, pattern, at_once, max_runs, attempts, deadline, not no_check, sheet
    )
    return carry_out(session, order)
