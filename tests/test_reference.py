"""Every public module is in the API reference; the build of the site checks the names in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PUBLIC = re.findall(r"^# (comfydeploy\S*)$", (ROOT / "tests/public_api.txt").read_text(encoding="utf-8"), re.MULTILINE)
REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/api").glob("*.rst"))


def test_every_public_module_is_in_reference():
    described = set(re.findall(r"^\.\. automodule:: (\S+)$", REFERENCE, re.MULTILINE))
    # The names of the first are those of other modules, and the second has none.
    assert set(PUBLIC) - {"comfydeploy", "comfydeploy.funcs"} == described, "add it to a page in docs/api"
