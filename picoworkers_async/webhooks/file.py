"""The SQLite file in which postbacks are made durable: its tables, its versions, its transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ..errors import PicoworkersError
from ..folders import warn_of_exposure

_APPLICATION_ID = 0x70696377
_VERSION = 3

_SUBMITTED = (
    """CREATE TABLE submitted (
        job_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        waiting INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        refusals INTEGER NOT NULL,
        posts INTEGER NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (job_id, task_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX by_time ON submitted (waiting, at)",
)
_CHANGES = (
    """CREATE TABLE changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        job_id TEXT NOT NULL,
        status TEXT NOT NULL,
        date TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX once ON changes (job_id, status, date) WHERE date <> ''",
    "CREATE INDEX by_job ON changes (job_id)",
    "CREATE TABLE handled (number INTEGER NOT NULL)",
    "INSERT INTO handled VALUES (0)",
)
_PUT_OFF = (
    "ALTER TABLE submitted RENAME COLUMN at TO due",
    "ALTER TABLE submitted ADD COLUMN not_found INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE submitted ADD COLUMN missing_since REAL",
    "UPDATE submitted SET refusals = 0",
)
_STEPS = (_SUBMITTED, _CHANGES, _PUT_OFF)
"""The steps that make each version from the one before it; version 0 is a new file."""


class SubmittedError(PicoworkersError):
    """The file of postbacks cannot be used; the text says which and why."""

    _paragraph = "errors-of-sheets-and-webhooks"


class PostbackFile:
    """The file, created when it is first used, and brought up to date in the same transaction if it is older.

    Several processes may use it. Everything blocks, and raises `SubmittedError` for a file that cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        self._looked_at_folder = False

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction that is durable when the block ends, and undone if it raises."""
        if not self._looked_at_folder:
            self._looked_at_folder = True
            # Of a folder that cannot be looked at, SQLite says it.
            with suppress(OSError):
                warn_of_exposure("postbacks", Path(os.path.realpath(self.path)))
        try:
            connection = sqlite3.connect(
                str(self.path), timeout=5.0, isolation_level=None, check_same_thread=False
            )
            with closing(connection) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.execute("BEGIN IMMEDIATE")
                try:
                    self._prepare(database)
                    yield database
                    database.execute("COMMIT")
                except BaseException:
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise SubmittedError(f"postbacks {self.path}: {error}") from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Bring the file to today's version; refuse one of something else, or of a later version."""
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if (application, version) == (_APPLICATION_ID, _VERSION):
            return
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        is_new = not tables and not application and not version
        if not is_new and (application != _APPLICATION_ID or version < 1):
            raise SubmittedError(f"postbacks {self.path}: it is a database of something else")
        if version > _VERSION:
            limit = f"its version is {version}, and only up to {_VERSION} can be read"
            raise SubmittedError(f"postbacks {self.path}: {limit}; a later picoworkers_async made it")
        for statement in (statement for step in _STEPS[version:] for statement in step):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {_VERSION}")
