"""A journal at one moment, for whoever watches a batch: one reading, that never takes the batch's lock."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from . import money, questions
from .progress import Running, running_of
from .questions import JournalRow, JournalSummary
from .reader import reading
from .schema import JournalState

if TYPE_CHECKING:
    import sqlite3

_SENT_A_SECOND = """
SELECT CAST(sent_at AS INTEGER), count(*) FROM ratings INDEXED BY sent_times WHERE sent_at >= ? GROUP BY 1
"""
_OLD_SENT_A_SECOND = "SELECT CAST(sent_at AS INTEGER), count(*) FROM ratings WHERE sent_at >= ? GROUP BY 1"


@attrs.frozen(kw_only=True)
class Glance:
    """What a journal says at one moment.

    `told` is what the last batch told of itself; whether it still runs, only its lock could say. `pruned_bonus`
    are the bonuses of what was deleted since. `last` are the rows that changed last, the newest first, and `open`
    those that were sent and whose fate is not known. `sent` is how many ratings were sent in a second, by seconds
    since 1970.
    """

    counts: Mapping[JournalState, int]
    days: list[JournalSummary]
    pruned_bonus: Decimal
    told: Running | None
    last: list[JournalRow]
    open: list[JournalRow]
    sent: Mapping[int, int]


def glance(path: Path, *, timezone: str = "UTC", since: float, most: int = 200) -> Glance:
    """Read it once: at most so many rows, and seconds since then.

    Raises `JournalError` as every reading of a journal, and `InvalidRequestError` for an unknown time zone.
    """
    with reading(path) as database:
        database.execute("BEGIN")
        days = questions.summary(database, "day", timezone)
        counts: dict[JournalState, int] = {}
        for day in days:
            for state, count in day.counts.items():
                counts[state] = counts.get(state, 0) + count
        return Glance(
            counts=counts,
            days=days,
            pruned_bonus=money.pruned(database).bonus,
            told=running_of(dict(database.execute("SELECT name, value FROM meta"))),
            last=list(islice(questions.newest(database), most)),
            open=list(islice(questions.unfinished(database), most)),
            sent=_sent(database, since),
        )


def changed_at(path: Path) -> datetime | None:
    """When the file last changed, in UTC; None if it is not there."""
    stats = _stats_of(path)
    return datetime.fromtimestamp(max(stat.st_mtime for stat in stats), UTC) if stats else None


def mark_of(path: Path) -> tuple[tuple[int, int], ...]:
    """What differs when the file does."""
    return tuple((stat.st_mtime_ns, stat.st_size) for stat in _stats_of(path))


def _stats_of(path: Path) -> list[os.stat_result]:
    """Those of the file and its write-ahead log, as far as they are there: a batch's end takes the log away."""
    stats = []
    for file in (path, path.with_name(path.name + "-wal")):
        with suppress(FileNotFoundError):
            stats.append(file.stat())
    return stats


def _sent(database: sqlite3.Connection, since: float) -> dict[int, int]:
    indexed = database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sent_times'").fetchone()
    return dict(database.execute(_SENT_A_SECOND if indexed else _OLD_SENT_A_SECOND, (since,)))
