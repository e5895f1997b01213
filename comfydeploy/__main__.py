"""The command line: ``comfydeploy`` and ``python -m comfydeploy``."""

import sys


def main() -> None:
    """Run the command line, which needs the extra ``comfydeploy[emulator]``."""
    try:
        from comfydeploy._cli.commands import comfydeploy
    except ModuleNotFoundError as missing:
        needed = "the commands need the extra: in a checkout, pip install '.[emulator]'"
        sys.exit(f"{missing.name} is not installed; {needed}")
    comfydeploy(prog_name="comfydeploy")


if __name__ == "__main__":
    main()
