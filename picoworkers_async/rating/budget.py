"""What a batch has spent, what it has reserved, and what it may still spend: pure, and without a clock.

Money is reserved before a rating is sent, and stays reserved while its fate is unknown: so what is in flight, or
was lost, can never exceed a limit. What certainly had no effect is given back.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import attrs

from ..models import Rating, Verdict
from ..models.account import CONTEXT
from ..settings import time_zone
from .limits import Limits, day_of

_NOTHING = Decimal(0)


class Cost(NamedTuple):
    """What a rating costs in US dollars: its bonus, and all that it pays, the bonus included."""

    bonus: Decimal
    pay: Decimal


class Spent(NamedTuple):
    """Ratings and money, added up, for a day or in all."""

    ratings: int = 0
    bonus: Decimal = _NOTHING
    pay: Decimal = _NOTHING

    def plus(self, cost: Cost) -> Spent:
        return Spent(self.ratings + 1, CONTEXT.add(self.bonus, cost.bonus), CONTEXT.add(self.pay, cost.pay))

    def minus(self, cost: Cost) -> Spent:
        return Spent(
            self.ratings - 1, CONTEXT.subtract(self.bonus, cost.bonus), CONTEXT.subtract(self.pay, cost.pay)
        )


_NO_MONEY = Spent()


class Reached(NamedTuple):
    """A limit that a rating would exceed: its name, in words, and when time alone lifts it (None: it does not)."""

    limit: str
    text: str
    until: float | None


@attrs.define(eq=False)
class Reservation:
    """Money set aside for one rating: when, when that day began, and whether it was by an earlier run."""

    cost: Cost
    at: float
    day: float
    earlier: bool = False


def pay_of(rating: Rating, task_value: Decimal | None) -> Decimal | None:
    """What the verdict itself pays, in a job with this task value; None if that is not known."""
    return task_value if rating.verdict is Verdict.OK else _NOTHING


def cost_of(rating: Rating, pay: Decimal | None) -> Cost:
    """What a rating costs whose verdict pays this; what is not known is not included."""
    return Cost(rating.bonus, rating.bonus if pay is None else CONTEXT.add(pay, rating.bonus))


class Budget:
    """The account of a batch. Times are seconds since 1970.

    `today` and `in_all` are what was spent before, today and in all. `lag` is how many seconds a balance that is
    read may lag.
    """

    def __init__(
        self, limits: Limits, now: float, *, today: Spent = _NO_MONEY, in_all: Spent = _NO_MONEY, lag: float = 0.0
    ) -> None:
        self.limits = limits
        self.today: Spent = today
        self.in_all: Spent = in_all
        self._zone = time_zone(limits.timezone) or UTC
        self._lag = lag
        self._begin_day(now)
        self._balance: Decimal | None = None
        # Bonuses that a balance may not show yet: of what is under way, and of what ended a moment ago.
        self._outstanding = _NOTHING
        self._lately: deque[tuple[float, Decimal]] = deque()

    @property
    def day_began(self) -> float:
        """The last midnight."""
        return self._day_began

    @property
    def unsure(self) -> bool:
        """Whether ratings took effect that the last balance may not show yet."""
        return bool(self._lately)

    def never(self, cost: Cost) -> tuple[str, str] | None:
        """The limit that a rating of this cost exceeds by itself, on any day, and what to say about it."""
        limits = self.limits
        if limits.tasks_per_day == 0:
            return "tasks_per_day", "no task may be rated on any day"
        for name, value, limit in (
            ("max_bonus", cost.bonus, limits.max_bonus),
            ("bonus_per_day", cost.bonus, limits.bonus_per_day),
            ("pay_per_day", cost.pay, limits.pay_per_day),
            ("total", cost.pay, limits.total),
        ):
            if limit is not None and value > limit:
                return name, f"{value} for this rating alone is more than {limit}"
        return None

    def reached(self, cost: Cost, now: float) -> Reached | None:
        """The limit that a rating of this cost would exceed, the one that lasts longest first."""
        self._turn_page(now)
        limits, today = self.limits, self.today.plus(cost)
        if limits.total is not None and self.in_all.plus(cost).pay > limits.total:
            return Reached("total", f"pay and bonuses would exceed the total of {limits.total}", None)
        if limits.keep_balance is not None and cost.bonus and self._left_after(cost) < limits.keep_balance:
            return Reached("keep_balance", f"less than {limits.keep_balance} of the balance would be left", None)
        for name, value, limit in (
            ("tasks_per_day", today.ratings, limits.tasks_per_day),
            ("bonus_per_day", today.bonus, limits.bonus_per_day),
            ("pay_per_day", today.pay, limits.pay_per_day),
        ):
            if limit is not None and value > limit:
                return Reached(name, f"{name} is {limit}, and would be exceeded today", self._day_ends)
        return None

    def reserve(self, cost: Cost, now: float) -> Reservation:
        """Reserve the money for a rating that is about to be sent."""
        self._turn_page(now)
        self.today, self.in_all = self.today.plus(cost), self.in_all.plus(cost)
        self._outstanding = CONTEXT.add(self._outstanding, cost.bonus)
        return Reservation(cost, now, self._day_began)

    def spent_lately(self, bonus: Decimal, now: float) -> None:
        """Bonuses of an earlier run that a balance may not show yet."""
        if bonus:
            self._outstanding = CONTEXT.add(self._outstanding, bonus)
            self._lately.append((now, bonus))

    def take_over(self, cost: Cost, sent_at: float, now: float) -> Reservation:
        """Take over what an earlier run reserved, which is in what was spent before."""
        self._turn_page(now)
        self._outstanding = CONTEXT.add(self._outstanding, cost.bonus)
        day = self._day_began if sent_at >= self._day_began else -math.inf
        return Reservation(cost, sent_at, day, earlier=True)

    def is_of_today(self, reservation: Reservation, now: float) -> bool:
        """Whether the day on which it was reserved has not ended."""
        self._turn_page(now)
        return reservation.day == self._day_began

    def give_back(self, reservation: Reservation) -> None:
        """The rating certainly had no effect."""
        cost = reservation.cost
        self.in_all = self.in_all.minus(cost)
        if reservation.day == self._day_began:
            self.today = self.today.minus(cost)
        self._outstanding = CONTEXT.subtract(self._outstanding, cost.bonus)

    def spend(self, reservation: Reservation, now: float) -> None:
        """The rating took effect."""
        if reservation.cost.bonus and self.limits.keep_balance is not None:
            self._lately.append((now, reservation.cost.bonus))
        else:
            self._outstanding = CONTEXT.subtract(self._outstanding, reservation.cost.bonus)

    def saw_balance(self, spendable: Decimal, began: float) -> None:
        """A balance was read, by a request that began at this time: it shows what took effect long enough before.

        What took effect since, or is in flight, may be in it or not, and is assumed not to be.
        """
        while self._lately and self._lately[0][0] + self._lag <= began:
            self._outstanding = CONTEXT.subtract(self._outstanding, self._lately.popleft()[1])
        self._balance = spendable

    def _left_after(self, cost: Cost) -> Decimal:
        if self._balance is None:
            return Decimal("-Infinity")
        return CONTEXT.subtract(CONTEXT.subtract(self._balance, self._outstanding), cost.bonus)

    def _turn_page(self, now: float) -> None:
        if now >= self._day_ends:
            self._begin_day(now)
            self.today = _NO_MONEY

    def _begin_day(self, now: float) -> None:
        began, ends = day_of(datetime.fromtimestamp(now, UTC), self._zone)
        self._day_began, self._day_ends = began.timestamp(), ends.timestamp()
