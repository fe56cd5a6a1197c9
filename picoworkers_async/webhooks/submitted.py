"""The submitted tasks that were posted back: durable before the service is answered."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping

import attrs

from .file import PostbackFile

_MOST_ROWS = 1_000_000
_MOST_REFUSALS = 151
"""With the pauses between them, a read that is refused is repeated for a day."""
_MOST_NOT_FOUND = 10
"""A job that is not found is asked for again for half an hour, or for longer if it was refused before."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
_MINUTE, _HOUR = 60.0, 3600.0
_NOT_YET = -1
_GONE = (_NOT_YET, 0, 0, None)


def pause_after_refusal(refusals: int) -> float:
    """How many seconds after this many refusals in a row the next read is due: 5, doubled each time, up to 600."""
    return min(_FIRST_PAUSE * 2.0 ** min(refusals - 1, 10), _LONGEST_PAUSE)


def proves_absence(missing_since: float | None, began: float, *, settle_after: float) -> bool:
    """Whether a complete read that does not list a task is the second such read, and late enough.

    `missing_since` is when the first such read ended. One read proves nothing: see `effects`.
    """
    return missing_since is not None and began >= missing_since + settle_after


@attrs.frozen
class Lookup:
    """Ids of one job's tasks to read together, and how often each had been posted by then.

    `at`, in seconds since 1970, is before the read began.
    """

    job_id: str
    posts: Mapping[str, int]
    at: float

    @property
    def task_ids(self) -> list[str]:
        """The ids, in the order in which they came."""
        return list(self.posts)


@attrs.frozen
class Refused:
    """The result of a refused read: whether it was the `first` in a row for any task; how many were dropped."""

    first: bool
    dropped: int


class Submitted:
    """The ids in a file. A row waits to be read; then it keeps the revision that was yielded.

    Rows of tasks that are no longer unrated are dropped. Several processes may use the file. Every method
    blocks, and raises `SubmittedError` for a file that cannot be used. `clock` returns seconds since 1970.
    """

    def __init__(self, path: str | os.PathLike[str], clock: Callable[[], float] = time.time) -> None:
        self._file = PostbackFile(path)
        self._clock = clock

    def note(self, ids: Iterable[tuple[str, str]]) -> bool:
        """Make it durable that these wait; False if there is no room for more."""
        with self._file.transaction() as database:
            (rows,) = database.execute("SELECT count(*) FROM submitted").fetchone()
            new = list(ids)
            if rows + len(new) > _MOST_ROWS:
                return False
            insert = (
                "INSERT INTO submitted (job_id, task_id, waiting, revision, refusals, posts, due)"
                " VALUES (?, ?, 1, ?, 0, 1, ?)"
                " ON CONFLICT DO UPDATE SET waiting = 1, posts = posts + 1, due = excluded.due,"
                " refusals = 0, not_found = 0, missing_since = NULL"
            )
            now = self._clock()
            database.executemany(insert, ((*one, _NOT_YET, now) for one in new))
        return True

    def begin(self) -> None:
        """A new run: what was yielded before and is still here comes again."""
        with self._file.transaction() as database:
            # What was put off stays so: a process that restarts often must not hurry what is counted.
            update = "UPDATE submitted SET due = iif(waiting, due, ?), waiting = 1, revision = ?"
            database.execute(update, (self._clock(), _NOT_YET))

    def next_lookup(self, most: int) -> Lookup | None:
        """The job that has waited longest, with up to that many of its ids.

        Any room left is used to see whether tasks yielded a minute ago are rated; if nothing waits, those of an
        hour ago are read.
        """
        now = self._clock()
        with self._file.transaction() as database:
            first = "SELECT job_id FROM submitted WHERE waiting = ? AND due > ? AND due <= ? ORDER BY due LIMIT 1"
            # Nothing is put off for more than an hour: what is due later was noted by a clock that was wrong.
            late = now + _HOUR
            ranges = ((1, -math.inf, now), (1, late, math.inf), (0, -math.inf, now), (0, late, math.inf))
            found = (database.execute(first, one).fetchone() for one in ranges)
            row = next((row for row in found if row is not None), None)
            if row is None:
                return None
            query = (
                "SELECT task_id, posts FROM submitted WHERE job_id = ?"
                " AND (due <= iif(waiting, ?, ?) OR due > ?) ORDER BY waiting DESC, due LIMIT ?"
            )
            rows = database.execute(query, (row[0], now, late - _MINUTE, late, most)).fetchall()
        return Lookup(row[0], dict(rows), now)

    def looked_up(
        self,
        lookup: Lookup,
        revisions: Mapping[str, int],
        *,
        complete: bool,
        settle_after: float,
        wanted: Callable[[], bool] = lambda: True,
    ) -> list[str]:
        """Note what is unrated, with its revision; returns the ids that were not yielded in that revision yet.

        A listing may lag: a task that is not listed is dropped by the second of two `complete` reads that are
        `settle_after` seconds apart, with neither a postback of it nor a read that shows it between them. What
        was posted again since the read began stays, and waits for another. Nothing is noted if it is no longer
        `wanted`.
        """
        now = self._clock()
        fresh: list[str] = []
        with self._file.transaction() as database:
            # Asked here, so that a run that begins after the one that looked has ended comes after what it noted.
            if not wanted():
                return fresh
            for task_id, posts in lookup.posts.items():
                key = (lookup.job_id, task_id)
                found = database.execute(
                    "SELECT revision, waiting, posts, missing_since FROM submitted"
                    " WHERE job_id = ? AND task_id = ?",
                    key,
                ).fetchone()
                given, waiting, posts_now, missing_since = found or _GONE
                revision = revisions.get(task_id)
                if revision is not None:
                    if given < revision:
                        fresh.append(task_id)
                    update = (
                        "UPDATE submitted SET waiting = (posts > ?), due = iif(posts > ?, due, ?),"
                        " revision = ?, refusals = 0, not_found = 0, missing_since = NULL"
                        " WHERE job_id = ? AND task_id = ?"
                    )
                    values = (posts, posts, now + _HOUR, max(given, revision), *key)
                    database.execute(update, values)
                elif posts_now == posts:
                    if complete and proves_absence(missing_since, lookup.at, settle_after=settle_after):
                        database.execute("DELETE FROM submitted WHERE job_id = ? AND task_id = ?", key)
                        continue
                    # What looks later may prove counts from the end of this one.
                    since = min(missing_since or now, now) if complete else missing_since
                    again = max(since + settle_after, now) if complete and since else now + _FIRST_PAUSE
                    update = (
                        "UPDATE submitted SET missing_since = ?, due = ?, refusals = 0, not_found = 0"
                        " WHERE job_id = ? AND task_id = ?"
                    )
                    database.execute(update, (since, min(again, now + _HOUR) if waiting else now + _HOUR, *key))
        return fresh

    def refused(self, lookup: Lookup, *, not_found: bool) -> Refused:
        """The service refused the read: the ids are put off, each time for longer, and dropped after a day.

        A job that is not found, ten times in a row, is given up sooner.
        """
        now, counts = self._clock(), []
        with self._file.transaction() as database:
            update = (
                "UPDATE submitted SET refusals = refusals + 1, not_found = iif(?, not_found + 1, 0)"
                " WHERE job_id = ? AND task_id = ? AND posts = ? RETURNING refusals"
            )
            put_off = "UPDATE submitted SET due = ? WHERE job_id = ? AND task_id = ?"
            for task_id, posts in lookup.posts.items():
                row = database.execute(update, (not_found, lookup.job_id, task_id, posts)).fetchone()
                if row is not None:
                    counts.append(row[0])
                    database.execute(put_off, (now + pause_after_refusal(row[0]), lookup.job_id, task_id))
            drop = "DELETE FROM submitted WHERE job_id = ? AND (refusals >= ? OR not_found >= ?)"
            dropped = database.execute(drop, (lookup.job_id, _MOST_REFUSALS, _MOST_NOT_FOUND)).rowcount
        return Refused(1 in counts, dropped)
