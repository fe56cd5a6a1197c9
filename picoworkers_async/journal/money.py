"""The sums of a journal's money, exact."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING

from ..models.account import CONTEXT
from .formats import dollars, units_of
from .schema import Spent

if TYPE_CHECKING:
    import sqlite3

# An amount with more than four decimal places has no units, and is added up from its text.
SUMS = """
count(*), sum(bonus_units), sum(pay_units),
group_concat(CASE WHEN bonus_units IS NULL THEN bonus END, ' '),
group_concat(CASE WHEN pay_units IS NULL THEN pay END, ' ')
"""
_SPENT_STATES = "state IN ('sent', 'rated', 'unknown', 'would_rate')"
SPENT_SINCE = f"""
SELECT {SUMS} FROM ratings INDEXED BY sent_times WHERE sent_at >= ? AND {_SPENT_STATES}
"""  # noqa: S608
_SPENT = f"SELECT {SUMS} FROM ratings WHERE {_SPENT_STATES}"  # noqa: S608
# Ratings that pay for the task, and of which nobody noted how much.
UNPRICED = "verdict = 'ok' AND pay IS NULL"
_UNPRICED_JOBS = f"""
SELECT DISTINCT job_id FROM ratings WHERE coalesce(sent_at, 0.0) >= ? AND {_SPENT_STATES} AND {UNPRICED}
ORDER BY job_id
"""  # noqa: S608
_PRICE = f"UPDATE ratings SET pay = ?, pay_units = ? WHERE job_id = ? AND {UNPRICED}"  # noqa: S608
_PRUNED = ("pruned_count", "pruned_bonus", "pruned_pay")


def spent_of(row: Iterable[object]) -> Spent:
    """The sums in a row of `SUMS`."""
    count, bonus_units, pay_units, bonuses, pays = row
    return Spent(int(count), _amount(bonus_units, bonuses), _amount(pay_units, pays))  # type: ignore[call-overload]


def spent(database: sqlite3.Connection, since: float | None) -> Spent:
    """What was sent since then and may have taken effect; without a time, in all, with what was pruned."""
    if since is not None:
        return spent_of(database.execute(SPENT_SINCE, (since,)).fetchone())
    return add(spent_of(database.execute(_SPENT).fetchone()), pruned(database))


def unpriced(database: sqlite3.Connection, since: float | None) -> list[str]:
    """Jobs of ratings that were sent since then and may have paid, and whose pay nobody noted."""
    return [job_id for (job_id,) in database.execute(_UNPRICED_JOBS, (since or 0.0,))]


def price(database: sqlite3.Connection, job_id: str, task_value: Decimal) -> int:
    """Note what a job pays for a task, where that is not known; returns for how many ratings."""
    return database.execute(_PRICE, (str(task_value), units_of(task_value), job_id)).rowcount


def pruned(database: sqlite3.Connection) -> Spent:
    """What the pruned ratings cost."""
    kept = dict(database.execute("SELECT name, value FROM meta WHERE name LIKE 'pruned%'"))
    count, bonus, pay = (kept.get(name, "0") for name in _PRUNED)
    return Spent(int(count), Decimal(bonus, CONTEXT), Decimal(pay, CONTEXT))


def keep_pruned(database: sqlite3.Connection, more: Spent) -> None:
    """Add to what the pruned ratings cost."""
    kept = add(pruned(database), more)
    values = zip(_PRUNED, map(str, (kept.count, kept.bonus, kept.pay)), strict=True)
    database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)


def add(one: Spent, other: Spent) -> Spent:
    """Both together."""
    bonus, pay = CONTEXT.add(one.bonus, other.bonus), CONTEXT.add(one.pay, other.pay)
    return Spent(one.count + other.count, bonus, pay)


def _amount(units: object, others: object) -> Decimal:
    exact = dollars(units if isinstance(units, int) else 0)
    texts = () if others is None else str(others).split()
    return reduce(CONTEXT.add, (Decimal(text, CONTEXT) for text in texts), exact)
