"""What a batch notes of its ratings, step by step, and which of them may still be sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from ..codec import printable
from ..models import Rating, Verdict
from .schema import COLUMNS, NO_REVISION, JournalState, Key, Recorded, key_of, recorded_of, row_of

_ROWS_AT_ONCE = 1000

_SELECT = f"SELECT {COLUMNS} FROM ratings"  # noqa: S608
_ONE = f"{_SELECT} WHERE job_id = ? AND task_id = ? AND revision = ?"
_SENT_OF_TASK = f"{_SELECT} WHERE job_id = ? AND task_id = ? AND state NOT IN ('decided', 'failed')"
# What was sent, or came to its end, is never replaced: only what certainly did not take effect is.
_BEGIN = f"""
INSERT INTO ratings ({COLUMNS}) VALUES ({", ".join("?" * 12)})
ON CONFLICT (job_id, task_id, revision) DO UPDATE SET
    verdict = excluded.verdict, satisfaction = excluded.satisfaction, comment = excluded.comment,
    list_id = excluded.list_id, block_worker = excluded.block_worker, bonus = excluded.bonus,
    state = excluded.state, message = excluded.message, at = excluded.at
WHERE state IN ('decided', 'failed')
"""  # noqa: S608
_END = """
UPDATE ratings SET state = ?, message = ?, at = ?
WHERE job_id = ? AND task_id = ? AND revision = ? AND state NOT IN ('rated', 'refused')
"""
# The index is named so that this fails, rather than reads everything, should it ever not fit.
UNFINISHED = f"""
{_SELECT} INDEXED BY unfinished
WHERE state IN ('sent', 'unknown') AND (job_id, task_id, revision) > (?, ?, ?)
ORDER BY job_id, task_id, revision LIMIT {_ROWS_AT_ONCE}
"""


def decide(database: sqlite3.Connection, ratings: Sequence[Rating], now: float) -> None:
    """Note decisions, but for those that were sent before."""
    database.executemany(_BEGIN, [(*row_of(rating), "decided", None, now) for rating in ratings])


def send(database: sqlite3.Connection, ratings: Sequence[Rating], now: float) -> list[Recorded | None]:
    """Note that these are about to be sent; for one that must not be, give what was sent before instead."""
    found: list[Recorded | None] = []
    for rating in ratings:
        row = row_of(rating)
        of_task = database.execute(_SENT_OF_TASK, row[:2]).fetchall()
        before = sent_before(map(recorded_of, of_task), rating.revision_number) if of_task else None
        if before is None:
            database.execute(_BEGIN, (*row, "sent", None, now))
        found.append(before)
    return found


def sent_before(of_task: Iterable[Recorded], revision: int | None) -> Recorded | None:
    """Which of a task's ratings, all sent before, stands in the way of one for this revision.

    A rating without a revision may be of any; only one that sent the task back leaves room for the next.
    """
    standing = [
        recorded
        for recorded in of_task
        if revision is None
        or recorded.rating.revision_number == revision
        or (
            recorded.rating.revision_number is None
            and (revision == 0 or recorded.rating.verdict is not Verdict.REVISE)
        )
    ]
    return max(
        standing, key=lambda recorded: (recorded.rating.revision_number == revision, recorded.at), default=None
    )


def conclude(
    database: sqlite3.Connection, outcomes: Sequence[tuple[Rating, JournalState, str | None]], now: float
) -> None:
    """Note outcomes (rating, state, message), but for those that have a final one."""
    database.executemany(
        _END,
        [
            (state.value, None if message is None else printable(message), now, *key_of(rating))
            for rating, state, message in outcomes
        ],
    )


def unfinished(database: sqlite3.Connection, after: Rating | None) -> list[Recorded]:
    """Up to 1,000 ratings that were sent and whose fate is unknown, in the order of their keys, behind `after`."""
    key = ("", "", NO_REVISION) if after is None else key_of(after)
    return list(map(recorded_of, database.execute(UNFINISHED, key)))


def known(database: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, Recorded]:
    """What the journal has of these."""
    rows = ((key, database.execute(_ONE, key).fetchone()) for key in keys if _can_be_stored(key))
    return {key: recorded_of(row) for key, row in rows if row is not None}


def _can_be_stored(key: Key) -> bool:
    """Whether a row could have this key: ids that cannot be encoded are refused before they are noted."""
    try:
        f"{key[0]}{key[1]}".encode()
    except UnicodeEncodeError:
        return False
    return -(2**63) <= key[2] < 2**63
