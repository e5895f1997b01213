"""The command line: ``comfydeploy`` and ``python -m comfydeploy``."""

import sys


def main() -> None:
    """Run the command line, which needs the extra ``comfydeploy[cli]``."""
    try:
        # First, so that a signal during the imports below ends the process without a traceback.
        from comfydeploy._cli.interrupts import exit_at_signals

        exit_at_signals()
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        from comfydeploy._cli.process import run_command
    except ModuleNotFoundError as missing:
        needed = "the commands need the extra: in a checkout, pip install '.[cli]'"
        sys.exit(f"{missing.name} is not installed; {needed}")
    code = run_command(sys.argv[1:])
    exit_at_signals(code)  # what is left is the end of the interpreter
    sys.exit(code)


if __name__ == "__main__":
    main()
