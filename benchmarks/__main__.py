"""Run all benchmarks, or the named ones, and print one summary of the targets."""

import json
import platform
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import peers

if TYPE_CHECKING:
    from benchmarks.table import Sections, Verdict

_NAMES: Final = (
    "call_overhead",
    "stream",
    "import_time",
    "memory",
    "decode",
    "concurrency",
    "live",
    "files",
    "waiting",
    "map",
    "journals",
)


def main() -> None:
    """Run the benchmarks of the command line."""
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"names: {', '.join(_NAMES)}")
    parser.add_argument("--quick", action="store_true", help="few rounds: about five minutes for all, for a first look")
    parser.add_argument("--json", action="store_true", help="for machines, in place of the tables")
    parser.add_argument("--svg", type=Path, metavar="PATH", help="draw the summary into this file as well")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(_NAMES)):
        parser.error(f"unknown: {', '.join(unknown)} (known: {', '.join(_NAMES)})")
    peers.CONTENDERS.enter()
    from benchmarks import plot, table

    found: list[Verdict] = []
    documents: list[dict[str, Any]] = []
    for name in arguments.names or _NAMES:
        sections: Sections = import_module(f"benchmarks.{name}").sections
        for section in sections(quick=arguments.quick):
            found += table.verdicts(section)
            documents.append(table.document(name, section))
            if not arguments.json:
                _print(table.shown(section))
    if arguments.svg:
        arguments.svg.write_text(plot.drawn(found, f"CPython {platform.python_version()}, {platform.machine()}"))
    _print(
        json.dumps({"python": sys.version, "sections": documents}, indent=2) if arguments.json else table.summary(found)
    )


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
