"""The tests that ``SECURITY.md`` names exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROMISES = re.findall(r"^\| .* \|$", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_named_test_exists():
    named = [
        (file, test)
        for row in PROMISES
        for file, tests in re.findall(r"`(tests/[\w/]+\.py)`((?::? ?,? `test_\w+`)*)", row)
        for test in re.findall(r"`(test_\w+)`", tests) or [""]
    ]
    assert len(named) > 20
    missing = [(file, test) for file, test in named if f"def {test}" not in (ROOT / file).read_text(encoding="utf-8")]
    assert not missing


def test_every_promise_names_a_test_or_code():
    for row in PROMISES:
        if row not in ("| promise | test |", "|---|---|"):
            assert re.search(r"`(tests|comfydeploy)/[\w/]+\.py`", row.rpartition(" | ")[2]), row
