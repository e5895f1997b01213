"""``comfydeploy upload``."""

from typing import TYPE_CHECKING

import click

from comfydeploy._cli.invocation import Session, command

if TYPE_CHECKING:
    from comfydeploy._cli.exit_codes import Exit


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@command(does_work=True, has_addresses=True)
def upload(session: Session, /, files: tuple[str, ...]) -> "Exit":
    """Upload files and print their addresses, which are values for inputs."""
    from comfydeploy._cli.exit_codes import Exit, exit_code
    from comfydeploy._cli.progress import Progress
    from comfydeploy.funcs.file_upload import file_upload
    from comfydeploy.result import Success

    out, codes = session.out, dict[str, Exit]()
    with session.core() as core, Progress(out, is_quiet=True) as progress:
        for file in files:

            def show(sent: int, size: int, file: str = file) -> None:
                progress.say(f"{file}  {sent / max(size, 1):.0%} of {size:,} bytes")

            result = file_upload(core, file, progress=show)
            codes[file] = exit_code(result, creates_run=False)
            with progress.paused(""):
                if isinstance(result, Success):
                    address = result.unwrap().file_url
                    out.line(address)
                    out.event("uploaded", data={"path": file, "address": address})
                else:
                    out.event("problem", data={"path": file, "address": None}, error=result.failure())
                    out.problem(result.failure())
    return out.ended(max(codes.values()), {"exit_codes": codes})
