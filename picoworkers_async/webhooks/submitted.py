"""The submitted tasks that were posted back: noted before the service is thanked."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping

import attrs

from .file import PostbackFile

_MOST_ROWS = 1_000_000
_MOST_REFUSALS = 5
_MINUTE, _HOUR = 60.0, 3600.0
_NOT_YET = -1


@attrs.frozen
class Lookup:
    """Ids of one job's tasks that should be asked for together, and how often each had been posted by then."""

    job_id: str
    posts: Mapping[str, int]

    @property
    def task_ids(self) -> list[str]:
        """The ids, in the order in which they came."""
        return list(self.posts)


class Submitted:
    """The ids in a file. A row waits to be looked up; then it keeps the revision that was given out.

    Rows of tasks that are no longer unrated are dropped. Several processes may use the file. Every method blocks,
    and raises `SubmittedError` for a file that cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = PostbackFile(path)

    def note(self, ids: Iterable[tuple[str, str]]) -> bool:
        """Make it durable that these wait; False if there is no room for more."""
        with self._file.transaction() as database:
            (rows,) = database.execute("SELECT count(*) FROM submitted").fetchone()
            new = list(ids)
            if rows + len(new) > _MOST_ROWS:
                return False
            insert = (
                "INSERT INTO submitted VALUES (?, ?, 1, ?, 0, 1, ?)"
                " ON CONFLICT DO UPDATE SET waiting = 1, posts = posts + 1, at = excluded.at"
            )
            now = time.time()
            database.executemany(insert, ((*one, _NOT_YET, now) for one in new))
        return True

    def begin(self) -> None:
        """A new run: whatever was given out before and is still here comes again."""
        with self._file.transaction() as database:
            database.execute("UPDATE submitted SET waiting = 1, revision = ?", (_NOT_YET,))

    def next_lookup(self, most: int) -> Lookup | None:
        """The job that has waited longest, with up to so many of its ids.

        Room that is left is used to see whether tasks given out a minute ago are rated; with nothing waiting,
        those of an hour ago are looked at.
        """
        now = time.time()
        with self._file.transaction() as database:
            first = "SELECT job_id FROM submitted WHERE waiting = ? AND at <= ? ORDER BY at LIMIT 1"
            row = database.execute(first, (1, math.inf)).fetchone()
            row = row or database.execute(first, (0, now - _HOUR)).fetchone()
            if row is None:
                return None
            query = (
                "SELECT task_id, posts FROM submitted WHERE job_id = ? AND (waiting = 1 OR at <= ?)"
                " ORDER BY waiting DESC, at LIMIT ?"
            )
            rows = database.execute(query, (row[0], now - _MINUTE, most)).fetchall()
        return Lookup(row[0], dict(rows))

    def looked_up(self, lookup: Lookup, revisions: Mapping[str, int], *, complete: bool) -> list[str]:
        """Note what is unrated, with its revision; gives the ids that were not given out in that revision yet.

        Those that are not listed are dropped, if the look was `complete`. What was posted again since the look
        began stays, and waits for another.
        """
        fresh = []
        with self._file.transaction() as database:
            for task_id, posts in lookup.posts.items():
                key = (lookup.job_id, task_id)
                revision = revisions.get(task_id)
                if revision is None:
                    if complete:
                        delete = "DELETE FROM submitted WHERE job_id = ? AND task_id = ? AND posts = ?"
                        database.execute(delete, (*key, posts))
                    continue
                query = "SELECT revision FROM submitted WHERE job_id = ? AND task_id = ?"
                (given,) = database.execute(query, key).fetchone() or (_NOT_YET,)
                if given < revision:
                    fresh.append(task_id)
                update = (
                    "UPDATE submitted SET waiting = (posts > ?), revision = ?, at = ?"
                    " WHERE job_id = ? AND task_id = ?"
                )
                database.execute(update, (posts, max(given, revision), time.time(), *key))
        return fresh

    def refused(self, lookup: Lookup) -> int:
        """The service would not look: they go to the end of the line, and out of it the fifth time."""
        with self._file.transaction() as database:
            update = "UPDATE submitted SET refusals = refusals + 1, at = ? WHERE job_id = ? AND task_id = ?"
            now = time.time()
            database.executemany(update, ((now, lookup.job_id, task_id) for task_id in lookup.task_ids))
            return database.execute("DELETE FROM submitted WHERE refusals >= ?", (_MOST_REFUSALS,)).rowcount
