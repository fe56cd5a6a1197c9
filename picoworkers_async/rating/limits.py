"""How much a batch may spend: the limits, and a pure account of what is reserved, spent and given back."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import attrs

from ..models.account import to_money_or_none
from ..problems import Problem, ProblemCode
from ..rules import values
from ..settings import time_zone_problems

MONEY = ("max_bonus", "bonus_per_day", "pay_per_day", "total", "keep_balance")


@attrs.frozen(kw_only=True)
class Limits:
    """What a batch may spend, in US dollars; None is no limit.

    - `max_bonus`: the bonus of one rating.
    - `bonus_per_day`: all bonuses of a day.
    - `pay_per_day`: all that `ok` ratings of a day pay: the job's task value and the bonus.
    - `tasks_per_day`: how many ratings a day, whatever the verdict.
    - `total`: pay and bonuses of all days, as far back as the journal goes.
    - `keep_balance`: ratings with a bonus are sent only if at least this is left of the spendable balance after.

    A day begins at midnight in `timezone`, a name such as `Europe/Berlin`. With a journal the limits hold over
    restarts; without one they hold for the run. `rate` and `review` check the limits when you give them.
    """

    max_bonus: Decimal | None = attrs.field(default=None, converter=to_money_or_none)
    bonus_per_day: Decimal | None = attrs.field(default=None, converter=to_money_or_none)
    pay_per_day: Decimal | None = attrs.field(default=None, converter=to_money_or_none)
    tasks_per_day: int | None = None
    total: Decimal | None = attrs.field(default=None, converter=to_money_or_none)
    keep_balance: Decimal | None = attrs.field(default=None, converter=to_money_or_none)
    timezone: str = "UTC"


def limits_problems(limits: object) -> list[Problem]:
    """What keeps this from being usable limits."""
    if limits is None:
        return []
    if not isinstance(limits, Limits):
        return [Problem("limits", limits, "a Limits object, such as Limits(total=100)", ProblemCode.TYPE)]
    problems: list[Problem] = []
    for name in MONEY:
        value: Any = getattr(limits, name)
        if value is not None:
            problems += values.money(("limits", name), value)
    if limits.tasks_per_day is not None:
        problems += values.whole(("limits", "tasks_per_day"), limits.tasks_per_day, 0)
    return problems + time_zone_problems(("limits", "timezone"), limits.timezone)


def day_of(moment: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The midnights around a moment, in this time zone."""
    local = moment.astimezone(zone)
    began = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    ends = (began + timedelta(days=1)).replace(fold=0)
    return began, ends
