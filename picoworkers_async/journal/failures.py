"""Failures of SQLite and the file system at a journal, as this library's errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import JournalBusyError, JournalDamagedError, JournalError, JournalFullError, NotAJournalError

if TYPE_CHECKING:
    import sqlite3

NO_FILE = "there is no such file; the first batch that is given this path as journal= makes it"
WITHOUT_LOG = (
    "the last batch was killed, and the -wal file with what that batch did last is missing; if the journal was "
    "copied, renamed or linked without it, put both side by side again"
)
_CANNOT_OPEN = "it cannot be opened or made; is its folder there, and writable?"

_MEANINGS: dict[str, tuple[type[JournalError], str]] = {
    "SQLITE_FULL": (JournalFullError, "the disk is full"),
    "SQLITE_READONLY": (JournalError, "it cannot be written"),
    "SQLITE_CANTOPEN": (JournalError, _CANNOT_OPEN),
    "SQLITE_NOTADB": (NotAJournalError, "it is not a journal, or its beginning is damaged"),
    "SQLITE_CORRUPT": (JournalDamagedError, "it is damaged"),
    "SQLITE_BUSY": (JournalBusyError, "another program has it locked"),
    "SQLITE_IOERR": (JournalError, "the disk reports an error"),
}


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the file system into a `JournalError` that names the file."""
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    try:
        yield
    except sqlite3.Error as error:
        raise _explained(path, error) from error
    except ValueError as error:
        raise JournalError(path, f"{_CANNOT_OPEN} ({error})") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise JournalFullError(path, f"the disk is full ({error.strerror})") from error
        raise JournalError(path, f"{_CANNOT_OPEN} ({error.strerror})") from error


def _explained(path: Path, error: sqlite3.Error) -> JournalError:
    name = getattr(error, "sqlite_errorname", "")
    for prefix, (kind, meaning) in _MEANINGS.items():
        if name.startswith(prefix):
            return kind(path, f"{meaning} ({error})")
    return JournalError(path, str(error))


def not_yours(name: str, kept: str) -> str:
    """Why a batch may not use a journal whose `name` is kept as something else."""
    if name != "dry_run":
        return f"it belongs to another {name}, and batches must not be mixed: name another file for this one"
    if kept == "1":
        return "it belongs to a dry run, and nothing in it was sent: name another file for a real batch"
    return "it belongs to a real batch: name another file for a dry run"
