"""A batch spends what it may, and what stands in its way is named."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import anyio
import attrs
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    Edition,
    Journal,
    JournalError,
    JournalState,
    LimitError,
    Limits,
    OutcomeStatus,
    Rating,
    Throttle,
)
from picoworkers_async.sandbox import Faults
from tests.support.away import AwayTransport
from tests.support.seeding import RATING_CALLS, seeded

CONCURRENT = 4

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_pay_is_the_value_of_the_task_and_the_total_both_wherever_money_is_told(
    connect, edition: Edition, tmp_path
) -> None:
    """In what the batch says of itself, and in its journal."""
    sandbox, ratings = seeded(6, edition=edition)
    path = tmp_path / "ratings.db"
    async with connect(sandbox) as pico, pico.rate(ratings, limits=Limits(total=100), journal=path) as batch:
        await batch.report()
        spend, progress = batch.spend(), batch.progress()
    (day,) = Journal(path).summary()
    rows = list(Journal(path).rows())
    expected = Decimal("0.60"), Decimal("0.60"), Decimal("1.20")
    assert (sandbox.paid, sandbox.bonus_paid) == expected[:2]
    assert {(one.pay, one.bonus, one.total) for one in (spend, progress, day)} == {expected}
    assert {(row.pay, row.bonus, row.total) for row in rows} == {(Decimal("0.1"), Decimal("0.1"), Decimal("0.2"))}
    async with connect(sandbox) as pico, pico.rate(ratings, journal=tmp_path / "second.db") as batch:
        assert (batch.spend().pay, batch.spend().total, batch.progress().total) == (None, None, None)


@pytest.mark.parametrize("limits", [None, Limits(tasks_per_day=100)])
async def test_the_journal_has_the_pay_wherever_the_job_was_read(
    connect, edition: Edition, tmp_path, limits: Limits | None
) -> None:
    sandbox, _ = seeded(3, edition=edition)
    async with connect(sandbox) as pico:
        await pico.review_all(lambda task, job: Rating.ok(task), journal=tmp_path / "ratings.db", limits=limits)
    assert [row.pay for row in Journal(tmp_path / "ratings.db").rows()] == [Decimal("0.1")] * 3


@pytest.fixture
def limited(connect):
    def make(sandbox, **options) -> AsyncPicoworkers:
        return connect(sandbox, throttle=Throttle(CONCURRENT), settle_after=1.0, **options)

    return make


async def test_a_bonus_that_is_a_typo_fails_alone_and_by_name(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(5, edition=edition)
    ratings[2] = attrs.evolve(ratings[2], bonus=500)
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(max_bonus=5))
    assert (report.rated, report.failed) == (4, 1)
    (failed,) = report.outcomes_by_status[OutcomeStatus.FAILED]
    assert isinstance(failed.error, LimitError)
    assert failed.error.limit == "max_bonus"
    assert "500" in str(failed.error)


async def test_sending_stops_at_the_cap_of_the_day(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(50, edition=edition, latency=0.01)
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(bonus_per_day="1.25"))
    assert report.rated == len(sandbox.ledger) == 12
    assert "bonus_per_day" in report.limit
    assert report.bonus == Decimal("1.2")


async def test_a_limit_on_pay_counts_the_value_of_the_task_and_the_bonus(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(20, edition=edition)
    async with limited(sandbox) as pico, pico.rate(ratings, limits=Limits(pay_per_day=1)) as batch:
        report = await batch.report()
        spend = batch.spend()
    assert report.rated == 5
    assert (spend.ratings, spend.pay, spend.bonus, spend.total) == (5, Decimal("0.5"), Decimal("0.5"), Decimal(1))


async def test_what_costs_nothing_goes_on_where_limits_are_left_alone(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)
    mixed = [
        rating if number < 5 else attrs.evolve(rating, verdict="not_ok", comment="no", bonus=None)
        for number, rating in enumerate(ratings)
    ]
    async with limited(sandbox) as pico:
        report = await pico.rate_all(mixed, limits=Limits(bonus_per_day="0.25"), on_limit="leave")
    assert (report.rated, report.failed) == (7, 3)
    assert report.limit is None
    assert {outcome.error.limit for outcome in report.outcomes_by_status[OutcomeStatus.FAILED]} == {
        "bonus_per_day"
    }


async def test_what_is_unknown_counts_as_spent_until_it_is_settled(limited, edition: Edition) -> None:
    lost = Faults(cut_after=0.5, only=RATING_CALLS)
    sandbox, ratings = seeded(12, edition=edition, latency=0.01, faults=lost, seed=3)
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(tasks_per_day=6))
    assert report.rated == len(sandbox.ledger) == 6


async def test_what_was_refused_is_given_back(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)
    strangers = [attrs.evolve(rating, task_id=f"none{number}") for number, rating in enumerate(ratings[:5])]
    async with limited(sandbox) as pico:
        report = await pico.rate_all([*strangers, *ratings], limits=Limits(bonus_per_day=1))
    assert (report.rated, report.refused) == (10, 5)
    assert report.limit is None


async def test_without_money_sending_stops_and_goes_on_when_the_balance_has_grown(limited, edition) -> None:
    sandbox, ratings = seeded(30, edition=edition)
    sandbox.balance = "1.05"
    async with limited(sandbox) as pico, anyio.create_task_group() as group:

        async def top_up() -> None:
            await anyio.sleep(200)
            assert len(sandbox.ledger) == 10
            sandbox.balance = 5

        group.start_soon(top_up)
        report = await pico.rate_all(ratings)
    assert report.rated == 30
    assert report.refused == 0
    asked = Counter(request.path for request in sandbox.requests)
    assert asked["users/get-balances.php"] <= 6


async def test_money_that_never_comes_ends_the_batch_after_its_patience(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(5, edition=edition)
    sandbox.balance = 0
    async with limited(sandbox) as pico:
        started = anyio.current_time()
        report = await pico.rate_all(ratings, patience=120)
        assert 120 <= anyio.current_time() - started < 250
    assert report.rated == 0
    assert "Insufficient balance" in report.limit


async def test_no_more_is_spent_than_leaves_what_is_to_be_kept(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(40, edition=edition)
    sandbox.balance = 10
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(keep_balance="8.95"))
    assert report.rated == 10
    assert "8.95" in report.limit


async def test_a_dry_run_sends_nothing_and_says_what_it_would_cost(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(20, edition=edition)
    bad = attrs.evolve(ratings[3], verdict="not_ok", satisfaction="good", comment="no")
    async with limited(sandbox) as pico:
        async with pico.rate([*ratings[:10], bad], dry_run=True) as batch:
            report = await batch.report()
            spend = batch.spend()
        async with pico.review(Rating.ok, dry_run=True, limits=Limits(tasks_per_day=15)) as batch:
            reviewed = await batch.report()
    assert (report.would_rate, report.failed, report.rated) == (10, 1, 0)
    assert (spend.ratings, spend.pay, spend.bonus, spend.total) == (10, Decimal(1), Decimal(1), Decimal(2))
    assert reviewed.would_rate == 15
    assert report.bonus == spend.bonus
    assert "would pay bonuses of $1" in str(report)
    assert sandbox.ledger == []
    assert not [request for request in sandbox.requests if "rate-" in request.path]


@pytest.mark.parametrize("stop_after", [1, 3])
async def test_limits_hold_over_restarts(limited, edition: Edition, tmp_path, stop_after: int) -> None:
    sandbox, ratings = seeded(30, edition=edition, latency=0.05)
    limits = Limits(total="2.05", bonus_per_day="1.00")
    async with limited(sandbox) as pico:
        for _ in range(8):
            async with pico.rate(ratings, journal=tmp_path / "ratings.db", limits=limits, grace=0) as outcomes:
                async for _ in outcomes:
                    if len(sandbox.ledger) >= stop_after:
                        break
        report = await pico.rate_all(ratings, journal=tmp_path / "ratings.db", limits=limits)
    assert len(sandbox.ledger) == 10
    assert "bonus_per_day" in report.limit or "total" in report.limit


async def test_a_dry_run_s_journal_is_of_a_kind_of_its_own(limited, edition: Edition, tmp_path) -> None:
    sandbox, ratings = seeded(5, edition=edition)
    dry, real = tmp_path / "dry.db", tmp_path / "real.db"
    async with limited(sandbox) as pico:
        assert (await pico.rate_all(ratings, journal=dry, dry_run=True)).would_rate == 5
        assert (await pico.rate_all(ratings, journal=dry, dry_run=True)).would_rate == 5
        assert (await pico.rate_all(ratings, journal=real)).rated == 5
        with pytest.raises(JournalError, match="dry"):
            await pico.rate_all(ratings, journal=dry)
        with pytest.raises(JournalError, match="dry"):
            await pico.rate_all(ratings, journal=real, dry_run=True)
    assert len(sandbox.ledger) == 5
    assert Journal(dry).counts() == {JournalState.WOULD_RATE: 5}


async def test_a_rating_that_no_day_could_pay_fails_by_name_and_holds_up_nobody(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)
    ratings[0] = attrs.evolve(ratings[0], bonus=5)
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(bonus_per_day=1), on_limit="wait")
    assert (report.rated, report.failed) == (9, 1)
    assert report.outcomes_by_status[OutcomeStatus.FAILED][0].error.limit == "bonus_per_day"


@pytest.mark.parametrize("limits", [Limits(max_bonus="0.05"), Limits(total="0.30"), Limits(tasks_per_day=5)])
@pytest.mark.parametrize("on_limit", ["stop", "leave"])
async def test_what_was_rated_before_is_told_so_whatever_the_limits_say(
    limited, edition: Edition, tmp_path, limits: Limits, on_limit
) -> None:
    sandbox, ratings = seeded(5, edition=edition)
    async with limited(sandbox) as pico:
        assert (await pico.rate_all(ratings, journal=tmp_path / "ratings.db")).rated == 5
        again = await pico.rate_all(ratings, journal=tmp_path / "ratings.db", limits=limits, on_limit=on_limit)
    assert (again.rated, again.replayed, again.failed) == (5, 5, 0)


async def test_a_dry_run_keeps_the_balance_as_a_real_one_would(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(40, edition=edition)
    sandbox.balance = 10
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(keep_balance="8.95"), dry_run=True)
    assert report.would_rate == 10


async def test_a_lost_answer_before_the_money_ran_out_is_no_unknown_end(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(3, edition=edition, faults=Faults(cut_before=1.0, only=RATING_CALLS))
    sandbox.balance = 0
    async with limited(sandbox) as pico, anyio.create_task_group() as group:

        async def later() -> None:
            await anyio.sleep(0.5)
            sandbox.faults = Faults()
            await anyio.sleep(3000)
            sandbox.balance = 100

        group.start_soon(later)
        report = await pico.rate_all(ratings, on_limit="wait")
    assert report.rated == len(sandbox.ledger) == 3


async def test_an_outage_that_begins_before_the_balance_was_read_is_waited_out(limited, edition: Edition) -> None:
    sandbox, _ = seeded(5, edition=edition)
    away = AwayTransport(sandbox.transport(), "503", anyio.current_time(), 180.0)
    async with AsyncPicoworkers(
        "user_id", "api_secret", edition=edition, transport=away, throttle=Throttle(CONCURRENT)
    ) as pico:
        with anyio.move_on_after(600):
            async with pico.review(Rating.ok, follow=30, limits=Limits(keep_balance=8)) as outcomes:
                async for _ in outcomes:
                    pass
    assert len(sandbox.ledger) == 5


async def test_a_dry_run_sends_nothing_in_an_outage_either(limited, edition: Edition) -> None:
    sandbox, _ = seeded(20, edition=edition)
    away = AwayTransport(sandbox.transport(), "503", anyio.current_time(), 100.0)
    async with AsyncPicoworkers(
        "user_id", "api_secret", edition=edition, transport=away, throttle=Throttle(CONCURRENT)
    ) as pico:
        report = await pico.review_all(Rating.ok, dry_run=True)
    assert report.would_rate == 20
    assert sandbox.ledger == []
