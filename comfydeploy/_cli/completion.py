"""``comfydeploy completion``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import COMPLETION_VARIABLE, PROGRAM, Session, command

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


_HELP = """Print the script that completes commands and options in a shell.

\b
bash, in ~/.bashrc:
  eval "$(comfydeploy completion bash)"
zsh, in ~/.zshrc:
  eval "$(comfydeploy completion zsh)"
fish, in ~/.config/fish/config.fish:
  comfydeploy completion fish | source
"""


@click.command(help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@command()
def completion(session: Session, /, shell: str) -> "Exit":
    """Print the script that completes commands and options in a shell."""
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    from comfydeploy._cli.exit_codes import Exit

    kind = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    # The text depends only on the name of the program.
    script = kind(click.Command(PROGRAM), {}, PROGRAM, COMPLETION_VARIABLE).source()
    session.out.line(script)
    return session.out.ended(Exit.OK, {"shell": shell, "script": script})
