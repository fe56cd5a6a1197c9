"""The journal's file: its tables, and those of earlier formats, read as they are or brought up to date."""

from __future__ import annotations

import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import JournalDamagedError, JournalError, NotAJournalError
from ..models.account import CONTEXT
from .failures import WITHOUT_LOG

if TYPE_CHECKING:
    import sqlite3

    from .file_database import FileDatabase

APPLICATION_ID = 0x7069636F
VERSION = 4

SET_META = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
KEEP_META = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO NOTHING"

_UNITS_A_DOLLAR = 10_000

# Money is kept as it was given, and again in ten-thousandths of a dollar, so that SQL can add it up.
_RATINGS = """
CREATE TABLE ratings (
    job_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    verdict TEXT,
    satisfaction TEXT,
    comment TEXT,
    list_id INTEGER,
    block_worker INTEGER,
    bonus TEXT,
    bonus_units INTEGER,
    worker_id TEXT,
    pay TEXT,
    pay_units INTEGER,
    state TEXT NOT NULL,
    message TEXT,
    decided_at REAL,
    sent_at REAL,
    ended_at REAL,
    PRIMARY KEY (job_id, task_id, revision)
) WITHOUT ROWID;
"""
# The first has the few ratings that are under way, the second finds those of a day: neither reads the rest.
_INDEXES = """
CREATE INDEX unfinished ON ratings (job_id, task_id, revision) WHERE state IN ('sent', 'unknown');
CREATE INDEX sent_times ON ratings (sent_at) WHERE sent_at IS NOT NULL;
"""

SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
{_RATINGS}{_INDEXES}
"""

# Formats 1 to 3 differed in the key and the index only. They kept the time of the state, and no worker or pay.
_FROM_BEFORE = """
SELECT job_id, task_id, revision, verdict, satisfaction, comment, list_id, block_worker,
    bonus, ten_thousandths(bonus) AS bonus_units,
    NULL AS worker_id, NULL AS pay, NULL AS pay_units, state, message,
    CASE state WHEN 'decided' THEN at END AS decided_at,
    CASE WHEN state <> 'decided' THEN at END AS sent_at,
    CASE WHEN state NOT IN ('decided', 'sent') THEN at END AS ended_at
"""
_MIGRATION = f"""
DROP INDEX IF EXISTS unfinished;
ALTER TABLE ratings RENAME TO ratings_before;
{_RATINGS}
INSERT INTO ratings {_FROM_BEFORE} FROM ratings_before;
DROP TABLE ratings_before;
{_INDEXES}
INSERT OR IGNORE INTO meta VALUES ('dry_run', '0');
"""  # noqa: S608
# What is temporary hides what is in the file, under the same name.
_AS_THIS_FORMAT = f"CREATE TEMP VIEW ratings AS {_FROM_BEFORE} FROM main.ratings"


def units_of(amount: object) -> int | None:
    """US dollars, a `Decimal` or its text, in ten-thousandths; None for no amount, or one that does not fit."""
    if amount is None:
        return None
    units = CONTEXT.multiply(Decimal(str(amount), CONTEXT), Decimal(_UNITS_A_DOLLAR))
    return int(units) if units.is_finite() and units == int(units) and abs(units) < 2**63 else None


def dollars(units: int | None) -> Decimal:
    """This many ten-thousandths as US dollars."""
    return CONTEXT.divide(Decimal(units or 0), Decimal(_UNITS_A_DOLLAR))


def connect(path: Path, *, read_only: bool = False) -> FileDatabase:
    """Open the file, for use from one thread at a time."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    if read_only and not log_beside(path).exists():
        _refuse_without_log(path, uri)
        if not os.access(path.parent, os.W_OK):
            # An archive, where SQLite could make no log, and no batch is at it.
            uri += "&immutable=1"
    return _connected(uri)


def _connected(uri: str) -> FileDatabase:
    from .file_database import FileDatabase  # loads SQLite

    return FileDatabase(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)


def log_beside(path: Path) -> Path:
    """SQLite's write-ahead log of a file: what was written last may be there alone."""
    return path.with_name(path.name + "-wal")


def _refuse_without_log(path: Path, uri: str) -> None:
    """Raise `JournalDamagedError` if a batch was killed, and its log is not beside the file.

    The file is read as it is. Opened in the ordinary way, SQLite would make an empty log, and the next batch
    would take the file for whole.
    """
    with closing(_connected(f"{uri}&immutable=1")) as untouched:
        try:
            check_format(path, untouched)
            closed = untouched.execute("SELECT value FROM meta WHERE name = 'closed'").fetchone()
        except Exception:
            if log_beside(path).exists():  # a batch began meanwhile, and changes what was being read
                return
            raise
    if closed == ("0",) and not log_beside(path).exists():
        raise JournalDamagedError(path, WITHOUT_LOG)


def check_format(path: Path, database: sqlite3.Connection) -> int:
    """The format of the file. Raises `JournalError` unless it is a journal of a known format."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise NotAJournalError(path, "it is a database of something else, not a journal")
    if not 1 <= version <= VERSION:
        raise JournalError(path, f"it is of format {version}; this version reads formats 1 to {VERSION}")
    return int(version)


def read_as_this_format(path: Path, database: sqlite3.Connection) -> None:
    """Make a file of any format readable as one of this format, without changing it."""
    if check_format(path, database) != VERSION:
        _add_functions(database)
        database.execute(_AS_THIS_FORMAT)


def create_or_migrate(path: Path, database: sqlite3.Connection) -> None:
    """Create the tables in an empty file, or bring those of an earlier format up to this one."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        database.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )
    elif check_format(path, database) != VERSION:
        _add_functions(database)
        try:
            database.executescript(f"BEGIN IMMEDIATE; {_MIGRATION} PRAGMA user_version = {VERSION}; COMMIT;")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise


def _add_functions(database: sqlite3.Connection) -> None:
    database.create_function("ten_thousandths", 1, units_of, deterministic=True)
