"""The sums of a journal's money, exact."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce

from ..models.account import CONTEXT
from .database import Database
from .formats import SET_META, dollars, units_of
from .schema import Spent

# An amount with more than four decimal places has no units, and is added up from its text.
SUMS = """
count(*), CAST(sum(bonus_units) AS BIGINT), CAST(sum(pay_units) AS BIGINT),
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


def spent(database: Database, since: float | None) -> Spent:
    """What was sent since then and may have taken effect; without a time, in all, with what was pruned."""
    if since is not None:
        return spent_of(database.execute(SPENT_SINCE, (since,)).fetchone())
    return add(spent_of(database.execute(_SPENT).fetchone()), pruned(database))


def unpriced(database: Database, since: float | None) -> list[str]:
    """Jobs of ratings that were sent since then and may have paid, and of which nobody noted how much."""
    return [job_id for (job_id,) in database.execute(_UNPRICED_JOBS, (since or 0.0,))]


def price(database: Database, job_id: str, task_value: Decimal) -> int:
    """Note what a job pays for a task, where that is not known; gives for how many ratings."""
    return database.change(_PRICE, (str(task_value), units_of(task_value), job_id))


def pruned(database: Database) -> Spent:
    """What the ratings took that were pruned."""
    kept = dict(database.execute("SELECT name, value FROM meta WHERE name LIKE 'pruned%'"))
    count, bonus, pay = (kept.get(name, "0") for name in _PRUNED)
    return Spent(int(count), Decimal(bonus, CONTEXT), Decimal(pay, CONTEXT))


def keep_pruned(database: Database, more: Spent) -> None:
    """Add to what the pruned ratings cost."""
    kept = add(pruned(database), more)
    values = zip(_PRUNED, map(str, (kept.count, kept.bonus, kept.pay)), strict=True)
    database.executemany(SET_META, values)


def add(one: Spent, other: Spent) -> Spent:
    """Both together."""
    bonus, pay = CONTEXT.add(one.bonus, other.bonus), CONTEXT.add(one.pay, other.pay)
    return Spent(one.count + other.count, bonus, pay)


def _amount(units: object, others: object) -> Decimal:
    exact = dollars(units if isinstance(units, int) else 0)
    texts = () if others is None else str(others).split()
    return reduce(CONTEXT.add, (Decimal(text, CONTEXT) for text in texts), exact)
