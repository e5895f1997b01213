"""A journal that was open at a fork cannot be used in the child."""

import pytest

from comfydeploy._mapping import forks, sqlite
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy.errors import SDKValidationError


def test_open_journal_is_refused_in_a_child(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "_inherited", set())
    first, second = (Sqlite(str(tmp_path / name), None, 300.0) for name in ("first", "second"))
    second.close()
    forks._after_fork()  # what runs in a child
    with pytest.raises(SDKValidationError, match=r"first was open in the process from which .*get_context"):
        Sqlite(str(tmp_path / "first"), None, 300.0)
    Sqlite(str(tmp_path / "second"), None, 300.0).close()
    first.close()
