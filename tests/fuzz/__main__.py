"""All properties of the suite with many examples: ``python tests/fuzz --minutes 20`` prints their figures.

A property is any test with hypothesis. Each is tested with the examples of the profile ``long``, again and again with
other ones, until the time is over. An input that fails belongs into ``corpus.json``, or beside its test.
"""

import argparse
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COUNTS = re.compile(r"(\d+) (passing|failing|invalid)")


class Figures:
    """Chooses the properties among the tests, ends the run when the time is over, and counts examples."""

    def __init__(self, until):
        self._until = until
        self.counts = Counter()
        self.properties = set()
        self.failed = set()

    @property
    def is_late(self):
        return time.monotonic() >= self._until

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if getattr(getattr(item, "obj", None), "is_hypothesis_test", False)]

    def pytest_runtest_setup(self, item):
        if self.is_late:
            item.session.shouldstop = "the time is over"
            pytest.skip("the time is over")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.failed:
            self.failed.add(item.nodeid)
        if call.when == "teardown" and hasattr(item, "hypothesis_statistics"):
            self.properties.add(item.nodeid.partition("[")[0])
            for found in COUNTS.finditer(item.hypothesis_statistics):
                self.counts[found[2]] += int(found[1])
        return report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("paths", nargs="*", default=["tests"], help="of the tests; all by default")
    given = parser.parse_args()
    os.chdir(ROOT)
    figures = Figures(time.monotonic() + 60 * given.minutes)
    while not figures.is_late:
        quiet = [
            "-q",
            "--no-header",
            "--no-summary",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
        ]
        if pytest.main([*quiet, "--hypothesis-profile", "long", *given.paths], plugins=[figures]) > 2:
            sys.exit(1)
    counts = figures.counts
    sys.stdout.write(
        f"{len(figures.properties)} properties, {counts['passing'] + counts['failing']:,} examples "
        f"({counts['invalid']:,} more were invalid), {len(figures.failed)} failures\n"
    )
    sys.stdout.writelines(f"  {name}\n" for name in sorted(figures.failed))
    sys.exit(bool(figures.failed))


if __name__ == "__main__":
    main()
