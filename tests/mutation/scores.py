"""The score of each module, in `README.md`: what was measured last stays until it is measured again."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

README = Path(__file__).with_name("README.md")
HEAD = """# Mutation testing

`uv run python tests/mutation` changes what decides without I/O, and the pool of connections, in one small place at a
time, and runs the tests that take the changed line: a change that no test finds could be a mistake. With names it tests
those modules alone, with `--every 4` a quarter of the changes. It writes this page. `known.txt` has the changes that
are equivalent, each with its reason. Words of messages are not changed: tests hold what a message names.

{total}

| module | mutants | found | equivalent | survived | score |
|---|--:|--:|--:|--:|--:|
"""
SURVIVED = """
## What no test finds

A lock that is taken away shows only in a race, and a wait at the moment of its end only by chance. The others are gaps.

"""


def write(tried: list[Any], equivalent: set[Any], survivors: list[Any], every: int) -> None:
    """Write the scores and survivors of the modules that were tried, beside those of the others."""
    rows = _rows()
    made, left = Counter(case.path for case in tried), Counter(case.path for case in survivors)
    same = Counter(path for path, _ in equivalent)
    for path, number in made.items():
        tested = number - same[path]
        row = [tested - left[path], same[path], left[path]]
        rows[path] = [f"{number}" if every == 1 else f"{number}, 1 of {every}", *map(str, row), _score(row[0], tested)]
    sums = [sum(int(row[column]) for row in rows.values()) for column in (1, 2, 3)]
    tested = sums[0] + sums[2]
    total = f"{sums[0]} of {tested} are found: {_score(sums[0], tested)}. {sums[1]} more are equivalent."
    lines = [f"| `{path}` | {' | '.join(row)} |\n" for path, row in sorted(rows.items())]
    found = [f"`{case.path}:{case.mutant.line}` {case.mutant.change}" for case in survivors]
    found += [line for line in _survivors() if line[1:].partition(":")[0] not in made]
    text = HEAD.format(total=total) + "".join(lines) + SURVIVED + "".join(f"- {line}\n" for line in sorted(found))
    README.write_text(text, encoding="utf-8")


def _survivors() -> list[str]:
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    return re.findall(r"^- (`.+)$", text, re.MULTILINE)


def _rows() -> dict[str, list[str]]:
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    return {path: rest.split(" | ") for path, rest in re.findall(r"^\| `(.+)` \| (.+) \|$", text, re.MULTILINE)}


def _score(found: int, tested: int) -> str:
    return f"{100 * found / tested:.1f} %" if tested else "-"
