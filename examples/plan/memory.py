"""Which entry of a plan became which job: one row for each entry, in SQLite, durable before anything is posted.

Each change is a transaction of its own, so that a run may be killed, or meet another one, at any moment.
"""

import sqlite3
from datetime import UTC, datetime
from typing import NamedTuple


class Posted(NamedTuple):
    """What is known of an entry that was posted, or may have been: then `job_id` is None."""

    name: str
    begun_at: str
    job_id: str | None
    note: str | None
    paused: bool


def open_memory(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = EXTRA")
    database.execute(
        "CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, begun_at TEXT NOT NULL, job_id TEXT, "
        "note TEXT, paused INTEGER NOT NULL DEFAULT 0) STRICT"
    )
    return database


def posted_as(database: sqlite3.Connection, name: str) -> Posted | None:
    query = "SELECT name, begun_at, job_id, note, paused FROM entries WHERE name = ?"
    row = database.execute(query, (name,)).fetchone()
    return None if row is None else Posted(*row)


def begin(database: sqlite3.Connection, name: str) -> bool:
    """Note that the entry is going to be posted; False if a run, this or another, has noted that before."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    added = database.execute("INSERT OR IGNORE INTO entries (name, begun_at) VALUES (?, ?)", (name, now))
    return added.rowcount == 1


def became(database: sqlite3.Connection, name: str, job_id: str | None, note: str | None) -> None:
    database.execute("UPDATE entries SET job_id = ?, note = ? WHERE name = ?", (job_id, note, name))


def was_not_posted(database: sqlite3.Connection, name: str) -> None:
    database.execute("DELETE FROM entries WHERE name = ?", (name,))


def set_paused(database: sqlite3.Connection, name: str, paused: bool) -> None:
    """Note that it was we who paused the job, so that nobody else's pause is ever ended here."""
    database.execute("UPDATE entries SET paused = ? WHERE name = ?", (paused, name))
