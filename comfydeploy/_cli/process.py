"""The process of a command: its arguments, its exit code, and its last words."""

import os
import sys
from collections.abc import Sequence

import click

from comfydeploy._cli.commands import comfydeploy
from comfydeploy._cli.consoles import NoReaderError
from comfydeploy._cli.exit_codes import Exit
from comfydeploy._cli.interrupts import Interrupted
from comfydeploy._cli.invocation import COMPLETION_VARIABLE, PROGRAM, Invocation, open_output
from comfydeploy._cli.ledger import last_words

_SIGINT = 2


def run_command(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code. Main thread only: it handles signals."""
    if COMPLETION_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(comfydeploy, {}, PROGRAM, COMPLETION_VARIABLE, os.environ[COMPLETION_VARIABLE])
    invocation = Invocation()
    with invocation.interrupts as interrupts:
        try:
            code = _executed(invocation, [*arguments])
        except KeyboardInterrupt as error:
            if invocation.code is None:
                number = error.number if isinstance(error, Interrupted) else _SIGINT
                return _interrupted(invocation, arguments, 128 + number)
            return invocation.code
        except Exception:
            sys.stderr.write(f"{last_words(invocation.ledger.state, 'The command has failed')}\n")
            raise
        if interrupts.number is not None and invocation.code is None:
            return _interrupted(invocation, arguments, 128 + interrupts.number)
    return code


def _executed(invocation: Invocation, arguments: list[str]) -> int:
    try:
        with comfydeploy.make_context(PROGRAM, arguments, obj=invocation) as ctx:
            comfydeploy.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        kind = "UsageError" if isinstance(error, click.UsageError) else "Error"
        _stopped(invocation, arguments, error.exit_code, kind, error.format_message(), _complaint(error))
        return error.exit_code
    except NoReaderError:
        return Exit.NO_READER
    return Exit.OK


def _interrupted(invocation: Invocation, arguments: Sequence[str], code: int) -> int:
    words = last_words(invocation.ledger.state)
    _stopped(invocation, arguments, code, "Interrupted", words, words)
    return code


def _stopped(invocation: Invocation, arguments: Sequence[str], code: int, kind: str, *texts: str) -> None:
    """Write why a command has ended early: as the message of the record, and as text."""
    if invocation.out is None:
        name = next((one for one in arguments if not one.startswith("-")), PROGRAM)
        options = arguments[: arguments.index("--")] if "--" in arguments else arguments
        open_output(invocation, name, as_json="--json" in options, does_work=True)
    if invocation.out is not None:
        invocation.out.stopped(Exit.of(code), kind, *texts)


def _complaint(error: click.ClickException) -> str:
    lines = [f"Error: {error.format_message()}"]
    if isinstance(error, click.UsageError) and error.ctx is not None:
        lines = [error.ctx.get_usage(), f"Try '{error.ctx.command_path} --help' for help.", "", *lines]
    return "\n".join(lines)
