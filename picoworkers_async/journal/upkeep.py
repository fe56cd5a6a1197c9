"""Upkeep of a journal between batches: prune old rows, reopen tasks, take back decisions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from . import money
from .database import Database
from .places import Place
from .questions import RowFilter
from .stores import store_of

T = TypeVar("T")

_DELETE_OLD = """
DELETE FROM ratings
WHERE state IN ('rated', 'refused', 'failed', 'withdrawn', 'would_rate') AND ended_at < ?
AND coalesce(sent_at, 0.0) < ?
"""
_REOPEN = """
UPDATE ratings SET state = 'decided', message = NULL, sent_at = NULL, ended_at = NULL,
    decided_at = coalesce(decided_at, sent_at)
WHERE sent_at IS NOT NULL
"""
_PAID_AND_OLD = f"""
SELECT {money.SUMS} FROM ratings
WHERE state IN ('rated', 'would_rate') AND ended_at < ? AND coalesce(sent_at, 0.0) < ?
"""  # noqa: S608
_COUNTED_SECONDS = 2 * 86400.0


def held(place: Place, work: Callable[[Database], T]) -> T:
    """Do this to the journal, held like by a batch, in one transaction; `JournalBusyError` if one has it."""
    store = store_of(place, None)
    with closing(store):
        store.open()
        return store.write(work)


def prune(database: Database, before: float, now: float) -> int:
    """Delete what ended before that time, keeping what it cost in all; gives how many rows that were.

    What was sent in the last two days stays: limits of the day count it, wherever their midnight is.
    """
    times = before, now - _COUNTED_SECONDS
    money.keep_pruned(database, money.spent_of(database.execute(_PAID_AND_OLD, times).fetchone()))
    return database.change(_DELETE_OLD, times)


def reopen(database: Database, wanted: RowFilter) -> int:
    """Set ratings that were sent, and had no effect, back to decided; returns how many."""
    condition, values = wanted.where()
    return database.change(f"{_REOPEN} AND {condition}", values)


def withdraw(database: Database, now: float) -> int:
    """Take back what was decided and not sent; returns how many ratings."""
    query = "UPDATE ratings SET state = 'withdrawn', ended_at = ? WHERE state = 'decided'"
    return database.change(query, (now,))
