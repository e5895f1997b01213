"""``comfydeploy deployments``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit

_HEAD = ("deployment", "workflow", "environment", "description")


@click.command()
@click.argument("deployment", required=False)
@click.option("--inputs", is_flag=True, help="List the inputs of each, with types, defaults and limits.")
@click.option("--environment", metavar="NAME", help="Only those of an environment, such as production.")
@command()
def deployments(session: Session, /, deployment: str | None, *, inputs: bool, environment: str | None) -> "Exit":
    """List deployments: all, or the one with an id or a workflow's name."""
    from comfydeploy._cli.deployment_names import all_deployments, find_deployment
    from comfydeploy._cli.records import deployment_json, deployment_name
    from comfydeploy._cli.sentences import input_lines
    from comfydeploy._cli.tables import table
    from comfydeploy.result import Success

    out = session.out
    with session.core() as core:
        if deployment is None:
            listed = all_deployments(core, environment=environment)
        else:
            found_one = find_deployment(core, deployment)
            listed = Success([found_one.unwrap()]) if isinstance(found_one, Success) else found_one
    if not isinstance(listed, Success):
        return out.result(listed, creates_run=False)
    found = listed.unwrap()
    cells = [[one.id, deployment_name(one) or "", one.environment or "", one.description or ""] for one in found]
    if inputs:
        for one, row in zip(found, cells, strict=True):
            out.lines([*table(_HEAD, [row], None), *input_lines(one.input_types, out.width)])
    else:
        out.lines(table(_HEAD, cells, out.width))
    return out.result(listed, {"deployments": [deployment_json(one) for one in found]}, creates_run=False)
