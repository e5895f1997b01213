"""``comfydeploy doctor``."""

import os
from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import KEY_VARIABLE, Session, command

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit

_MARKS = {"ok": "ok      ", "note": "note    ", "problem": "PROBLEM "}


@click.command()
@command()
def doctor(session: Session, /) -> "Exit":
    """Check the key, the connection to the server, TLS, proxies, the clock, versions and the server's documents.

    The key is never printed, and nothing is created. The exit code is 1 where there is a problem.
    """
    from comfydeploy._cli.examination import examine
    from comfydeploy._cli.exit_codes import Exit

    out, findings = session.out, list[dict[str, str]]()
    for one in examine(os.environ.get(KEY_VARIABLE)):
        out.line(f"{_MARKS[one.level]}{one.name:<10}{one.text}")
        findings.append(one._asdict())
    code = Exit.ERROR if any(one["level"] == "problem" for one in findings) else Exit.OK
    return out.ended(code, {"findings": findings})
