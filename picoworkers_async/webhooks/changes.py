"""Changes of jobs' statuses that were posted back: durable before the service is answered, yielded in order."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from itertools import groupby

import attrs

from ..codec import ShapeError
from ..codec.values import to_datetime
from ..models import JobChange, JobStatus
from .file import PostbackFile

_MOST_ROWS = 100_000
_STATUSES = {status.value: status for status in JobStatus}


@attrs.frozen
class Change:
    """A change as it is kept: a job's new status. All fields are texts; `date` is empty if none was given."""

    job_id: str
    status: str
    date: str

    def model(self) -> JobChange:
        """This change as the user gets it."""
        try:
            at = to_datetime(self.date)
        except ShapeError:
            at = None
        return JobChange(self.job_id, _STATUSES.get(self.status, self.status), at)


class Changes:
    """The newest 100,000 changes in a file, numbered in the order in which they came, and the last one handled.

    Several processes may use the file. Every method blocks, and raises `SubmittedError` for a file that cannot
    be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = PostbackFile(path)

    def note(self, changes: Iterable[Change]) -> int:
        """Make durable those not there yet. Returns how many were dropped, unhandled, for want of room.

        One with a date is there if its job, status and date are. Changes without a date are there if they are
        the job's last ones, all that came of it in a row taken together; one that repeats the status before it
        is none.
        """
        dated = "INSERT OR IGNORE INTO changes (job_id, status, date) VALUES (?, ?, ?)"
        undated = (
            "INSERT INTO changes (job_id, status, date) SELECT :job_id, :status, ''"
            " WHERE :status IS NOT"
            " (SELECT status FROM changes WHERE job_id = :job_id ORDER BY number DESC LIMIT 1)"
        )
        with self._file.transaction() as database:
            for job_id, told in groupby(changes, lambda change: change.job_id):
                for change in _not_there(database, job_id, list(told)):
                    if change.date:
                        database.execute(dated, (job_id, change.status, change.date))
                    else:
                        database.execute(undated, {"job_id": job_id, "status": change.status})
            (last,) = database.execute("SELECT max(number) FROM changes").fetchone()
            (handled,) = database.execute("SELECT number FROM handled").fetchone()
            query = "SELECT count(*) FROM changes WHERE number <= ? AND number > ?"
            oldest_kept = (last or 0) - _MOST_ROWS
            (dropped,) = database.execute(query, (oldest_kept, handled)).fetchone()
            database.execute("DELETE FROM changes WHERE number <= ?", (oldest_kept,))
        return int(dropped)

    def handled(self) -> int:
        """The number of the last change that was handled; those after it were not."""
        with self._file.transaction() as database:
            (number,) = database.execute("SELECT number FROM handled").fetchone()
        return int(number)

    def next_after(self, number: int, handled: int) -> tuple[int, JobChange] | None:
        """The change after this number, with its own number; None if there is none yet.

        Before that, it makes durable that those up to `handled` were handled.
        """
        with self._file.transaction() as database:
            database.execute("UPDATE handled SET number = max(number, ?)", (handled,))
            query = "SELECT number, job_id, status, date FROM changes WHERE number > ? ORDER BY number LIMIT 1"
            row = database.execute(query, (number,)).fetchone()
        return None if row is None else (row[0], Change(*row[1:]).model())


def _not_there(database: sqlite3.Connection, job_id: str, told: list[Change]) -> list[Change]:
    """Those of one job's changes that are to be kept: none of what was posted before as a whole."""
    if all(change.date for change in told):
        return told
    pairs = [(change.status, change.date) for change in told]
    in_a_row = [pair for place, pair in enumerate(pairs) if pair[1] or not place or pair != pairs[place - 1]]
    known = "SELECT 1 FROM changes WHERE job_id = ? AND status = ? AND date = ? AND date <> ''"
    unknown = [pair for pair in in_a_row if database.execute(known, (job_id, *pair)).fetchone() is None]
    query = "SELECT status, date FROM changes WHERE job_id = ? ORDER BY number DESC LIMIT ?"
    last = database.execute(query, (job_id, len(in_a_row))).fetchall()[::-1]
    # Dated ones that were known before stood elsewhere already when the others were noted.
    if last == in_a_row or last[len(last) - len(unknown) :] == unknown:
        return []
    return [Change(job_id, *pair) for pair in unknown]
