"""The journal of a batch: an SQLite file that remembers each decision, each sending and each outcome."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs

from ..errors import JournalError
from ..models import Rating, Satisfaction, Verdict

APPLICATION_ID = 0x7069636F
VERSION = 1
NO_REVISION = -1

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ratings (
    task_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    satisfaction TEXT,
    comment TEXT,
    list_id INTEGER,
    block_worker INTEGER,
    bonus TEXT,
    state TEXT NOT NULL,
    message TEXT,
    at REAL NOT NULL,
    PRIMARY KEY (task_id, revision)
) WITHOUT ROWID;
CREATE INDEX unfinished ON ratings (state) WHERE state IN ('decided', 'sent', 'failed', 'unknown');
"""

COLUMNS = (
    "task_id, revision, job_id, verdict, satisfaction, comment, list_id, block_worker, bonus, state, message, at"
)


@attrs.frozen
class JournalRow:
    """One rating of a journal.

    `state` is `decided`, `sent` (its answer is not known), `rated`, `refused`, `failed` (certainly not done)
    or `unknown`; `at` is when it came to that.
    """

    rating: Rating
    state: str
    message: str | None
    at: datetime


class Journal:
    """A batch's journal, given to `rate` or `review` by this or by its path, and opened here to read.

    Reading goes on beside a batch that writes. Every method raises `JournalError` for a file that is missing,
    damaged, or none of ours.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def counts(self) -> dict[str, int]:
        """How many ratings are in each state; states without any are left out."""
        with self._reading() as database:
            return dict(database.execute("SELECT state, count(*) FROM ratings GROUP BY state"))

    def bonus_paid(self) -> Decimal:
        """The bonuses of all ratings that took effect, in US dollars, exact."""
        with self._reading() as database:
            query = "SELECT bonus FROM ratings WHERE state = 'rated' AND bonus IS NOT NULL"
            return sum((Decimal(bonus) for (bonus,) in database.execute(query)), Decimal(0))

    def rows(self) -> Iterator[JournalRow]:
        """All ratings, by task id and revision, one at a time."""
        with self._reading() as database:
            for row in database.execute(f"SELECT {COLUMNS} FROM ratings ORDER BY task_id, revision"):  # noqa: S608
                yield JournalRow(rating_of(row), row[9], row[10], datetime.fromtimestamp(row[11], UTC))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not self.path.is_file():
            raise JournalError(self.path, "there is no such file")
        with told(self.path), closing(connect(self.path, read_only=True)) as database:
            check_format(self.path, database)
            yield database


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite says into a `JournalError` that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(path, _explained(error)) from error


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file, for use from one thread at a time."""
    mode = "ro" if read_only else "rwc"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)


def check_format(path: Path, database: sqlite3.Connection) -> None:
    """Raises `JournalError` unless the file is a journal of this format."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise JournalError(path, "it is a database of something else, not a journal")
    if version != VERSION:
        raise JournalError(path, f"it is of format {version}; this version reads format {VERSION}")


def row_of(rating: Rating) -> tuple[object, ...]:
    """The first nine columns of a rating."""
    return (
        rating.task_id,
        NO_REVISION if rating.revision_number is None else rating.revision_number,
        rating.job_id,
        rating.verdict.value,
        None if rating.satisfaction is None else rating.satisfaction.value,
        rating.comment,
        rating.given_list_id,
        rating.given_block_worker,
        None if rating.given_bonus is None else str(rating.given_bonus),
    )


def rating_of(row: tuple[object, ...]) -> Rating:
    """The rating of a row."""
    task_id, revision, job_id, verdict, satisfaction, comment, list_id, block_worker, bonus = row[:9]
    return Rating(
        job_id=str(job_id),
        task_id=str(task_id),
        verdict=Verdict(str(verdict)),
        satisfaction=None if satisfaction is None else Satisfaction(str(satisfaction)),
        comment=None if comment is None else str(comment),
        list_id=list_id if isinstance(list_id, int) else None,
        block_worker=None if block_worker is None else bool(block_worker),
        bonus=None if bonus is None else Decimal(str(bonus)),
        revision_number=revision if isinstance(revision, int) and revision != NO_REVISION else None,
    )


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
