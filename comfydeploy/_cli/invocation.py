"""One invocation of the command line: the frame of every command that talks to a server."""

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from comfydeploy._cli.interrupts import Interrupts
from comfydeploy._cli.ledger import Ledger, last_words

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit
    from comfydeploy._cli.output import Output
    from comfydeploy.core import ComfyDeployCore

P = ParamSpec("P")

KEY_VARIABLE = "COMFYDEPLOY_API_KEY"
SERVER_VARIABLE = "COMFYDEPLOY_SERVER_URL"
PROGRAM = "comfydeploy"
COMPLETION_VARIABLE = "_COMFYDEPLOY_COMPLETE"


class Invocation:
    """The common state of process and command: the ledger, the signals, and the output of the command."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.interrupts = Interrupts(lambda: last_words(self.ledger.state))
        self.out: Output | None = None

    @property
    def code(self) -> "Exit | None":
        """The exit code, once the command has ended."""
        return self.out.code if self.out else None


class Session:
    """The objects of a command: its output, its ledger, and a core for the server in the environment."""

    def __init__(self, out: "Output", ledger: Ledger, interrupts: Interrupts) -> None:
        self.out = out
        self.ledger = ledger
        self.interrupts = interrupts

    def core(self) -> "ComfyDeployCore":
        """Return a core, which notes in the ledger when the request of a run leaves; a missing key is a usage error."""
        if not os.environ.get(KEY_VARIABLE):
            raise click.UsageError(
                f"{KEY_VARIABLE} is not set: export it with your API key. That of `comfydeploy emulator` is local-key, "
                f"with {SERVER_VARIABLE}=http://localhost:3011/api"
            )
        from comfydeploy.core import ComfyDeployCore
        from comfydeploy.funcs.run_queue import OPERATION
        from comfydeploy.hooks import HookContext, Hooks, Request

        def note(context: HookContext, _: Request) -> None:
            if context.operation_id == OPERATION.id:
                self.ledger.sent()

        return ComfyDeployCore(hooks=(Hooks(before_request=note),))


def open_output(
    invocation: Invocation, command: str, *, as_json: bool, addresses: bool = False, does_work: bool
) -> "Output":
    """Create the output of a command."""
    from comfydeploy._cli.output import Output
    from comfydeploy._cli.privacy import Privacy
    from comfydeploy.models.secret import Secret

    privacy = Privacy(addresses, Secret(os.environ.get(KEY_VARIABLE, "")))
    invocation.out = Output(command, invocation.ledger, privacy, as_json=as_json, does_work=does_work)
    return invocation.out


def command(
    *, does_work: bool = False, has_addresses: bool = False
) -> Callable[[Callable[Concatenate[Session, P], "Exit"]], Callable[..., None]]:
    """Add ``--json`` and a session to a command, which returns its exit code.

    ``does_work``: it goes on where the reader of its output has ended. ``has_addresses``: it has ``--addresses``.
    """

    def decorate(function: Callable[Concatenate[Session, P], "Exit"]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print JSON, one record a line.")
        @click.pass_context
        @wraps(function)
        def invoked(ctx: click.Context, /, *, as_json: bool, addresses: bool = False, **arguments: Any) -> None:
            invocation = ctx.ensure_object(Invocation)
            name = ctx.info_name or ""
            out = open_output(invocation, name, as_json=as_json, addresses=addresses, does_work=does_work)
            body: Any = function  # whose arguments click checks
            ctx.exit(body(Session(out, invocation.ledger, invocation.interrupts), **arguments))

        if has_addresses:
            text = "Show addresses with their signed part, which is a secret."
            return click.option("--addresses", is_flag=True, help=text)(invoked)
        return invoked

    return decorate
