"""The statements of a journal in a database, common to SQLite and other databases.

Each statement that changes a row names its owner, so that it changes nothing where another one has taken it.
"""

import json
from typing import Any, Final

from comfydeploy._mapping.rows import End, Finish, Step
from comfydeploy._mapping.stored import error_text, run_text

SCHEMA: Final = (
    "CREATE TABLE map (uuid TEXT NOT NULL, name TEXT NOT NULL, longest_post REAL NOT NULL, spent INTEGER NOT NULL)",
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        request TEXT NOT NULL,
        place TEXT UNIQUE,
        state TEXT NOT NULL DEFAULT 'new',
        attempt INTEGER NOT NULL DEFAULT 1,
        owner TEXT,
        lease REAL NOT NULL DEFAULT 0,
        tried_at REAL,
        since TEXT,
        run_id TEXT,
        run TEXT,
        error TEXT,
        files TEXT
    )
    """,
    "CREATE INDEX owned ON jobs (owner) WHERE owner IS NOT NULL",
)

COLUMNS: Final = (
    "id",
    "key",
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
)
"""The columns of a ``Row``, in the order of the statements below."""

STATEMENTS: Final = {
    "find": """
        SELECT digest, place, id, key, state, attempt, owner, lease, tried_at, since, run_id, run, error, files
        FROM jobs WHERE key = ?
    """,
    "row": """
        SELECT id, key, state, attempt, owner, lease, tried_at, since, run_id, run, error, files
        FROM jobs WHERE id = ?
    """,
    "add": "INSERT INTO jobs (key, digest, request, place) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "create": "INSERT INTO map VALUES (?, ?, ?, ?)",
    "restore": """
        INSERT INTO jobs (id, key, digest, request, state, attempt, tried_at, since, run_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """,
    "request": "SELECT request FROM jobs WHERE id = ?",
    "adopt": "UPDATE jobs SET digest = ?, request = ? WHERE id = ?",
    "place": "UPDATE jobs SET place = ? WHERE id = ?",
    "claim": """
        UPDATE jobs SET owner = :owner, lease = :lease, state = CASE state WHEN 'new' THEN 'trying' ELSE state END
        WHERE id = :id AND state <> 'done' AND owner IS :seen_owner AND lease = :seen_lease
    """,
    "reopen": """
        UPDATE jobs SET owner = :owner, lease = :lease, state = :state, error = NULL, attempt = :attempt,
            tried_at = CASE WHEN attempt = :attempt THEN tried_at END,
            run_id = CASE WHEN attempt = :attempt THEN run_id END
        WHERE id = :id AND state = 'done'
    """,
    "is_first": "SELECT 1 FROM jobs WHERE id = ? AND tried_at IS NULL",
    "is_own": "SELECT 1 FROM jobs WHERE id = ? AND owner = ?",
    "try": """
        UPDATE jobs SET tried_at = :at, lease = :lease, since = :since
        WHERE id = :id AND owner = :owner AND state = 'trying'
        AND (tried_at IS NOT NULL OR :max_runs IS NULL OR (SELECT spent FROM map) < :max_runs)
    """,
    "spend": "UPDATE map SET spent = spent + ?",
    "unsend": "UPDATE jobs SET tried_at = NULL WHERE id = :id AND owner = :owner AND state = 'trying'",
    "record": """
        UPDATE jobs SET state = 'created', run_id = :run_id WHERE id = :id AND owner = :owner AND state = 'trying'
    """,
    "again": """
        UPDATE jobs SET state = 'trying', attempt = attempt + 1, tried_at = NULL, run_id = NULL
        WHERE id = :id AND owner = :owner AND state = 'created'
    """,
    "end": "UPDATE jobs SET state = 'ended', run = :run WHERE id = :id AND owner = :owner AND state <> 'done'",
    "finish": """
        UPDATE jobs SET state = 'done', owner = NULL, lease = 0, run = :run, error = :error, files = :files
        WHERE id = :id AND owner = :owner AND state <> 'done'
    """,
    "release": """
        UPDATE jobs SET owner = NULL, lease = 0,
            state = CASE WHEN state = 'trying' AND tried_at IS NULL THEN 'new' ELSE state END
        WHERE id = :id AND owner = :owner AND state <> 'done'
    """,
    "release_all": """
        UPDATE jobs SET owner = NULL, lease = 0,
            state = CASE WHEN state = 'trying' AND tried_at IS NULL THEN 'new' ELSE state END
        WHERE owner GLOB ? AND state <> 'done'
    """,
    "renew": "UPDATE jobs SET lease = ? WHERE owner GLOB ?",
}


def step_values(step: Step) -> dict[str, Any]:
    """Return the values of a step by the names of its statement."""
    values = step._asdict()
    if isinstance(step, End | Finish):
        values["run"] = run_text(step.run)
    if isinstance(step, Finish):
        values["error"] = error_text(step.error)
        values["files"] = None if step.files is None else json.dumps(step.files)
    return values
