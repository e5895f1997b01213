"""A problem with a data folder is one sentence with the path and what to do."""

import sqlite3
from contextlib import closing

import pytest

from comfydeploy.emulator import Emulator


def table(columns, *rows):
    def write(path):
        database = sqlite3.connect(path)
        database.execute(f"CREATE TABLE runs ({columns})")
        for row in rows:
            database.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(row))})", row)
        database.commit()
        database.close()

    return write


def newer(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


OURS = "id TEXT PRIMARY KEY, status TEXT, run TEXT, log TEXT"


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_bytes(b"\x00garbage" * 1000), "is damaged, or no database .*move it away"),
        (lambda path: path.mkdir(), "cannot be opened and written .*check its permissions"),
        (table("id TEXT PRIMARY KEY, run TEXT"), "was written by another program or version: move it away"),
        (table(OURS, ("a", "success", '{"id": "a"}', None)), "has runs that were written by another version"),
        (newer, "was written by a newer version of comfydeploy: update it"),
    ],
)
def test_database_that_cannot_be_used(tmp_path, write, said):
    write(tmp_path / "runs.sqlite")
    with pytest.raises(OSError, match=rf"runs\.sqlite {said}"):
        Emulator(data=tmp_path).start()


def test_database_cut_in_half(tmp_path, connect):
    with Emulator(data=tmp_path, pace=0) as emulator:
        for _ in range(20):
            connect(emulator).post("/run/sync", json={"deployment_id": emulator.deployments["picture"]})
    path = tmp_path / "runs.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(OSError, match="is damaged, or no database"):
        Emulator(data=tmp_path).start()


def test_database_that_another_program_has_locked(tmp_path, monkeypatch):
    monkeypatch.setattr("comfydeploy._emulator.runs.database._WAIT", 0)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)) as other:
        other.execute("CREATE TABLE x (a)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="is locked by another program"):
            Emulator(data=tmp_path).start()


def test_folder_belongs_to_one_server(tmp_path):
    with Emulator(data=tmp_path) as emulator:
        run = emulator.runs
        with pytest.raises(OSError, match=r"in use by another local server \(process \d+\): stop it"):
            Emulator(data=tmp_path).start()
        assert emulator.runs == run
    with Emulator(data=tmp_path):
        pass


def test_database_of_earlier_version_is_kept(tmp_path):
    table(OURS)(tmp_path / "runs.sqlite")
    with Emulator(data=tmp_path) as emulator:
        assert emulator.runs == ()
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
