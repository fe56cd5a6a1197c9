"""Limits over days, restarts and other spenders; and what a journal says of money meanwhile."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import anyio
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
from picoworkers_async.journal import writer
from picoworkers_async.rating import pipeline, spending
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.away import AwayTransport
from tests.support.seeding import RATING_CALLS, seeded

DAY = 86400.0
MIDNIGHT = 1_700_006_400.0

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


class Clock:
    """The time of day, which goes with the virtual time of the loop."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._loop_began = anyio.current_time()

    def time(self) -> float:
        # A thread asks, too: it has no event loop, and waits for none.
        with contextlib.suppress(anyio.NoEventLoopError):
            self._last = self._began + anyio.current_time() - self._loop_began
        return self._last

    _last = 0.0


@pytest.fixture
def starting_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Clock]:
    def start(began: float) -> Clock:
        clock = Clock(began)
        for module in (spending, pipeline, writer):
            monkeypatch.setattr(module, "time", clock)
        return clock

    return start


@pytest.fixture
def limited(connect):
    def make(sandbox: Sandbox, **options) -> AsyncPicoworkers:
        return connect(sandbox, **{"throttle": Throttle(4), "settle_after": 1.0, **options})

    return make


@pytest.mark.parametrize("limits", [Limits(total=2), Limits(pay_per_day=2)], ids=["total", "pay_per_day"])
async def test_what_earlier_runs_paid_counts_though_they_had_no_need_to_know(
    limited, edition: Edition, tmp_path: Path, limits: Limits
) -> None:
    sandbox, ratings = seeded(20, jobs=2, edition=edition)
    path = tmp_path / "ratings.db"
    async with limited(sandbox) as pico:
        await pico.rate_all(ratings[:4] + ratings[10:14], journal=path)
        assert Journal(path).unpriced() == sorted({rating.job_id for rating in ratings})
        assert [day.unpriced for day in Journal(path).summary()] == [8]
        report = await pico.rate_all(ratings, journal=path, limits=limits)
    # Each pays 0.10 for the task, and as much as a bonus.
    assert len(sandbox.ledger) == 10
    assert report.newly_rated == 2
    assert [(day.pay, day.unpriced) for day in Journal(path).summary()] == [(1, 0)]


async def test_a_job_that_cannot_be_read_any_more_is_named_and_may_be_priced_by_hand(
    limited, edition: Edition, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(4, edition=edition)
    path, job_id = tmp_path / "ratings.db", ratings[0].job_id
    async with limited(sandbox) as pico:
        await pico.rate_all(ratings[:2], journal=path)
        await rename_job(path, job_id, "gone")
        with pytest.raises(JournalError, match="gone") as caught:
            await pico.rate_all([], journal=path, limits=Limits(total=2))
        assert "Journal.price" in str(caught.value)
        assert Journal(path).price("gone", "0.10") == 2
        report = await pico.rate_all(ratings[2:], journal=path, limits=Limits(total="0.70"))
    assert report.newly_rated == 1


async def rename_job(path: Path, before: str, after: str) -> None:
    import sqlite3
    from contextlib import closing

    def rename() -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE ratings SET job_id = ? WHERE job_id = ?", (after, before))

    await anyio.to_thread.run_sync(rename)


async def test_what_is_sent_again_after_midnight_counts_for_that_day(
    limited, edition: Edition, tmp_path: Path, starting_at
) -> None:
    sandbox, ratings = seeded(6, edition=edition)
    path = tmp_path / "ratings.db"
    starting_at(MIDNIGHT - 60)
    away = AwayTransport(sandbox.transport(), "refused", anyio.current_time(), 7200)
    async with AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=away) as pico:
        assert (await pico.rate_all(ratings[:3], journal=path, patience=DAY)).rated == 3
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, journal=path, limits=Limits(tasks_per_day=3))
    assert (report.newly_rated, report.replayed) == (0, 3)
    assert [day.key for day in Journal(path).summary()] == ["2023-11-15"]


async def test_a_slow_commit_at_midnight_takes_nothing_over_to_the_next_day(
    limited, edition: Edition, tmp_path: Path, starting_at, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, ratings = seeded(12, edition=edition)
    clock = starting_at(MIDNIGHT - 0.2)
    days: Counter[int] = Counter()
    sandbox.after_each_rating(lambda sandbox: days.update([int(clock.time() // DAY)]))
    send = writer.JournalWriter.send

    async def slow(self, entries):
        await anyio.sleep(0.3)
        return await send(self, entries)

    monkeypatch.setattr(writer.JournalWriter, "send", slow)
    async with limited(sandbox) as pico:
        await pico.rate_all(ratings, journal=tmp_path / "ratings.db", limits=Limits(tasks_per_day=3))
    assert max(days.values()) <= 3


@pytest.mark.parametrize("pace", [0.01, 0.1, 1.0])
async def test_the_balance_is_kept_though_others_spend_of_it(
    limited, edition: Edition, starting_at, pace: float
) -> None:
    sandbox, ratings = seeded(120, jobs=40, edition=edition)
    starting_at(MIDNIGHT)
    began = anyio.current_time()
    sandbox.balance = 100

    async def somebody_else() -> None:
        await anyio.sleep(5)
        sandbox.balance -= 45

    throttle = Throttle(4, requests_per_second=pace)
    async with limited(sandbox, throttle=throttle) as pico, anyio.create_task_group() as group:
        group.start_soon(somebody_else)
        report = await pico.rate_all(ratings, limits=Limits(keep_balance=50))
    # At the fastest pace all may be sent, as far as the bonuses allow, before somebody else spends.
    assert report.limit is not None or report.rated == 120
    assert sandbox.balance >= (50 if pace < 1 else 43)
    # Readings of the balance take no more than one slot of four.
    assert anyio.current_time() - began < 1.6 * len(sandbox.requests) / pace + 60
    reads = sum(request.path.endswith("get-balances.php") for request in sandbox.requests)
    assert reads <= len(sandbox.requests) / 4 + 4


async def test_what_stays_unknown_holds_the_balance_back_only_until_it_is_read(limited, edition: Edition) -> None:
    """None of the lost ones was paid, which the balance shows; limits of the day go on counting them."""
    sandbox, ratings = seeded(8, edition=edition, faults=Faults(only=RATING_CALLS, cut_before=1.0))
    sandbox.balance = 10
    limits = Limits(keep_balance="9.60")
    async with limited(sandbox) as pico:
        async with pico.rate(ratings[:4], limits=limits, on_limit="wait", grace=0.5) as batch:
            await anyio.sleep(0.5)
            batch.stop()
            assert (await batch.report()).unknown
        sandbox.faults = Faults()
        report = await pico.rate_all(ratings[4:], limits=limits)
    assert report.rated == 4


async def test_nothing_is_noted_as_sent_while_a_batch_waits_for_money(
    limited, edition: Edition, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(20, edition=edition)
    sandbox.balance = 0
    path = tmp_path / "ratings.db"
    async with limited(sandbox) as pico, pico.rate(ratings, journal=path, on_limit="wait") as batch:
        await anyio.sleep(3600)
        assert JournalState.SENT not in Journal(path).counts()
        sandbox.balance = 100
        assert (await batch.report()).rated == 20


async def test_nothing_is_noted_as_sent_while_everybody_is_silent_after_a_429(
    limited, edition: Edition, tmp_path: Path
) -> None:
    faults = Faults(only=RATING_CALLS, too_many=1.0)
    sandbox, ratings = seeded(20, edition=edition, faults=faults, retry_after="300")
    path = tmp_path / "ratings.db"
    async with limited(sandbox) as pico, pico.rate(ratings, journal=path) as batch:
        await anyio.sleep(100)
        assert JournalState.SENT not in Journal(path).counts()
        sandbox.faults = Faults()
        assert (await batch.report()).rated == 20


async def test_what_was_told_before_or_lost_before_is_not_spent_again(
    limited, edition: Edition, tmp_path: Path
) -> None:
    path, limits = tmp_path / "ratings.db", Limits(total=100)
    sandbox, ratings = seeded(10, edition=edition)
    sandbox.withdraw(ratings[0].task_id)
    async with limited(sandbox) as pico:
        await pico.rate_all(ratings[:5], journal=path)
        for some in (None, limits):
            async with pico.rate(ratings[:5], journal=path, limits=some) as batch:
                await batch.report()
                assert (batch.spend().ratings, batch.spend().bonus) == (0, 0)
        sandbox.faults = Faults(only=RATING_CALLS, cut_after=1.0)
        async with pico.rate(ratings[5:], journal=path, limits=limits, grace=0) as batch:
            await anyio.sleep(0.1)
            batch.stop()
            await batch.report()
            first = batch.spend()
        sandbox.faults = Faults()
        async with pico.rate(ratings[5:], journal=path, limits=limits) as batch:
            await batch.report()
            second = batch.spend()
    assert first.bonus + second.bonus == sandbox.bonus_paid - Decimal("0.40")


async def test_a_decision_that_a_later_limit_forbids_is_noted_as_failed(
    limited, edition: Edition, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(1, edition=edition)
    path = tmp_path / "ratings.db"
    async with limited(sandbox) as pico:
        await pico.rate_all(ratings, journal=path, limits=Limits(tasks_per_day=1, total="0.15"), on_limit="leave")
        report = await pico.rate_all(ratings, journal=path, limits=Limits(max_bonus="0.05"))
    assert report.failed == 1
    (row,) = Journal(path).rows(state="failed")
    assert "max_bonus" in (row.message or "")


async def test_a_cap_that_lets_nobody_pass_on_any_day_fails_by_name(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(3, edition=edition)
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(tasks_per_day=0), on_limit="wait")
    assert report.failed == 3
    error = report.outcomes_by_status[OutcomeStatus.FAILED][0].error
    assert isinstance(error, LimitError)
    assert error.limit == "tasks_per_day"


async def test_a_batch_that_waits_for_the_next_day_stops_at_once(limited, edition: Edition, starting_at) -> None:
    starting_at(MIDNIGHT + DAY / 2)
    sandbox, ratings = seeded(10, edition=edition)
    async with (
        limited(sandbox) as pico,
        pico.rate(ratings, limits=Limits(tasks_per_day=4), on_limit="wait", grace=30) as batch,
    ):
        await anyio.sleep(5)
        began = anyio.current_time()
        batch.stop()
        report = await batch.report()
    assert anyio.current_time() - began < 1
    assert report.rated == 4
    assert report.limit is None
    assert "limit" not in str(report)


async def test_a_dry_run_waits_for_no_day_and_no_money(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)
    began = anyio.current_time()
    async with limited(sandbox) as pico:
        report = await pico.rate_all(ratings, limits=Limits(tasks_per_day=4), on_limit="wait", dry_run=True)
    assert (report.would_rate, anyio.current_time() - began < 60) == (4, True)
    assert "tasks_per_day" in (report.limit or "")


async def test_a_batch_without_money_ends_when_its_patience_does(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)
    sandbox.balance = 0
    began = anyio.current_time()
    async with limited(sandbox) as pico:
        await pico.rate_all(ratings, patience=3)
    assert 3 <= anyio.current_time() - began < 5


async def test_requests_of_an_outage_are_counted_too(limited, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)
    away = AwayTransport(sandbox.transport(), "cut", anyio.current_time() + 1, 120)
    client = AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=away)
    async with client as pico, pico.rate(ratings, limits=Limits(keep_balance=1)) as batch:
        await batch.report()
        assert batch.progress().requests == len(sandbox.requests)


async def test_a_batch_that_watches_the_balance_is_idle_when_it_has_nothing_to_send(
    limited, edition: Edition
) -> None:
    """Nothing is asked, and no loop spins, while no task waits."""
    sandbox, _ = seeded(2, edition=edition)
    async with (
        limited(sandbox) as pico,
        pico.review(Rating.ok, follow=3600, limits=Limits(keep_balance=1)) as batch,
    ):
        await anyio.sleep(1800)
        before = len(sandbox.requests)
        await anyio.sleep(1500)
        assert batch.progress().rated == 2
    assert len(sandbox.requests) == before
