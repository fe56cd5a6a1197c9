"""The minimums of the web site's form beyond the API's limits: warned of, never enforced."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from .account import CONTEXT
from .costs import SITE_AS_OF
from .jobs import WorkersLevel

_LEVELS = {WorkersLevel.ADVANCED.value: Decimal("1.25"), WorkersLevel.EXPERT.value: Decimal("1.5")}
_LONG_TTR = ((60, Decimal("0.75")), (30, Decimal("0.50")), (7, Decimal("0.25")))
_SCREENSHOT = Decimal("0.05")
_SCREENSHOT_BY_GROUP = {"37": Decimal("0.04")}
"""By the first two digits of a category's id, which stand for its group."""

_MOST_SCREENSHOTS = 3
_LEAST_TASKS = 25


@attrs.frozen
class DraftWarning:
    """Something in a draft that the service may object to, but no document forbids; never a reason to refuse it.

    `code` is stable: `level_pay`, `ttr_pay`, `screenshot_pay`, `screenshots`, `num_tasks`, or `balance`. `field`
    is the draft's attribute, `value` what it is, `advice` what would be better, in words. `as_of` is the year
    and month of the web site's form that this comes from.
    """

    code: str
    field: str
    value: object
    advice: str
    as_of: str = SITE_AS_OF

    def __str__(self) -> str:
        return f"{self.field}={self.value}: {self.advice} (by the web site's form of {self.as_of})"


def warnings_of(
    *,
    value: object,
    num_tasks: object,
    ttr: object,
    level: object,
    screenshots: int,
    category_id: object,
    least_pay: Decimal | None,
) -> tuple[DraftWarning, ...]:
    """What the form would not accept of a job with these attributes; values of the wrong type are skipped.

    `level` is None for a job for a list, because its workers' level does not affect the pay. `least_pay` is the
    category's for the job's zone, in US dollars, None if it is not known.
    """
    found: list[DraftWarning] = []
    if type(num_tasks) is int and num_tasks < _LEAST_TASKS:
        found.append(DraftWarning("num_tasks", "num_tasks", num_tasks, f"at least {_LEAST_TASKS} tasks"))
    if screenshots > _MOST_SCREENSHOTS:
        advice = f"at most {_MOST_SCREENSHOTS} proofs that are screenshots"
        found.append(DraftWarning("screenshots", "proofs", screenshots, advice))
    if isinstance(value, Decimal) and value.is_finite():
        factor = _LEVELS.get(level, Decimal(1)) if isinstance(level, str) else Decimal(1)
        found += _pay(value, ttr, factor, screenshots, category_id, least_pay)
    return tuple(found)


def _pay(
    value: Decimal,
    ttr: object,
    factor: Decimal,
    screenshots: int,
    category_id: object,
    least_pay: Decimal | None,
) -> Iterator[DraftWarning]:
    """Each minimum by itself: how the form combines them is not known."""
    base = None if least_pay is None else CONTEXT.multiply(least_pay, factor)
    if base is not None and factor != 1 and value < base:
        advice = f"at least {base:f} for this level of workers: {factor} x {least_pay:f}"
        yield DraftWarning("level_pay", "task_value", value, advice)
    if type(ttr) is int:
        for days, least in _LONG_TTR:
            if ttr > days:
                needed = CONTEXT.multiply(least, factor)
                if value < needed:
                    advice = f"at least {needed:f} for a time to rate of more than {days} days"
                    yield DraftWarning("ttr_pay", "task_value", value, advice)
                break
    if screenshots:
        group = category_id[:2] if isinstance(category_id, str) else ""
        more = CONTEXT.multiply(screenshots, _SCREENSHOT_BY_GROUP.get(group, _SCREENSHOT))
        needed = more if base is None else CONTEXT.add(base, more)
        if value < needed:
            count = "1 screenshot" if screenshots == 1 else f"{screenshots} screenshots"
            yield DraftWarning("screenshot_pay", "task_value", value, f"at least {needed:f} with {count}")
