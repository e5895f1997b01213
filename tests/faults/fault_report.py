"""The figures of a run of the matrix or of the soak, and ``README.md``, which has both and the findings."""

import json
import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fault_oracle import Trial
from fault_selection import families
from fault_trials import Observed

FOLDER: Final = Path(__file__).parent
FIGURES: Final = FOLDER / "figures.json"
FINDINGS: Final = FOLDER / "findings.md"
README: Final = FOLDER / "README.md"
COUNTS: Final = ("tried", "survived", "requests", "runs", "sent twice", "leaks", "escapes")

HEAD: Final = """# Faults

Every operation in `funcs/`, blocking and async, against a server that does everything wrong, over real sockets. The
expected result of each trial is computed from the facts of the operation, of the fault and of the options, by one
function: `fault_oracle.py`. The figures below are written by the suite.

- **tried**: calls with a fault. **survived**: those with the expected kind of error, `fate`, `run_id`, number of
  requests and of runs, open connections and time, after which the same connection pool served the next call.
- **requests** that reached the server, and **runs** that it created for them.
- **sent twice**: calls with more than one run. **leaks**: calls that left a descriptor open. **escapes**: exceptions.

| command | does |
|---|---|
| `pytest tests/faults` | a part of the matrix, with each fault, each operation, each option |
| `python tests/faults` | the whole matrix, in some hours of one processor; `--every 10` makes each tenth trial |
| `python tests/faults soak --scale 0.01` | the soak, at a hundredth of its size |
"""


def tally(trials: Iterable[tuple[Trial, list[str], Observed]]) -> dict[str, dict[str, int]]:
    """Count the trials of each family."""
    counted: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for trial, problems, seen in trials:
        row = counted[trial.fault.family]
        row["tried"] += 1
        row["survived"] += not problems
        row["requests"] += len(seen.requests) + seen.others
        row["runs"] += seen.runs
        row["sent twice"] += seen.runs > 1
        row["leaks"] += seen.left > 0
        row["escapes"] += seen.escaped is not None
    return dict(counted)


def merged(parts: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Return the sums of several tallies."""
    counted: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for part in parts:
        for family, row in part.items():
            for name, count in row.items():
                counted[family][name] += count
    return dict(counted)


def record(section: str, figures: Mapping[str, Any]) -> None:
    """Keep the figures of a section, and write the page again."""
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    where = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.system()}"
    known[section] = {"where": where, **figures}
    FIGURES.write_text(json.dumps(known, indent=1) + "\n")
    README.write_text(page(known))


def page(figures: Mapping[str, Any]) -> str:
    """Return the page."""
    parts = [HEAD]
    if matrix := figures.get("matrix"):
        parts += ["## The matrix\n", f"{matrix['where']}; {matrix['what']}.\n", _families(matrix["families"])]
    if soak := figures.get("soak"):
        parts += ["## Soak and load\n", f"{soak['where']}; {soak['what']}.\n", _rows(soak["rows"])]
    parts += ["## What each attack found and where it was mended\n", FINDINGS.read_text().strip()]
    return "\n".join(parts) + "\n"


def _families(counted: Mapping[str, Mapping[str, int]]) -> str:
    names = [name for name in families() if name in counted]
    total = {count: sum(counted[name][count] for name in names) for count in COUNTS}
    rows = [[name, *(f"{counted[name][count]:,}" for count in COUNTS)] for name in names]
    rows.append(["**all**", *(f"**{total[count]:,}**" for count in COUNTS)])
    return _table(["fault", *COUNTS], rows)


def _rows(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return _table(names, [[_shown(row.get(name, "")) for name in names] for row in rows])


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if isinstance(value, float) else str(value)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [head, *rows]]
    rule = "|" + "|".join("---" if number == 0 else "---:" for number in range(len(head))) + "|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"
