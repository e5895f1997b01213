"""The commands and their options."""

from pathlib import Path
from typing import Any

import click

from comfydeploy import __version__
from comfydeploy._cli.demo import show
from comfydeploy._cli.terminal import console, survives_reader, unwound
from comfydeploy._emulator.quirks.catalogue import ALL
from comfydeploy.core import ComfyDeployCore
from comfydeploy.emulator import Emulator, Quirk


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def comfydeploy() -> None:
    """Run ComfyUI workflows on ComfyDeploy, or on a server on this computer."""


class _EmulatorCommand(click.Command):
    """A command that ends its help with what each quirk is."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of quirks."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Quirks"):
            formatter.write_dl(
                [(quirk, f"{quirk.explanation} {quirk.trigger and f'Here: {quirk.trigger}'}") for quirk in Quirk]
            )


@comfydeploy.command(cls=_EmulatorCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=3011, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--bearer", metavar="KEY", help="The API key that it accepts.  [default: local-key]")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="The folder that keeps runs and pictures."
)
@click.option(
    "--pace", default=1.0, show_default=True, metavar="FACTOR", help="Multiplies every duration; 0 never waits."
)
@click.option("--seed", type=int, metavar="NUMBER", help="Makes the same requests get the same ids.")
@click.option(
    "--clock",
    default="real",
    show_default=True,
    type=click.Choice(["real", "manual"]),
    help='`manual` stands still but for POST /_emulator/clock/advance with JSON such as {"seconds": 5}.',
)
@click.option(
    "--cold-start", type=float, metavar="SECONDS", help="The wait for a machine.  [default: 0.3; 0 with --comfyui]"
)
@click.option("--queue-length", default=0, metavar="RUNS", help="Runs of others that wait before each new one.")
@click.option("--retention", type=int, metavar="RUNS", help="How many runs that have ended are kept.  [default: all]")
@click.option(
    "--quirks",
    metavar="NAME",
    multiple=True,
    type=click.Choice([*(quirk.value for quirk in Quirk), ALL]),
    help="Misbehave as the real server does; may be given several times. `all` is all of them.",
)
@click.option("--comfyui", metavar="URL", help="The ComfyUI that executes graphs, such as http://127.0.0.1:8188.")
@click.option(
    "--workflows",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of graphs in ComfyUI's API format: each name.json is the deployment `name`. Needs --comfyui.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="A further name that requests may be sent to, such as a service of Docker Compose; `*` is any.",
)
@click.option(
    "--allow-origin",
    "allowed_origins",
    metavar="ORIGIN",
    multiple=True,
    help="A further origin whose pages may use the API, such as https://app.example.com; `*` is any.",
)
@click.option(
    "--allow-network",
    "allowed_networks",
    metavar="NETWORK",
    multiple=True,
    help="A private network, such as 172.16.0.0/12, of webhooks and files of inputs; `private` is all.",
)
def emulator(**settings: Any) -> None:
    """Serve the API on this computer until Ctrl-C.

    It runs runs: they take a while, report their progress, draw a picture from their inputs and tell their webhook.
    Its page shows them live in a browser.
    Without --data everything is forgotten at the end. An input `fail` (true, or a message) makes a run fail.

    With --comfyui the graphs of workflow runs, and those of --workflows, are executed on your own GPU.
    """
    try:
        Emulator(**settings).serve_forever(_announce)
    except (OSError, ValueError, ModuleNotFoundError) as error:
        raise click.ClickException(str(error)) from None


def _announce(running: Emulator) -> None:
    with survives_reader():
        out = console()
        out.print(f"server_url  [bold]{running.url}[/]")
        out.print(f"bearer      [bold]{running.bearer}[/]")
        out.print(f"page        [bold]{running.url.removesuffix('api')}[/]")
        out.print("deployment_id:")
        width = max(map(len, running.deployments))
        for name, deployment_id in running.deployments.items():
            out.print(f"  {name:<{width}}  {deployment_id}")
        for problem in running.check():
            out.print(f"Problem: {problem}", style="yellow", markup=False)
        out.print("Ctrl-C ends it.", style="dim")


@comfydeploy.command()
@click.option("--server-url", metavar="URL", help="Another server in place of a local one, such as production's.")
@click.option("--deployment-id", metavar="ID", help="The deployment to run there; it is run three times.")
@click.option(
    "--output",
    default=Path("comfydeploy-demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the pictures.",
)
@click.option("--api-key", envvar="COMFYDEPLOY_API_KEY", show_envvar=True, hidden=True)
def demo(server_url: str | None, deployment_id: str | None, output: Path, api_key: str | None) -> None:
    """Show the operations at work, without a key or a network.

    Queues, streams, waits for and reads runs with the standalone functions and saves their pictures.

    Starts a local server, or uses the one at --server-url with the key in COMFYDEPLOY_API_KEY. Runs on a real server
    cost money: there the demo creates three.
    """
    with unwound():
        finished = _shown(server_url, deployment_id, output, api_key)
    if not finished:
        raise SystemExit(1)


def _shown(server_url: str | None, deployment_id: str | None, output: Path, api_key: str | None) -> bool:
    out = console()
    if server_url is None:
        with Emulator() as local, ComfyDeployCore(bearer=local.bearer, server_url=local.url) as core:
            out.print(f"A local server is running at {local.url}", style="dim")
            quick, slow = (deployment_id or local.deployments[name] for name in ("picture", "slow"))
            return show(core, out, output, quick=quick, slow=slow)
    if api_key is None or deployment_id is None:
        raise click.UsageError("--server-url needs COMFYDEPLOY_API_KEY in the environment and --deployment-id")
    with ComfyDeployCore(bearer=api_key, server_url=server_url) as core:
        return show(core, out, output, quick=deployment_id, slow=deployment_id)
