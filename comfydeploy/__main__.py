"""``comfydeploy`` and ``python -m comfydeploy``."""

import sys


def main() -> None:
    """Run the command line, which needs the extra ``comfydeploy[emulator]``."""
    try:
        from comfydeploy._cli.commands import comfydeploy
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed; the commands need: pip install 'comfydeploy[emulator]'")
    comfydeploy(prog_name="comfydeploy")


if __name__ == "__main__":
    main()
