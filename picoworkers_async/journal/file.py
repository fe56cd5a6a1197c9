"""A journal's file, open for writing: held by one batch at a time, checked, and brought up to date."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from ..errors import JournalDamagedError, JournalError
from ..folders import warn_of_exposure
from .database import Database
from .failures import NO_FILE, WITHOUT_LOG, journal_errors, not_yours
from .file_database import FileDatabase
from .formats import KEEP_META, SET_META, connect, create_or_migrate, log_beside
from .lock import FileLock

_SMALL_PAGES = 1000

T = TypeVar("T")


class JournalFile:
    """A journal's file, from `open` to `close`. Only one process, and one batch in it, has it at a time.

    `owner` is whose the file is: its account and edition, and whether it is a dry run's. A new file becomes
    theirs. None accepts any journal that exists.
    """

    def __init__(self, path: Path, owner: Mapping[str, str] | None) -> None:
        self.place: Path = path
        self.renew_seconds: float | None = None
        self._owner = owner
        self._prepared = False
        self._lock: FileLock | None = None
        self._database: FileDatabase | None = None

    def open(self) -> None:
        """Open the file, or create it if it has an owner.

        Raises `JournalError` for a file that cannot be written, is damaged, or belongs to something else. The
        whole file is checked for damage if it is small (4 MB) or was not closed by the batch before; that takes
        about 0.3 s for a million ratings. Of a large file that was closed, only its length and what is read at
        once are checked, so opening it takes no longer than opening a small one.
        """
        with journal_errors(self.place):
            if self.place.is_dir():
                raise JournalError(self.place, "it is a folder; name a file")
            if self._owner is None and not self.place.is_file():
                raise JournalError(self.place, NO_FILE)
            self._lock = FileLock(self.place)
            warn_of_exposure("journal", self._lock.path)
            has_log = log_beside(self._lock.path).exists()
            self._database = connect(self._lock.path)
            self._prepare(self._database, has_log=has_log)
            self._prepared = True

    def is_there(self) -> bool:
        """Whether the path still leads to the file that is held."""
        return self._lock is not None and self._lock.is_there()

    @property
    def database(self) -> FileDatabase:
        """The open file. Raises `JournalError` if it is closed."""
        if self._database is None:
            raise JournalError(self.place, "it is closed")
        return self._database

    def write(self, work: Callable[[Database], T]) -> T:
        """Do this in one transaction, and give what it gives once that is durable."""
        with journal_errors(self.place):
            if not self.is_there():
                raise JournalError(self.place, "the file was removed or replaced while the batch ran")
            database = self.database
            database.execute("BEGIN IMMEDIATE")
            try:
                given = work(database)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            return given

    def read(self, work: Callable[[Database], T]) -> T:
        """Ask the file, and give what that gives."""
        with journal_errors(self.place):
            return work(self.database)

    def renew(self) -> None:
        """Nothing has to be done: the lock on the file lasts as long as its process."""

    def is_stale(self) -> bool:
        """Never: nobody can take it over while the process lives."""
        return False

    def close(self) -> None:
        """Close the file and release it."""
        database, self._database = self._database, None
        held, self._lock = self._lock, None
        try:
            if database is not None:
                with contextlib.suppress(sqlite3.Error), contextlib.closing(database):
                    # Only a batch that got as far as to be a journal's may say so.
                    if self._prepared:
                        database.execute(SET_META, ("closed", "1"))
        finally:
            if held is not None:
                held.release()

    def _prepare(self, database: FileDatabase, *, has_log: bool) -> None:
        database.execute("PRAGMA synchronous = FULL")
        create_or_migrate(self.place, database)
        database.execute("PRAGMA journal_mode = WAL")
        owner = {} if self._owner is None else self._owner
        database.executemany(KEEP_META, owner.items())
        kept = dict(database.execute("SELECT name, value FROM meta"))
        for name, value in owner.items():
            if kept[name] != value:
                raise JournalError(self.place, not_yours(name, kept[name]))
        if kept.get("closed") == "0" and not has_log:
            raise JournalDamagedError(self.place, WITHOUT_LOG)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        if kept.get("closed") != "1" or pages <= _SMALL_PAGES:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise JournalDamagedError(self.place, f"it is damaged ({verdict})")
        # This write also shows a file or folder that cannot be written, before anything is sent. It has to be in
        # the file itself, whatever becomes of the one beside it.
        database.execute(SET_META, ("closed", "0"))
        database.execute("DELETE FROM meta WHERE name IN ('running', 'progress')")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
