"""Documents of one kind in the database, such as assets."""

import sqlite3
from typing import Final


class Collection:
    """The documents of a kind by their ids, oldest first."""

    def __init__(self, database: sqlite3.Connection, kind: str) -> None:
        self._database: Final = database
        self._kind: Final = kind

    def save(self, id_: str, document: str) -> None:
        """Save a document; one with the same id is replaced."""
        self._database.execute(
            "INSERT INTO documents (kind, id, document) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET document = excluded.document",
            (self._kind, id_, document),
        )

    def remove(self, id_: str) -> None:
        """Remove a document."""
        self._database.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (self._kind, id_))

    def all(self) -> list[str]:
        """Return all documents."""
        rows = self._database.execute("SELECT document FROM documents WHERE kind = ? ORDER BY rowid", (self._kind,))
        return [row[0] for row in rows]
