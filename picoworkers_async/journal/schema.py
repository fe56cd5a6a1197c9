"""The journal's file: its tables, the states of a rating, and rows to ratings and back."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import JournalError
from ..models import Rating, Satisfaction, Verdict
from ..models.account import CONTEXT

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x7069636F
VERSION = 3
NO_REVISION = -1

_RATINGS = """
CREATE TABLE ratings (
    job_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    satisfaction TEXT,
    comment TEXT,
    list_id INTEGER,
    block_worker INTEGER,
    bonus TEXT,
    state TEXT NOT NULL,
    message TEXT,
    at REAL NOT NULL,
    PRIMARY KEY (job_id, task_id, revision)
) WITHOUT ROWID;
"""
# It has the few ratings that are under way, so that they are found without reading those that are not.
_UNFINISHED = """
CREATE INDEX unfinished ON ratings (job_id, task_id, revision) WHERE state IN ('sent', 'unknown');
"""

SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
{_RATINGS}{_UNFINISHED}
"""

COLUMNS = (
    "job_id, task_id, revision, verdict, satisfaction, comment, list_id, block_worker, bonus, state, message, at"
)

# Format 1 had no job in its key, and an index that nothing used; format 2 had no index.
_FROM_FORMAT = {
    1: f"""
DROP INDEX IF EXISTS unfinished;
ALTER TABLE ratings RENAME TO ratings_1;
{_RATINGS}
INSERT INTO ratings ({COLUMNS}) SELECT {COLUMNS} FROM ratings_1;
DROP TABLE ratings_1;
{_UNFINISHED}
""",  # noqa: S608
    2: _UNFINISHED,
}


class JournalState(enum.StrEnum):
    """How far a rating has come."""

    DECIDED = "decided"
    """A review decided it; it was not sent."""
    SENT = "sent"
    """It was about to be sent, or was; its answer is not known."""
    RATED = "rated"
    """It took effect."""
    REFUSED = "refused"
    """The service refused it."""
    FAILED = "failed"
    """It certainly did not take effect."""
    UNKNOWN = "unknown"
    """It may have taken effect; reading could not tell."""


Key = tuple[str, str, int]
"""What a row is of: job id, task id, revision (-1 where none was given)."""


class Recorded(NamedTuple):
    """A rating as the journal has it; `at` is when it came to its state, in seconds since 1970."""

    rating: Rating
    state: JournalState
    message: str | None
    at: float


def key_of(rating: Rating) -> Key:
    """The key of a rating's row."""
    revision = NO_REVISION if rating.revision_number is None else rating.revision_number
    return rating.job_id, rating.task_id, revision


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file, for use from one thread at a time."""
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    mode = "ro" if read_only else "rw"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)


def check_format(path: Path, database: sqlite3.Connection) -> int:
    """The format of the file. Raises `JournalError` unless it is a journal of a format that is known."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise JournalError(path, "it is a database of something else, not a journal")
    if not 1 <= version <= VERSION:
        raise JournalError(path, f"it is of format {version}; this version reads formats 1 to {VERSION}")
    return int(version)


def create_or_migrate(path: Path, database: sqlite3.Connection) -> None:
    """Make the tables in an empty file, and bring those of an earlier format up to this one."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        database.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )
    elif (found := check_format(path, database)) != VERSION:
        try:
            database.executescript(
                f"BEGIN IMMEDIATE; {_FROM_FORMAT[found]} PRAGMA user_version = {VERSION}; COMMIT;"
            )
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise


def row_of(rating: Rating) -> tuple[object, ...]:
    """The first nine columns of a rating."""
    return (
        *key_of(rating),
        rating.verdict.value,
        None if rating.satisfaction is None else rating.satisfaction.value,
        rating.comment,
        rating.given_list_id,
        rating.given_block_worker,
        None if rating.given_bonus is None else str(rating.given_bonus),
    )


def recorded_of(row: tuple[object, ...]) -> Recorded:
    """The rating of a row, and its state."""
    job_id, task_id, revision, verdict, satisfaction, comment, list_id, block_worker, bonus, state, message, at = (
        row
    )
    rating = Rating(
        job_id=str(job_id),
        task_id=str(task_id),
        verdict=Verdict(str(verdict)),
        satisfaction=None if satisfaction is None else Satisfaction(str(satisfaction)),
        comment=None if comment is None else str(comment),
        list_id=list_id if isinstance(list_id, int) else None,
        block_worker=None if block_worker is None else bool(block_worker),
        bonus=None if bonus is None else Decimal(str(bonus), CONTEXT),
        revision_number=revision if isinstance(revision, int) and revision != NO_REVISION else None,
    )
    said = None if message is None else str(message)
    return Recorded(rating, JournalState(str(state)), said, float(at))  # type: ignore[arg-type]


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into a `JournalError` that names the file."""
    import sqlite3  # only who uses a file of SQLite's pays for loading it

    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(path, _explained(error)) from error
    except ValueError as error:
        raise JournalError(path, f"{_MEANINGS['SQLITE_CANTOPEN']} ({error})") from error
    except OSError as error:
        raise JournalError(path, f"{_MEANINGS['SQLITE_CANTOPEN']} ({error.strerror})") from error


def _explained(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    for prefix, meaning in _MEANINGS.items():
        if name.startswith(prefix):
            return f"{meaning} ({error})"
    return str(error)


_MEANINGS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "it cannot be written",
    "SQLITE_CANTOPEN": "it cannot be opened or made; is its folder there, and writable?",
    "SQLITE_NOTADB": "it is damaged, or something else than a journal",
    "SQLITE_CORRUPT": "it is damaged",
    "SQLITE_BUSY": "something else keeps it locked",
    "SQLITE_IOERR": "the disk does not do as it is told",
}
