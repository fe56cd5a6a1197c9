"""A journal's file, open for writing: held by one batch at a time, checked, and brought up to date."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from ..errors import JournalDamagedError, JournalError
from ..folders import warn_of_exposure
from .failures import NO_FILE, WITHOUT_LOG, journal_errors
from .formats import connect, create_or_migrate, log_beside
from .lock import FileLock

_SMALL_PAGES = 1000


class JournalFile:
    """A journal's file, from `open` to `close`. Only one process, and one batch in it, has it at a time.

    `owner` is whose the file is: its account and edition, and whether it is a dry run's. A new file becomes
    theirs. None accepts any journal that exists.
    """

    def __init__(self, path: Path, owner: Mapping[str, str] | None) -> None:
        self._path = path
        self._owner = owner
        self._prepared = False
        self._lock: FileLock | None = None
        self._database: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the file, or create it if it has an owner.

        Raises `JournalError` for a file that cannot be written, is damaged, or belongs to something else. The
        whole file is checked for damage if it is small (4 MB) or was not closed by the batch before; that takes
        about 0.3 s for a million ratings. Of a large file that was closed, only its length and what is read at
        once are checked, so opening it takes no longer than opening a small one.
        """
        with journal_errors(self._path):
            if self._path.is_dir():
                raise JournalError(self._path, "it is a folder; name a file")
            if self._owner is None and not self._path.is_file():
                raise JournalError(self._path, NO_FILE)
            self._lock = FileLock(self._path)
            warn_of_exposure("journal", self._lock.path)
            has_log = log_beside(self._lock.path).exists()
            self._database = connect(self._lock.path)
            self._prepare(self._database, has_log=has_log)
            self._prepared = True

    def is_there(self) -> bool:
        """Whether the path still leads to the file that is held."""
        return self._lock is not None and self._lock.is_there()

    @property
    def database(self) -> sqlite3.Connection:
        """The open file. Raises `JournalError` if it is closed."""
        if self._database is None:
            raise JournalError(self._path, "it is closed")
        return self._database

    def close(self) -> None:
        """Close the file and release it."""
        database, self._database = self._database, None
        held, self._lock = self._lock, None
        try:
            if database is not None:
                with contextlib.suppress(sqlite3.Error), contextlib.closing(database):
                    # Only a batch that got as far as to be a journal's may say so.
                    if self._prepared:
                        database.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '1')")
        finally:
            if held is not None:
                held.release()

    def _prepare(self, database: sqlite3.Connection, *, has_log: bool) -> None:
        database.execute("PRAGMA synchronous = FULL")
        create_or_migrate(self._path, database)
        database.execute("PRAGMA journal_mode = WAL")
        owner = {} if self._owner is None else self._owner
        database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", owner.items())
        kept = dict(database.execute("SELECT name, value FROM meta"))
        for name, value in owner.items():
            if kept[name] != value:
                raise JournalError(self._path, _not_yours(name, kept[name]))
        if kept.get("closed") == "0" and not has_log:
            raise JournalDamagedError(self._path, WITHOUT_LOG)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        if kept.get("closed") != "1" or pages <= _SMALL_PAGES:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise JournalDamagedError(self._path, f"it is damaged ({verdict})")
        # This write also shows a file or folder that cannot be written, before anything is sent. It has to be in
        # the file itself, whatever becomes of the one beside it.
        database.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '0')")
        database.execute("DELETE FROM meta WHERE name IN ('running', 'progress')")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _not_yours(name: str, kept: str) -> str:
    if name != "dry_run":
        return f"it belongs to another {name}, and batches must not be mixed: name another file for this one"
    if kept == "1":
        return "it belongs to a dry run, and nothing in it was sent: name another file for a real batch"
    return "it belongs to a real batch: name another file for a dry run"
