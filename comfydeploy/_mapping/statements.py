"""The statements of a journal in a database, in the SQL that SQLite and PostgreSQL have in common.

``{lock}`` and ``{skip}`` end the reads of a transaction that changes what it has read: SQLite has one writer at a time
and needs neither. A value that is a list stands for its items.
"""

from typing import Final

_COLUMNS: Final = "id, key, state, attempt, owner, lease, tried_at, since, run_id, run, error, files"

COLUMNS: Final = tuple(_COLUMNS.split(", "))
"""The columns of a ``Row``, in the order of the statements below."""

SCHEMA: Final = (
    """
    CREATE TABLE map (
        uuid TEXT NOT NULL,
        name TEXT NOT NULL,
        longest_post DOUBLE PRECISION NOT NULL,
        spent INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE jobs (
        id {id} PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        request TEXT NOT NULL,
        place TEXT UNIQUE,
        state TEXT NOT NULL DEFAULT 'new',
        attempt INTEGER NOT NULL DEFAULT 1,
        owner TEXT,
        lease DOUBLE PRECISION NOT NULL DEFAULT 0,
        tried_at DOUBLE PRECISION,
        since TEXT,
        run_id TEXT,
        run TEXT,
        error TEXT,
        files TEXT
    )
    """,
    "CREATE INDEX owned ON jobs (owner) WHERE owner IS NOT NULL",
)

CREATE: Final = "INSERT INTO map (uuid, name, longest_post, spent) VALUES (:uuid, :name, 0, :spent)"
JOIN: Final = "UPDATE map SET longest_post = :post_limit WHERE longest_post < :post_limit"
MAP: Final = "SELECT uuid, name, longest_post FROM map"
COUNTERS: Final = "SELECT spent, longest_post FROM map"
LOCKED_COUNTERS: Final = f"{COUNTERS} {{lock}}"
SPEND: Final = "UPDATE map SET spent = spent + :runs"

FIND: Final = f"""
    SELECT digest, place, CASE digest WHEN '' THEN request END, {_COLUMNS} FROM jobs WHERE key IN (:keys)
"""  # noqa: S608 - of constants
REQUEST: Final = "SELECT request FROM jobs WHERE id = :id"
ADD: Final = """
    INSERT INTO jobs (key, digest, request, place) VALUES (:key, :digest, :request, :place) ON CONFLICT DO NOTHING
"""
ADOPT: Final = "UPDATE jobs SET digest = :digest, request = :request WHERE id = :id"
PLACE: Final = """
    UPDATE jobs SET place = :place
    WHERE id = :id AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.place = :place AND other.id <> :id)
"""
RESTORE: Final = """
    INSERT INTO jobs (key, digest, request, state, attempt, tried_at, since, run_id)
    VALUES (:key, :digest, :request, :state, :attempt, :tried_at, :since, :run_id)
"""

SHEET_COLUMNS: Final = ("key", "state", "attempt", "request", "tried_at", "run_id", "run", "error", "files")
SHEET: Final = f"SELECT {', '.join(SHEET_COLUMNS)} FROM jobs ORDER BY id"  # noqa: S608 - of constants

ROWS: Final = f"SELECT {_COLUMNS} FROM jobs WHERE id IN (:ids)"  # noqa: S608 - of constants
LOCKED_ROWS: Final = f"{ROWS} ORDER BY id {{lock}}"
UNLOCKED_ROWS: Final = f"{ROWS} {{skip}}"
OWNED: Final = """
    SELECT id, owner FROM jobs WHERE owner IS NOT NULL AND substr(owner, 1, length(:session)) = :session
"""
RENEW: Final = """
    UPDATE jobs SET lease = :lease WHERE owner IS NOT NULL AND substr(owner, 1, length(:session)) = :session
"""
WRITE: Final = f"""
    UPDATE jobs SET {", ".join(f"{column} = :{column}" for column in COLUMNS[2:])} WHERE id = :id
"""  # noqa: S608 - of constants
