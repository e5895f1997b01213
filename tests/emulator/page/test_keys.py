"""The keys of the page, and where they are documented."""

import re
from pathlib import Path

DOCUMENTED = Path(__file__).parents[3] / "docs" / "local-server.md"


def test_every_key_is_documented(visitor):
    failed = visitor.queue("failing")
    visitor.emulator.advance(10)
    running = visitor.queue()
    deployment = visitor.emulator.deployments["picture"]
    found = set()
    for path in (f"/runs/{failed}", f"/runs/{running}", f"/deployments/{deployment}", "/?q=a", "/?page=1"):
        keys = re.findall(r'aria-keyshortcuts="(.*?)"', visitor.raw(path))
        assert len(keys) == len(set(keys)), path
        found |= set(keys)
    documented = re.findall(
        r"^\| (`.*?) \|", DOCUMENTED.read_text(encoding="utf-8").partition("| key |")[2], re.MULTILINE
    )
    explained = {key for line in documented for key in re.findall("`(.)`", line)}
    assert found - {"?"} <= explained
    assert {"o", "p", "j", "k", "s"} <= explained
