"""Any bytes in the file of a journal, and any values in its rows, are rows or one error that says what is damaged."""

import json
import sqlite3
from contextlib import closing, suppress

import pytest
from documents import CORPUS, VALUES, documents
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydeploy._drivers.maps.items import stored_item
from comfydeploy._mapping.actions import Terms
from comfydeploy._mapping.contact_sheet import write_sheet
from comfydeploy._mapping.jobs import read_job
from comfydeploy._mapping.journal import Entry
from comfydeploy._mapping.protocol import begin, is_free, reopening
from comfydeploy._mapping.rows import Claim, Finish, Record, Try
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy._mapping.stored import error_of
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import WorkflowRunModel
from comfydeploy.outcome import RunFailed

pytestmark = pytest.mark.usefixtures("each_parser")

FEW = settings(max_examples=max(settings.default.max_examples // 10, 5))
"""A tenth of the examples: each writes a file."""

KEYS = ["done", "failed", "tried", "new"]
JOB = read_job(0, {"deployment_id": "d"})
COLUMNS = (
    "state",
    "attempt",
    "owner",
    "lease",
    "tried_at",
    "since",
    "run_id",
    "run",
    "error",
    "files",
    "digest",
    "request",
    "place",
)
RUN = WorkflowRunModel(id="r", status="success", raw={"id": "r", "status": "success"})
FAILED = RunFailed("failed", RUN, "r", "node", "5", "KSampler", logs=("one", "two"), source="logs")
ERRORS = st.fixed_dictionaries(
    {"error": st.sampled_from(["RunFailed", "RunCancelled", "RunTimedOut", "Other"]) | VALUES},
    optional={"message": VALUES, "run_id": VALUES, "kind": VALUES, "logs": VALUES, "source": VALUES, "other": VALUES},
)
TEXTS = st.builds(json.dumps, VALUES | documents(WorkflowRunModel) | ERRORS)
STORED = (
    TEXTS
    | TEXTS.map(lambda text: text[:-1])
    | st.none()
    | st.integers(-9, 2**62)
    | st.floats(allow_nan=False)
    | st.binary(max_size=4)
    | st.sampled_from(["done", "created", "ended", "trying", "2026-11-25", "a\0/b"])
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A journal with a row of each kind."""
    path = tmp_path_factory.mktemp("journal") / "written"
    with closing(Sqlite(str(path), "map", 300.0)) as journal:
        rows = journal.add([Entry(key, JOB.digest, "{}", key) for key in KEYS])
        owner = f"{journal.session}1"
        steps = [Claim(row.id, owner, 1.0, None, 0.0) for row in rows[:3]] + [
            Try(row.id, owner, 1.0, 1.0, "2026-11-25T03:04:05+00:00", None) for row in rows[:3]
        ]
        steps += [Record(rows[0].id, owner, "r"), Record(rows[1].id, owner, "r")]
        steps += [Finish(rows[0].id, owner, RUN, None, ("a.png",)), Finish(rows[1].id, owner, RUN, FAILED, None)]
        for step in steps:
            journal.carry_out([step])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("journals")


def used(path):
    """Use a journal as a map does at its beginning; return the number of its rows that could be read."""
    read = 0
    with suppress(SDKValidationError, sqlite3.Error), closing(Sqlite(str(path), None, 300.0)) as journal:
        for key in [*KEYS, "unknown"]:
            with suppress(SDKValidationError, sqlite3.Error):
                journal.add([Entry(key, JOB.digest, "{}", key)])
                for known in filter(None, journal.find([key])):
                    row, read = known.row, read + 1
                    is_free(row, is_alive=row.owner and journal.is_alive(row.owner), wall=0.0)
                    reopening(row, error_of(row.error, None), Terms(attempts=2, saves=True), "me", 0.0)
                    if row.state == "done":
                        stored_item(JOB, row)
                    elif claimed := journal.carry_out([Claim(row.id, "me", 1.0, row.owner, row.lease)])[0]:
                        begin(claimed, Terms(), 0.0)
    with suppress(SDKValidationError):
        write_sheet(path, path.with_suffix(".html"), None)
    return read


def fresh(folder, content):
    for left in folder.iterdir():
        left.unlink()
    path = folder / "j"
    path.write_bytes(content)
    return path


@FEW
@given(st.binary(max_size=200))
def test_any_file(folder, content):
    # A file in which SQLite sees no database yet is a new journal.
    assert used(fresh(folder, content)) in {0, len(KEYS) + 1}


@FEW
@given(
    st.lists(st.tuples(st.integers(0, 2**20), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    st.integers(0, 4),
)
def test_any_damage(written, folder, places, cut):
    whole = written.read_bytes()
    content = bytearray(whole[: len(whole) - cut * 1000])
    for place, data in places:
        start = place % len(content)
        content[start : start + len(data)] = data[: len(content) - start]
    assert used(fresh(folder, bytes(content))) <= len(KEYS) + 1


def check_row(written, folder, key, column, value):
    path = fresh(folder, written.read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as database, suppress(sqlite3.Error):
        database.execute(f"UPDATE jobs SET {column} = ? WHERE key = ?", (value, key))
    assert used(path) >= len(KEYS) - 1


@FEW
@given(st.sampled_from(KEYS), st.sampled_from(COLUMNS), STORED)
def test_any_row(written, folder, key, column, value):
    check_row(written, folder, key, column, value)


@pytest.mark.parametrize("one", CORPUS["journals"], ids=lambda one: one["why"].replace(" ", "-"))
def test_kept_row(written, folder, one):
    for key in KEYS:
        check_row(written, folder, key, one["column"], one["value"])


def test_written_journal_is_read(written, folder):
    assert used(fresh(folder, written.read_bytes())) == len(KEYS) + 1
