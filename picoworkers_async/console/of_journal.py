"""A journal's board: how far the batch is, what it paid, what is unknown, what came last. Read-only."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path

import anyio.to_thread
import attrs

from ..errors import JournalError
from ..journal.glance import Glance, changed_at, glance, mark_of, sent_since
from ..journal.questions import JournalRow, JournalSummary
from ..journal.schema import JournalState
from ..models.account import CONTEXT
from ..models.dollars import in_dollars
from .board import Column, RefusedError, Row, Rows, Snapshot, Table
from .plot import SECONDS, Plot
from .words import shown

_SHORT = 120
_MOST_DAYS = 60
_MOST_OPEN = 50
# A journal that takes longer to read than this is read for a tenth of the time at most.
_LONG_SECONDS = 1.0
_PAUSE = 10
_DAYS = Table(
    "days",
    "Money by day",
    (
        Column("day", "Day"),
        Column("rated", "Rated", "number"),
        Column("refused", "Refused", "number"),
        Column("failed", "Failed", "number"),
        Column("unknown", "Unknown", "number"),
        Column("pay", "Paid for tasks", "number"),
        Column("bonus", "Bonuses", "number"),
        Column("total", "Total", "number"),
        Column("unpriced", "Pay not known", "number"),
    ),
    "Nothing is noted yet.",
)
_ROW = (
    Column("time", "When"),
    Column("task_id", "Task", "words"),
    Column("job_id", "Job", "words"),
    Column("worker", "Worker", "words"),
    Column("verdict", "Verdict", "state"),
    Column("pay", "Pay", "number"),
    Column("bonus", "Bonus", "number"),
    Column("state", "State", "state"),
    Column("message", "Message", "words"),
)
_OPEN = Table("open", "Sent, outcome unknown", _ROW, "Nothing: everything sent has its answer.")
_LAST = Table("last", "Last outcomes", _ROW, "Nothing is noted yet.", scrolls=True)


class JournalBoard:
    """The board of a journal. Money is in US dollars; days begin at midnight in `timezone`."""

    plot_title = "Ratings sent a second"
    plot_note = ""
    tables: Sequence[Table] = (_DAYS, _OPEN, _LAST)
    pages_of = None
    numbers: Sequence[tuple[str, str]] = (
        ("batch", "The last batch"),
        ("begun", "Begun"),
        ("changed", "Last change"),
        ("rated", "Rated"),
        ("would_rate", "Would be rated"),
        ("waiting", "Decided, not sent"),
        ("refused", "Refused"),
        ("failed", "Failed"),
        ("unknown", "Unknown"),
        ("pay", "Paid for tasks"),
        ("bonus", "Bonuses"),
        ("problem", "Reading the file"),
    )

    def __init__(self, path: Path, timezone: str = "UTC") -> None:
        self.title: str = f"Journal {shown(path.name, _SHORT)}"
        self._path = path
        self._timezone = timezone
        self._read: tuple[object, Glance] | None = None
        # When it was read, how long that took, and when it may be read again, by the monotonic clock.
        self._read_at = self._took = self._again_at = 0.0
        self._reading = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """Abort the read in progress, and every later one."""
        self._is_closed = True

    async def snapshot(self, page: int) -> Snapshot:
        """Everything now; if it cannot be read, what was read before, with the reason."""
        return await anyio.to_thread.run_sync(self._snapshot)

    def act(self, action: str, fields: Mapping[str, str]) -> str:
        """Nothing can be done to a journal from here."""
        raise RefusedError("This page is read-only.")

    def look(self) -> Glance:
        """Read it, unless it is unchanged, or was read a moment ago and took long. Raises `JournalError`."""
        with self._reading:
            # Asked before reading: what changes meanwhile is read the next time.
            mark, began = mark_of(self._path), time.monotonic()
            if self._read is None or (self._read[0] != mark and began >= self._again_at):
                since = time.time() - SECONDS
                read = glance(self._path, timezone=self._timezone, since=since, is_over=lambda: self._is_closed)
                self._read, self._read_at = (mark, read), time.monotonic()
                self._took = self._read_at - began
                self._again_at = self._read_at + (_PAUSE * self._took if self._took > _LONG_SECONDS else 0)
            elif self._read[0] != mark:
                self._read = (self._read[0], attrs.evolve(self._read[1], sent=self._sent()))
            return self._read[1]

    def _sent(self) -> Mapping[int, int]:
        return sent_since(self._path, time.time() - SECONDS)

    def _snapshot(self) -> Snapshot:
        problem = "works"
        try:
            self.look()
            if time.monotonic() < self._again_at:
                age = time.monotonic() - self._read_at
                problem = f"takes {self._took:.0f} s, so it is not read all the time; last {age:.0f} s ago"
        except (JournalError, OSError) as error:
            problem = shown(str(error))
        now = time.time()
        read = self._read[1] if self._read else _NOTHING
        minute = range(int(now) - SECONDS + 1, int(now) + 1)
        tables = {
            "days": _days(read.days),
            "open": _rows(read.open[:_MOST_OPEN], len(read.open)),
            "last": _rows(read.last, len(read.last)),
        }
        plot = Plot([(read.sent.get(second, 0), 0) for second in minute])
        return Snapshot({**_numbers(read), "changed": _age(self._path, now), "problem": problem}, tables, plot)


_NOTHING = Glance(counts={}, days=[], pruned_bonus=Decimal(0), told=None, last=[], open=[], sent={})


def _numbers(read: Glance) -> dict[str, str]:
    counts = {state: f"{read.counts.get(state, 0):,}" for state in JournalState}
    unknown = read.counts.get(JournalState.UNKNOWN, 0) + read.counts.get(JournalState.SENT, 0)
    paid = in_dollars(reduce(CONTEXT.add, (day.pay for day in read.days), Decimal(0)))
    unpriced = sum(day.unpriced for day in read.days)
    told = read.told
    kind = "none" if told is None else f"{'dry run of ' if told.dry_run else ''}{shown(told.kind, _SHORT)}"
    return {
        "batch": kind,
        "begun": "" if told is None else _moment(told.since),
        "rated": counts[JournalState.RATED],
        "would_rate": counts[JournalState.WOULD_RATE],
        "waiting": counts[JournalState.DECIDED],
        "refused": counts[JournalState.REFUSED],
        "failed": counts[JournalState.FAILED],
        "unknown": f"{unknown:,}",
        "pay": f"{paid}, {unpriced:,} not known" if unpriced else paid,
        "bonus": in_dollars(reduce(CONTEXT.add, (day.bonus for day in read.days), read.pruned_bonus)),
    }


def _days(days: list[JournalSummary]) -> Rows:
    newest = list(reversed(days))[:_MOST_DAYS]
    more = len(days) - len(newest)
    return Rows([_day(day) for day in newest], f"{more:,} earlier days are not shown." if more else "")


def _day(day: JournalSummary) -> Row:
    def count(*states: JournalState) -> str:
        return f"{sum(day.counts.get(state, 0) for state in states):,}"

    return {
        "key": day.key or "",
        "day": day.key or "not dated",
        "rated": count(JournalState.RATED),
        "refused": count(JournalState.REFUSED),
        "failed": count(JournalState.FAILED),
        "unknown": count(JournalState.UNKNOWN, JournalState.SENT),
        "pay": in_dollars(day.pay),
        "bonus": in_dollars(day.bonus),
        "total": in_dollars(day.total),
        "unpriced": f"{day.unpriced:,}",
    }


def _rows(rows: list[JournalRow], found: int) -> Rows:
    more = found - len(rows)
    return Rows([_row(row) for row in rows], f"{more:,} more at least." if more else "")


def _row(row: JournalRow) -> Row:
    moment = row.ended_at or row.sent_at or row.decided_at
    return {
        "key": shown(f"{row.job_id} {row.task_id} {row.revision_number}"),
        "time": "" if moment is None else _moment(moment),
        "task_id": shown(row.task_id, _SHORT),
        "job_id": shown(row.job_id, _SHORT),
        "worker": shown(row.worker_id or "", _SHORT),
        "verdict": "" if row.rating is None else row.rating.verdict.value.replace("_", " "),
        "pay": "not known" if row.pay is None else in_dollars(row.pay),
        "bonus": in_dollars(row.bonus) if row.bonus else "",
        "state": row.state.value.replace("_", " "),
        "message": shown(row.message or "", _SHORT),
    }


def _age(path: Path, now: float) -> str:
    changed = changed_at(path)
    if changed is None:
        return "the file is gone"
    seconds = max(0, int(now - changed.timestamp()))
    return _moment(changed) if seconds > SECONDS else f"{seconds} s ago"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
