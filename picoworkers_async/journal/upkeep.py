"""Upkeep of a journal between batches: prune old rows, reopen tasks, take back decisions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import money
from .failures import journal_errors
from .file import JournalFile
from .questions import RowFilter

_DELETE_OLD = """
DELETE FROM ratings
WHERE state IN ('rated', 'refused', 'failed', 'withdrawn', 'would_rate') AND ended_at < ?
AND coalesce(sent_at, 0.0) < ?
"""
_REOPEN = """
UPDATE ratings SET state = 'decided', message = NULL, sent_at = NULL, ended_at = NULL,
    decided_at = coalesce(decided_at, sent_at)
WHERE sent_at IS NOT NULL
"""
_PAID_AND_OLD = f"""
SELECT {money.SUMS} FROM ratings
WHERE state IN ('rated', 'would_rate') AND ended_at < ? AND coalesce(sent_at, 0.0) < ?
"""  # noqa: S608
_COUNTED_SECONDS = 2 * 86400.0


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """The journal, held as by a batch, in one transaction. Raises `JournalBusyError` if a batch has it open."""
    file = JournalFile(path, None)
    try:
        file.open()
        with journal_errors(path):
            database = file.database
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
    finally:
        file.close()


def prune(database: sqlite3.Connection, before: float, now: float) -> int:
    """Delete what ended before that time, and keep its total cost; returns how many rows.

    What was sent in the last two days stays: limits of the day count it, wherever their midnight is.
    """
    times = before, now - _COUNTED_SECONDS
    money.keep_pruned(database, money.spent_of(database.execute(_PAID_AND_OLD, times).fetchone()))
    return database.execute(_DELETE_OLD, times).rowcount


def reopen(database: sqlite3.Connection, wanted: RowFilter) -> int:
    """Set ratings that were sent, and had no effect, back to decided; returns how many."""
    condition, values = wanted.where()
    return database.execute(f"{_REOPEN} AND {condition}", values).rowcount


def withdraw(database: sqlite3.Connection, now: float) -> int:
    """Take back what was decided and not sent; returns how many ratings."""
    query = "UPDATE ratings SET state = 'withdrawn', ended_at = ? WHERE state = 'decided'"
    return database.execute(query, (now,)).rowcount
