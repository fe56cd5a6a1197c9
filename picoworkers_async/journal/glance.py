"""A journal at one moment, for whoever watches a batch: one read that never takes the batch's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from ..errors import JournalDamagedError, JournalError
from . import money, questions
from .progress import Running, running_of
from .questions import JournalRow, JournalSummary
from .schema import JournalState
from .stores import reading_file

if TYPE_CHECKING:
    import sqlite3

_SENT_A_SECOND = """
SELECT CAST(sent_at AS INTEGER), count(*) FROM ratings INDEXED BY sent_times WHERE sent_at >= ? GROUP BY 1
"""
_OLD_SENT_A_SECOND = "SELECT CAST(sent_at AS INTEGER), count(*) FROM ratings WHERE sent_at >= ? GROUP BY 1"


# A moment's work for SQLite.
_STEPS = 100_000


@attrs.frozen(kw_only=True)
class Glance:
    """What a journal says at one moment.

    `told` is what the last batch noted about itself; whether it still runs, only its lock could say.
    `pruned_bonus` is the bonuses of what was pruned since. `last` has the rows that changed last, newest first,
    and `open` those that were sent and whose fate is not known. `sent` is how many ratings were sent in each
    second, by seconds since 1970.
    """

    counts: Mapping[JournalState, int]
    days: list[JournalSummary]
    pruned_bonus: Decimal
    told: Running | None
    last: list[JournalRow]
    open: list[JournalRow]
    sent: Mapping[int, int]


def glance(
    path: Path, *, timezone: str = "UTC", since: float, most: int = 200, is_over: Callable[[], bool] | None = None
) -> Glance:
    """Read it once: at most that many rows, and seconds since then. Once `is_over` says so, it gives up soon.

    Raises `JournalError` as every read of a journal does, and `InvalidRequestError` for an unknown time zone.
    """
    with _readable(path), reading_file(path) as database:
        database.set_progress_handler(is_over, _STEPS)
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
            last=list(questions.newest(database, most)),
            open=list(islice(questions.unfinished(database), most)),
            sent=_sent(database, since),
        )


def sent_since(path: Path, since: float) -> dict[int, int]:
    """The `sent` of a glance alone, which is read at once in a journal of this format. Raises `JournalError`."""
    with _readable(path), reading_file(path) as database:
        return _sent(database, since)


def changed_at(path: Path) -> datetime | None:
    """When the file last changed, in UTC; None if it is not there."""
    stats = _stats_of(path)
    return datetime.fromtimestamp(max(stat.st_mtime for stat in stats), UTC) if stats else None


def mark_of(path: Path) -> tuple[tuple[int, ...], ...]:
    """A value that differs when the file has changed, or is another one."""
    return tuple((stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in _stats_of(path))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Reject what no batch writes but another program may: times without end, words for amounts."""
    try:
        yield
    except JournalError:
        raise
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        told = f"it is damaged: it holds what no batch writes ({type(error).__name__}: {error})"
        raise JournalDamagedError(path, told) from error


def _stats_of(path: Path) -> list[os.stat_result]:
    """Those of the file and its write-ahead log, if they exist: a batch's end removes the log."""
    stats = []
    with suppress(OSError):
        stats.append(path.stat())
        stats.append(path.with_name(path.name + "-wal").stat())
    return stats


def _sent(database: sqlite3.Connection, since: float) -> dict[int, int]:
    indexed = database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sent_times'").fetchone()
    return dict(database.execute(_SENT_A_SECOND if indexed else _OLD_SENT_A_SECOND, (since,)))
