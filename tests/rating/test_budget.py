"""What a batch may spend: in whatever order things happen, no limit is exceeded and nothing reserved for ever."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import AsyncPicoworkers, InvalidRequestError, Limits, Rating
from picoworkers_async.rating.budget import Budget, Cost, Spent, cost_of, pay_of
from picoworkers_async.rating.limits import day_of, limits_problems
from picoworkers_async.settings import time_zone

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


def cost(bonus: str = "0", pay: str | None = None) -> Cost:
    return Cost(Decimal(bonus), Decimal(pay or bonus))


MONEY = st.decimals(0, 20, places=2)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["send", "send", "send", "rated", "refused", "midnight"]), MONEY, MONEY), max_size=60
)


@given(EVENTS, MONEY, MONEY, st.integers(0, 10), st.decimals(0, 60, places=2))
def test_no_order_of_sending_settling_and_midnights_exceeds_a_limit(events, bonus, pay, count, total) -> None:
    limits = Limits(bonus_per_day=bonus, pay_per_day=pay, tasks_per_day=count, total=total)
    now = NOON
    budget = Budget(limits, now)
    under_way: list = []
    spent: list[tuple[float, Cost]] = []
    for event, of_task, extra in events:
        if event == "midnight":
            now += DAY
        elif event == "send":
            price = Cost(extra, of_task + extra)
            if budget.reached(price, now) is None:
                under_way.append((budget.reserve(price, now), now))
        elif under_way:
            reservation, at = under_way.pop(0)
            if event == "rated":
                budget.spend(reservation, now)
                spent.append((at, reservation.cost))
            else:
                budget.give_back(reservation)
        # What is under way may take effect at any moment.
        possible = spent + [(at, reservation.cost) for reservation, at in under_way]
        assert sum(one.pay for _, one in possible) <= total
        for day in {at for at, _ in possible}:
            of_day = [one for at, one in possible if at == day]
            assert sum(one.bonus for one in of_day) <= bonus
            assert sum(one.pay for one in of_day) <= pay
            assert len(of_day) <= count
    for reservation, _ in under_way:
        budget.give_back(reservation)
    assert budget.in_all == Spent(len(spent), sum(one.bonus for _, one in spent), sum(one.pay for _, one in spent))


@given(st.lists(st.tuples(st.sampled_from(["send", "rated", "refused", "read"]), MONEY), max_size=60), MONEY)
def test_the_balance_never_falls_below_what_is_to_be_kept_however_late_it_is_read(events, keep) -> None:
    budget = Budget(Limits(keep_balance=keep), NOON, lag=30.0)
    balance, now = Decimal(100), NOON
    under_way: list = []
    shown = [(now, balance)]
    for event, bonus in events:
        now += 7
        if event == "send" and budget.reached(cost(str(bonus)), now) is None:
            under_way.append(budget.reserve(cost(str(bonus)), now))
        elif event == "rated" and under_way:
            reservation = under_way.pop(0)
            balance -= reservation.cost.bonus
            budget.spend(reservation, now)
            shown.append((now, balance))
        elif event == "refused" and under_way:
            budget.give_back(under_way.pop(0))
        elif event == "read":
            # As stale as it may be.
            budget.saw_balance(next(left for at, left in reversed(shown) if at <= max(NOON, now - 30)), now)
        if under_way or len(shown) > 1:
            assert balance - sum(one.cost.bonus for one in under_way) >= min(keep, Decimal(100))


def test_what_was_spent_in_earlier_runs_counts() -> None:
    budget = Budget(
        Limits(bonus_per_day=5, total=20),
        NOON,
        today=Spent(1, Decimal(4), Decimal(4)),
        in_all=Spent(9, Decimal(9), Decimal(19)),
    )
    assert budget.reached(cost("1.01"), NOON).limit == "total"
    assert budget.reached(cost("0.5"), NOON) is None
    assert budget.reached(cost("1.01", "0.9"), NOON).limit == "bonus_per_day"


def test_a_limit_of_the_day_is_lifted_at_midnight_of_its_time_zone() -> None:
    budget = Budget(Limits(tasks_per_day=0, timezone="Europe/Berlin"), NOON)
    reached = budget.reached(cost(), NOON)
    assert datetime.fromtimestamp(reached.until, UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_a_day_may_have_23_hours() -> None:
    began, ends = day_of(datetime(2026, 3, 29, 12, tzinfo=UTC), time_zone("Europe/Berlin"))
    assert ends.timestamp() - began.timestamp() == 23 * 3600


def test_only_ok_pays_the_task() -> None:
    paying, refusing = Rating("j", "t", "ok", bonus="0.5"), Rating("j", "t", "not_ok", comment="no")
    assert pay_of(paying, Decimal("0.1")) == Decimal("0.1")
    assert pay_of(refusing, Decimal("0.1")) == pay_of(refusing, None) == 0
    assert cost_of(paying, Decimal("0.1")) == Cost(Decimal("0.5"), Decimal("0.6"))


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (Limits(max_bonus=-1), "limits.max_bonus"),
        (Limits(bonus_per_day=float("nan")), "limits.bonus_per_day"),
        (Limits(total="a lot"), "limits.total"),
        (Limits(tasks_per_day=True), "limits.tasks_per_day"),
        (Limits(timezone="Nowhere/At_All"), "limits.timezone"),
        (Limits(timezone="../etc/passwd"), "limits.timezone"),
        ({"max_bonus": 1}, "limits"),
    ],
)
def test_limits_that_cannot_be_used_are_refused_by_name(limits, field: str) -> None:
    assert [problem.field for problem in limits_problems(limits)] == [field]
    with pytest.raises(InvalidRequestError, match=field):
        AsyncPicoworkers("user_id", "api_secret").rate([], limits=limits)


def test_a_time_zone_that_this_machine_does_not_know_is_told_apart_from_what_is_none() -> None:
    (unknown,) = limits_problems(Limits(timezone="Europe/Berln"))
    assert "not known on this machine" in unknown.limit
    assert "tzdata" in unknown.limit
    (none,) = limits_problems(Limits(timezone=3))  # type: ignore[arg-type]
    assert "tzdata" not in none.limit
