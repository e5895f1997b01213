"""The group of commands, each loaded when it is used."""

from importlib import import_module
from pathlib import Path
from typing import Final

import click

_COMMANDS: Final = {
    "run": ("running", "run", "Create a run of a deployment, follow it and save its files."),
    "watch": ("watching", "watch", "Print the states of runs as they change."),
    "wait": ("waiting", "wait", "Wait until runs have ended."),
    "cancel": ("cancelling", "cancel", "Cancel runs."),
    "download": ("downloading", "download", "Save the files of runs."),
    "logs": ("run_logs", "logs", "Print the logs of runs."),
    "list": ("run_lists", "list_runs", "List runs, newest first."),
    "deployments": ("deployment_list", "deployments", "List deployments, and their inputs."),
    "upload": ("uploading", "upload", "Upload files and print their addresses."),
    "find": ("finding", "find", "Find the runs of a key."),
    "map": ("mapping", "run_jobs", "Run the jobs of a file, each once, and resume after any crash."),
    "doctor": ("doctor", "doctor", "Check the key, the server and the way to it."),
    "completion": ("completion", "completion", "Print the script that completes commands in a shell."),
    "emulator": ("local_server", "emulator", "Serve the API on this computer until Ctrl-C."),
    "demo": ("demo", "demo", "Show the operations at work, without a key or a network."),
}
"""The module and the name of each command, and its description in the list of commands."""


class _Commands(click.Group):
    """Loads a command when it is used; the list of commands loads none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f"comfydeploy._cli.{module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])
        from comfydeploy._cli.exit_codes import Exit

        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), code.meaning) for code in Exit])


def _print_version(ctx: click.Context, _: click.Parameter, is_given: bool) -> None:  # noqa: FBT001 - a callback of click
    if is_given and not ctx.resilient_parsing:
        from comfydeploy._version import __version__

        click.echo(f"comfydeploy, version {__version__}")
        ctx.exit()


def _print_schema(ctx: click.Context, _: click.Parameter, is_given: bool) -> None:  # noqa: FBT001 - the same
    if is_given and not ctx.resilient_parsing:
        click.echo(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"), nl=False)
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON schema of what --json prints.",
)
def comfydeploy() -> None:
    """Run ComfyUI workflows on ComfyDeploy, or on a server on this computer.

    The key is read from COMFYDEPLOY_API_KEY, the server from COMFYDEPLOY_SERVER_URL.
    """
