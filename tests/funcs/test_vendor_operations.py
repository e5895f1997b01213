"""The comparison with the vendor's SDKs names functions and routes that there are."""

import pkgutil
import re
from pathlib import Path

import pytest

from comfydeploy import funcs, webhooks
from comfydeploy._emulator.routes.service import ENDPOINTS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `[^|]* \| ([^|]*) \| ([^|]*) \|$", PAGE.partition("## Beside")[2], re.MULTILINE)
NAMES = {module.name for module in pkgutil.iter_modules(funcs.__path__)} | set(webhooks.__all__)
SERVED = {f"{one.method} {one.path.removeprefix('/api')}" for one in ENDPOINTS}


def test_there_are_rows_of_both_kinds():
    assert len([here for _, here in ROWS if "not here" not in here]) > 10
    assert len([here for _, here in ROWS if here.startswith("not here: ")]) >= 4


@pytest.mark.parametrize(("route", "here"), ROWS, ids=[route for route, _ in ROWS])
def test_row_is_true(route, here):
    routes = set(re.findall(r"`([A-Z]+ /[^`]*)`", route))
    if here.startswith("not here: "):
        assert not routes & SERVED
        assert len(here) > 30
    else:
        assert set(re.findall(r"`(\w+)`", here)) <= NAMES
        assert routes <= SERVED
