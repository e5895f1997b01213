"""``comfydeploy emulator``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comfydeploy._cli.invocation import Session, command
from comfydeploy._emulator.quirks.catalogue import ALL, Quirk

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit
    from comfydeploy._cli.output import Output
    from comfydeploy.emulator import Emulator

_HELP = "help"


def _explain_quirks(ctx: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if _HELP in value and not ctx.resilient_parsing:
        formatter = ctx.make_formatter()
        formatter.write_dl([(one, f"{one.explanation} {one.trigger and f'Here: {one.trigger}'}") for one in Quirk])
        click.echo(formatter.getvalue(), nl=False)
        ctx.exit()
    return value


@click.command()
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
    type=click.Choice([*(quirk.value for quirk in Quirk), ALL, _HELP]),
    callback=_explain_quirks,
    help="Misbehave as the real server does; may be given several times. `all` is all of them, `help` explains them.",
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
@command(does_work=True)
def emulator(session: Session, /, **settings: Any) -> "Exit":
    """Serve the API on this computer until Ctrl-C.

    It runs runs: they take a while, report their progress, draw a picture from their inputs and call their webhook.
    Its page shows them live in a browser.
    Without --data everything is forgotten at the end. An input `fail` (true, or a message) makes a run fail.

    With --comfyui the graphs of workflow runs, and those of --workflows, are executed on your own GPU.
    """
    from comfydeploy._cli.exit_codes import Exit

    try:
        from comfydeploy.emulator import Emulator

        Emulator(**settings).serve_forever(lambda running: _announce(session.out, running))
    except OSError as error:
        # Without a file it is a port: the text without the number of the error.
        text = error.strerror if error.filename is None else None
        raise click.ClickException(text or str(error)) from None
    except (ValueError, ModuleNotFoundError) as error:
        raise click.ClickException(str(error)) from None
    return session.out.ended(Exit.OK)


def _announce(out: "Output", running: "Emulator") -> None:
    page = running.url.removesuffix("api")
    out.line(f"server_url  {running.url}")
    out.line(f"bearer      {running.bearer}")
    out.line(f"page        {page}")
    out.line("deployment_id:")
    width = max(map(len, running.deployments))
    for name, deployment_id in running.deployments.items():
        out.line(f"  {name:<{width}}  {deployment_id}")
    problems = running.check()  # which waits for ComfyUI
    for problem in problems:
        out.line(f"Problem: {problem}")
    out.line("Ctrl-C ends it.")
    served = {"server_url": running.url, "bearer": running.bearer, "page": page}
    out.event("serving", data={**served, "deployments": {**running.deployments}, "problems": [*problems]})
