"""The locks by which owners are recognized as alive or dead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from comfydeploy._mapping import forks, owners
from comfydeploy._mapping.owners import Session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the lease alone decides there")
DYING = (
    "import sys; from comfydeploy._mapping.owners import Session; s = Session(sys.argv[1]); print(s.name, flush=True)"
)


@pytest.fixture
def journal(tmp_path):
    return str(tmp_path / "j")


@pytest.fixture
def session(journal):
    made = Session(journal)
    yield made
    made.close()


def locks_of(journal):
    return [*Path(journal).parent.iterdir()]


def test_a_living_owner(journal, session):
    other = Session(journal)
    assert session.is_alive(f"{session.name}1")
    assert session.is_alive(f"{other.name}1")
    other.close()
    other.close()
    assert session.is_alive(f"{other.name}1") is False
    assert len(locks_of(journal)) == 1


def test_an_owner_whose_process_has_died(journal, session):
    code = f"{DYING}; import os; os._exit(9)"
    name = subprocess.run([sys.executable, "-c", code, journal], capture_output=True, text=True, check=False).stdout
    assert len(locks_of(journal)) == 2
    assert session.is_alive(f"{name.strip()}1") is False
    assert len(locks_of(journal)) == 1


def test_owner_elsewhere_is_not_known(session):
    assert session.is_alive("elsewhere~1/0123/1") is None
    assert session.is_alive("garbage") is None


def test_owner_before_a_restart_is_dead(session):
    node = session.name.partition("~")[0]
    assert session.is_alive(f"{node}~another/0123/1") is False


def test_machine_without_a_boot_id(monkeypatch, tmp_path):
    monkeypatch.setattr(owners, "_BOOT", tmp_path / "none")
    assert owners.machine().endswith("~0")


def test_unreadable_lock_says_nothing(session, monkeypatch):
    def fail(*_):
        raise PermissionError

    machine = session.name.split("/")[0]
    monkeypatch.setattr(os, "open", fail)
    assert session.is_alive(f"{machine}/0123/1") is None


def test_owner_that_is_no_name_of_a_file(session):
    assert session.is_alive(f"{session.name.partition('/')[0]}/a\0/1") is None


def test_locks_of_the_dead_are_removed(journal, session):
    left = Path(f"{journal}-0123.lock")
    left.touch()
    Session(journal).close()
    assert not left.exists()
    assert len(locks_of(journal)) == 1


def test_lock_removed_before_it_is_held(journal, monkeypatch):
    lock, times = owners._lock, []

    def removed(file):
        times.append(file)
        if len(times) == 1:
            Path(locks_of(journal)[0]).unlink()
        if len(times) == 2:
            raise BlockingIOError
        lock(file)

    monkeypatch.setattr(owners, "_lock", removed)
    made = Session(journal)
    assert len(times) == 3
    made.close()


def test_file_system_without_locks(journal, monkeypatch):
    def fail(_):
        raise OSError(95, "not supported")

    monkeypatch.setattr(owners, "_lock", fail)
    with pytest.raises(OSError, match="not supported"):
        Session(journal)


def test_a_child_does_not_keep_its_parent_alive(journal, session):
    parent = Session(journal)
    forks._after_fork()  # what runs in a child: it has descriptors of its own there
    assert session.is_alive(f"{parent.name}1") is False
    assert session._file is None
