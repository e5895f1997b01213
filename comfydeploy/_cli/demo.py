"""``comfydeploy demo``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import KEY_VARIABLE, Session, command

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@click.option("--server-url", metavar="URL", help="Another server in place of a local one, such as production's.")
@click.option("--deployment-id", metavar="ID", help="The deployment to run there; it is run three times.")
@click.option(
    "--output",
    default=Path("comfydeploy-demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the pictures.",
)
@command(does_work=True)
def demo(session: Session, /, *, server_url: str | None, deployment_id: str | None, output: Path) -> "Exit":
    """Show the operations at work, without a key or a network.

    Queues, streams, waits for and reads runs with the standalone functions and saves their pictures.

    Starts a local server, or uses the one at --server-url with the key in COMFYDEPLOY_API_KEY. Runs on a real server
    cost money: there the demo creates three.
    """
    from comfydeploy._cli.exit_codes import Exit

    try:
        finished = _shown(session, server_url, deployment_id, output)
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from None
    return session.out.ended(Exit.OK if finished else Exit.ERROR, {"folder": str(output)})


def _shown(session: Session, server_url: str | None, deployment_id: str | None, output: Path) -> bool:
    from comfydeploy._cli.consoles import console
    from comfydeploy._cli.demo_steps import show
    from comfydeploy.core import ComfyDeployCore

    out = console(is_stderr=session.out.as_json)
    if server_url is None:
        from comfydeploy.emulator import Emulator

        with Emulator() as local, ComfyDeployCore(bearer=local.bearer, server_url=local.url) as core:
            out.print(f"A local server is running at {local.url}", style="dim")
            quick, slow = (deployment_id or local.deployments[name] for name in ("picture", "slow"))
            return show(core, out, output, quick=quick, slow=slow)
    key = os.environ.get(KEY_VARIABLE)
    if not key or deployment_id is None:
        raise click.UsageError("--server-url needs COMFYDEPLOY_API_KEY in the environment and --deployment-id")
    with ComfyDeployCore(bearer=key, server_url=server_url) as core:
        return show(core, out, output, quick=deployment_id, slow=deployment_id)
