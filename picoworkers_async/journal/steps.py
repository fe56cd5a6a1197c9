"""What a batch notes about its ratings, step by step, and which of them may still be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..codec import printable
from ..models import Rating, Verdict
from .database import Database
from .schema import (
    ENTRY_COLUMNS,
    NO_REVISION,
    RECORDED_COLUMNS,
    Entry,
    Failure,
    JournalState,
    Key,
    Recorded,
    can_be_stored,
    key_of,
    recorded_of,
    row_of,
    row_of_failure,
)

_ROWS_AT_ONCE = 1000

_SELECT = f"SELECT {RECORDED_COLUMNS} FROM ratings"  # noqa: S608
# A task whose decision broke a rule, or was taken back, is asked about again; so it is not known.
_ONE = f"""
{_SELECT} WHERE job_id = ? AND task_id = ? AND revision = ?
AND state <> 'withdrawn' AND (state <> 'failed' OR sent_at IS NOT NULL)
"""
_SENT_OF_TASK = f"{_SELECT} WHERE job_id = ? AND task_id = ? AND state NOT IN ('decided', 'failed', 'withdrawn')"

_INSERT = f"""
INSERT INTO ratings ({ENTRY_COLUMNS}, state, message, decided_at, sent_at, ended_at)
VALUES ({", ".join("?" * 18)})
ON CONFLICT (job_id, task_id, revision) DO UPDATE SET
    verdict = excluded.verdict, satisfaction = excluded.satisfaction, comment = excluded.comment,
    list_id = excluded.list_id, block_worker = excluded.block_worker,
    bonus = excluded.bonus, bonus_units = excluded.bonus_units,
    worker_id = coalesce(excluded.worker_id, ratings.worker_id),
    pay = CASE WHEN excluded.pay IS NULL AND excluded.verdict = ratings.verdict
        THEN ratings.pay ELSE excluded.pay END,
    pay_units = CASE WHEN excluded.pay IS NULL AND excluded.verdict = ratings.verdict
        THEN ratings.pay_units ELSE excluded.pay_units END,
    state = excluded.state, message = excluded.message,
    decided_at = coalesce(excluded.decided_at, ratings.decided_at),
    sent_at = excluded.sent_at, ended_at = excluded.ended_at
"""  # noqa: S608
# What was sent, or came to its end, is never replaced: only what certainly did not take effect is.
_BEGIN = f"{_INSERT} WHERE ratings.state IN ('decided', 'failed', 'withdrawn')"
# A failure before anything was sent replaces only what was not sent either.
_FAIL = f"""
{_INSERT} WHERE ratings.state IN ('decided', 'withdrawn')
OR (ratings.state = 'failed' AND ratings.sent_at IS NULL)
"""
_END = """
UPDATE ratings SET state = ?, message = ?, ended_at = ?
WHERE job_id = ? AND task_id = ? AND revision = ? AND state NOT IN ('rated', 'refused')
"""
_UNSEND = """
UPDATE ratings SET state = 'decided', message = NULL, sent_at = NULL, ended_at = NULL,
    decided_at = coalesce(decided_at, sent_at)
WHERE job_id = ? AND task_id = ? AND revision = ? AND state IN ('sent', 'unknown')
"""
# The index is named so that this fails, rather than reads everything, should it ever not fit.
UNFINISHED = f"""
{_SELECT} INDEXED BY unfinished
WHERE state IN ('sent', 'unknown') AND (job_id, task_id, revision) > (?, ?, ?)
ORDER BY job_id, task_id, revision LIMIT {_ROWS_AT_ONCE}
"""


def decide(database: Database, entries: Sequence[Entry], now: float) -> None:
    """Note decisions, but for those that were sent before."""
    database.executemany(_BEGIN, [(*row_of(entry), "decided", None, now, None, None) for entry in entries])


def send(database: Database, entries: Sequence[Entry], now: float) -> list[Recorded | None]:
    """Note that these are about to be sent; for one that must not be, give what was sent before instead.

    They are dated now, or by when their money was reserved, so that it counts for the same day everywhere.
    """
    return _begin(database, entries, "sent", now, ended_at=None)


def would_send(database: Database, entries: Sequence[Entry], now: float) -> list[Recorded | None]:
    """Note that a dry run would send these; otherwise as `send`."""
    return _begin(database, entries, "would_rate", now, ended_at=now)


def _begin(
    database: Database, entries: Sequence[Entry], state: str, now: float, *, ended_at: float | None
) -> list[Recorded | None]:
    rows = [row_of(entry) for entry in entries]
    keys = [row[:2] for row in rows]
    if len(set(keys)) < len(keys):
        # More of a task, of other revisions: each must see those before it.
        one_by_one = (_begin(database, [entry], state, now, ended_at=ended_at) for entry in entries)
        return [found for (found,) in one_by_one]
    of_tasks = database.select_each(_SENT_OF_TASK, keys)
    found: list[Recorded | None] = []
    begun: list[tuple[object, ...]] = []
    for entry, row, of_task in zip(entries, rows, of_tasks, strict=True):
        before = sent_before(map(recorded_of, of_task), entry.rating.revision_number) if of_task else None
        if before is None:
            sent_at = now if entry.sent_at is None else entry.sent_at
            begun.append((*row, state, None, None, sent_at, ended_at))
        found.append(before)
    database.executemany(_BEGIN, begun)
    return found


def sent_before(of_task: Iterable[Recorded], revision: int | None) -> Recorded | None:
    """Which of a task's ratings, all sent before, prevents one for this revision.

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


def unsend(database: Database, ratings: Sequence[Rating], now: float) -> None:
    """Note that these certainly never left, or had no effect: they are only decided."""
    database.executemany(_UNSEND, [key_of(rating) for rating in ratings])


def fail(database: Database, failures: Sequence[Failure], now: float) -> None:
    """Note what failed before anything was sent; what cannot be stored is left out."""
    rows = ((row_of_failure(failure), failure.message) for failure in failures)
    database.executemany(
        _FAIL, [(*row, "failed", printable(message), None, None, now) for row, message in rows if row is not None]
    )


def conclude(database: Database, outcomes: Sequence[tuple[Rating, JournalState, str | None]], now: float) -> None:
    """Note outcomes (rating, state, message), except of ratings that have a final one."""
    database.executemany(
        _END,
        [
            (state.value, None if message is None else printable(message), now, *key_of(rating))
            for rating, state, message in outcomes
        ],
    )


def unfinished(database: Database, after: Rating | None) -> list[Recorded]:
    """Up to 1,000 ratings that were sent and whose fate is unknown, in the order of their keys, after `after`."""
    key = ("", "", NO_REVISION) if after is None else key_of(after)
    return list(map(recorded_of, database.execute(UNFINISHED, key)))


def known(database: Database, keys: Iterable[Key]) -> dict[Key, Recorded]:
    """What the journal has of these."""
    asked = [key for key in keys if can_be_stored(key)]
    found = zip(asked, database.select_each(_ONE, asked), strict=True)
    return {key: recorded_of(rows[0]) for key, rows in found if rows}
