"""Queries of a journal: its rows, filtered, and their sums. Pure SQL and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal, get_args

import attrs

from ..errors import InvalidRequestError
from ..models import Rating
from ..models.account import CONTEXT
from ..problems import Problem, ProblemCode
from ..settings import time_zone, time_zone_problems
from . import money
from .database import Database
from .schema import ENTRY_COLUMNS, NO_REVISION, JournalState, JournalStateWord, Spent, rating_of

SummaryBy = Literal["day", "job", "worker"]
RowOrder = Literal["task", "time"]

# What a row is dated by: when it was sent; if it was not, when it failed, or else was decided.
_DATED = "coalesce(sent_at, ended_at, decided_at)"
_PAID = frozenset({JournalState.RATED, JournalState.WOULD_RATE})
# Midnight of every time zone is at a whole quarter of an hour.
_QUARTER_SECONDS = 900
_KEYS = {"day": f"CAST({_DATED} / {_QUARTER_SECONDS} AS INTEGER)", "job": "job_id", "worker": "worker_id"}
_ROWS = f"SELECT {ENTRY_COLUMNS}, state, message, decided_at, sent_at, ended_at FROM ratings"  # noqa: S608
_ORDERS = {"task": "job_id, task_id, revision", "time": f"{_DATED}, job_id, task_id, revision"}
_NOTHING = Spent(0, Decimal(0), Decimal(0))


@attrs.frozen(kw_only=True)
class JournalRow:
    """One task of a journal: what was decided, for whom, its state, and when.

    `rating` is None if `decide` failed, or gave what cannot be kept. `pay` is what the verdict itself pays the
    worker, and `bonus` what comes on top, in US dollars; `pay` is None if it is not known, as in journals of
    earlier versions. `message` is the reason given by the service or the library. The times are in UTC;
    `ended_at` is when the outcome was learned. Journals of earlier versions kept only the last of the times.
    """

    job_id: str
    task_id: str
    revision_number: int | None
    worker_id: str | None
    rating: Rating | None
    pay: Decimal | None
    bonus: Decimal
    state: JournalState
    message: str | None
    decided_at: datetime | None
    sent_at: datetime | None
    ended_at: datetime | None

    @property
    def total(self) -> Decimal | None:
        """Pay and bonus; None if the pay is not known."""
        return None if self.pay is None else CONTEXT.add(self.pay, self.bonus)


@attrs.frozen
class JournalSummary:
    """The ratings of one day, job or worker: how many are in each state, and what those that took effect cost.

    `key` is the day as `YYYY-MM-DD`, the job's id, or the worker's; None if the worker is not known. `pay` is
    what the verdicts pay, without the `bonus`, in US dollars, exact. `unpriced` counts the ratings that pay for
    their task, but whose pay is not known: they are not in `pay` (see `Journal.price`). In a dry run's journal
    these are what it would cost.
    """

    key: str | None
    counts: dict[JournalState, int]
    bonus: Decimal
    pay: Decimal
    unpriced: int

    @property
    def total(self) -> Decimal:
        """Pay and bonuses."""
        return CONTEXT.add(self.pay, self.bonus)


@attrs.frozen(kw_only=True)
class RowFilter:
    """Which rows to select; None selects any. `Journal.rows` says what each field means."""

    state: JournalState | JournalStateWord | None = None
    since: datetime | None = None
    until: datetime | None = None
    job_id: str | None = None
    worker_id: str | None = None
    message: str | None = None

    def check(
        self, call: str, states: Iterable[JournalState] = tuple(JournalState), others: Iterable[Problem] = ()
    ) -> None:
        """Raises `InvalidRequestError` with every problem, the `others` included."""
        names = [state.value for state in states]
        problems = list(others)
        if self.state is not None and self.state not in names:
            problems.append(Problem("state", self.state, f"one of {', '.join(names)}", ProblemCode.CHOICE))
        problems += time_problems("since", self.since) + time_problems("until", self.until)
        for name in ("job_id", "worker_id", "message"):
            value = getattr(self, name)
            if not isinstance(value, str | None):
                problems.append(Problem(name, value, "a text, or None", ProblemCode.TYPE))
        if problems:
            raise InvalidRequestError(call, problems, sends=False)

    def where(self) -> tuple[str, list[Any]]:
        """The condition in SQL, and its parameters."""
        conditions: list[tuple[str, Any]] = [
            ("state = ?", None if self.state is None else JournalState(self.state).value),
            (f"{_DATED} >= ?", None if self.since is None else self.since.timestamp()),
            (f"{_DATED} < ?", None if self.until is None else self.until.timestamp()),
            ("job_id = ?", self.job_id),
            ("worker_id = ?", self.worker_id),
            ("instr(message, ?) > 0", self.message),
        ]
        given = [(condition, value) for condition, value in conditions if value is not None]
        return " AND ".join(condition for condition, _ in given) or "TRUE", [value for _, value in given]


def order_problems(order: object) -> list[Problem]:
    """What keeps this from being an order of rows."""
    if order in get_args(RowOrder):
        return []
    return [Problem("order", order, f"one of {', '.join(_ORDERS)}", ProblemCode.CHOICE)]


def time_problems(name: str, value: object) -> list[Problem]:
    """What keeps this from being a moment, or None."""
    if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
        return []
    return [Problem(name, value, "a datetime with a time zone, or None", ProblemCode.TYPE)]


def rows(database: Database, wanted: RowFilter, order: RowOrder) -> Iterator[JournalRow]:
    """These rows in this order, one at a time."""
    condition, values = wanted.where()
    query = f"{_ROWS} WHERE {condition} ORDER BY {_ORDERS[order]}"
    return map(_row_of, database.stream(query, values))


def unfinished(database: Database) -> Iterator[JournalRow]:
    """The rows that were sent, and whose fate is not known."""
    return map(_row_of, database.execute(f"{_ROWS} WHERE state IN ('sent', 'unknown') ORDER BY 1, 2, 3"))


def newest(database: Database, most: int) -> Iterator[JournalRow]:
    """At most this many rows, those that changed state last first."""
    order = "coalesce(ended_at, sent_at, decided_at) DESC, job_id, task_id, revision"
    # With the limit known, SQLite keeps so many rows while it reads; without it, it sorts all of them.
    return map(_row_of, database.execute(f"{_ROWS} ORDER BY {order} LIMIT ?", (most,)))


def summary(database: Database, by: SummaryBy, timezone: str) -> list[JournalSummary]:
    """The sums of all rows, in the order of the keys."""
    zone = check_summary(by, timezone)
    sums = f"count(CASE WHEN {money.UNPRICED} THEN 1 END), {money.SUMS}"
    query = f"SELECT {_KEYS[by]}, state, {sums} FROM ratings GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2"  # noqa: S608
    counts: dict[str | None, dict[JournalState, int]] = {}
    paid: dict[str | None, Spent] = {}
    unpriced: dict[str | None, int] = {}
    for group, state_name, without_pay, *of_group in database.execute(query):
        key = _day(group, zone) if by == "day" and group is not None else group
        state, more = JournalState(state_name), money.spent_of(of_group)
        of_key = counts.setdefault(key, {})
        of_key[state] = of_key.get(state, 0) + more.count
        if state in _PAID:
            paid[key] = money.add(paid.get(key, _NOTHING), more)
            unpriced[key] = unpriced.get(key, 0) + without_pay
    return [
        JournalSummary(
            key, of_key, paid.get(key, _NOTHING).bonus, paid.get(key, _NOTHING).pay, unpriced.get(key, 0)
        )
        for key, of_key in counts.items()
    ]


def check_summary(by: object, timezone: object) -> tzinfo:
    """The time zone. Raises `InvalidRequestError` with every problem."""
    problems = []
    if by not in get_args(SummaryBy):
        problems.append(Problem("by", by, f"one of {', '.join(get_args(SummaryBy))}", ProblemCode.CHOICE))
    problems += time_zone_problems("timezone", timezone)
    zone = time_zone(timezone)
    if problems or zone is None:
        raise InvalidRequestError("Journal.summary", problems, sends=False)
    return zone


def _day(quarter: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(quarter * _QUARTER_SECONDS, zone).date().isoformat()


def _row_of(row: tuple[Any, ...]) -> JournalRow:
    bonus, _, worker_id, pay, _, state, message, *times = row[8:]
    decided_at, sent_at, ended_at = (None if at is None else datetime.fromtimestamp(at, UTC) for at in times)
    return JournalRow(
        job_id=row[0],
        task_id=row[1],
        revision_number=None if row[2] == NO_REVISION else row[2],
        worker_id=worker_id,
        rating=rating_of(row),
        pay=None if pay is None else Decimal(pay, CONTEXT),
        bonus=Decimal(0) if bonus is None else Decimal(bonus, CONTEXT),
        state=JournalState(state),
        message=message,
        decided_at=decided_at,
        sent_at=sent_at,
        ended_at=ended_at,
    )
