"""How far a batch is, while it runs; and when the rest will be done."""

from __future__ import annotations

from decimal import Decimal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import AsyncPicoworkers, ClientStateError, Edition, Later, Limits, Rating, Task, Throttle
from picoworkers_async.rating.progress import (
    Progress,
    Standing,
    Wait,
    eta,
    eta_after,
    rate_used,
    requests_left,
    what_is_waited_for,
)
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.away import AwayTransport
from tests.support.seeding import RATING_CALLS, seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

COUNTS = st.integers(0, 10_000)


async def test_the_progress_adds_up_at_every_moment(connect, edition: Edition) -> None:
    """Every task that was met is being decided, waits, is in flight, is looked for, or has its outcome."""
    sandbox, _ = seeded(60, jobs=4, edition=edition, page_size=10, latency=0.3)

    async def decide(task: Task) -> Rating:
        await anyio.sleep(0.5)
        return Rating.ok(task, bonus="0.01")

    snapshots: list[Progress] = []

    async def watch() -> None:
        while True:
            snapshots.append(batch.progress())
            await anyio.sleep(0.1)

    async with (
        connect(sandbox, throttle=Throttle(4, requests_per_second=10)) as pico,
        pico.review(decide) as batch,
        anyio.create_task_group() as group,
    ):
        group.start_soon(watch)
        outcomes = [outcome async for outcome in batch]
        group.cancel_scope.cancel()
        last = batch.progress()
    assert len(outcomes) == 60
    for now in [*snapshots, last]:
        ended = now.rated + now.refused + now.failed
        assert now.met == now.deciding + now.waiting + now.in_flight + now.unknown + ended
        assert now.decided == now.met - now.deciding
        assert now.bonus == Decimal("0.01") * now.rated
        assert now.rate_used is None or 0 <= now.rate_used <= 1
    assert [now.met for now in snapshots] == sorted(now.met for now in snapshots)
    assert max(now.deciding for now in snapshots) > 0
    assert {now.listed for now in snapshots} >= {None, 60}
    assert (last.met, last.rated, last.waiting, last.in_flight, last.eta) == (60, 60, 0, 0, 0.0)
    assert last.requests == len(sandbox.requests)


async def test_the_time_left_is_about_what_it_takes(connect, edition: Edition) -> None:
    """At one request a second; each snapshot's estimate is held against what it then took."""
    jobs = 40
    sandbox, ratings = seeded(jobs, jobs=jobs, edition=edition)
    async with (
        connect(sandbox, throttle=Throttle(requests_per_second=1)) as pico,
        pico.rate(ratings) as batch,
    ):
        estimates = [(anyio.current_time(), batch.progress().eta) async for _ in batch]
        ended = anyio.current_time()
    assert len(estimates) == jobs
    for moment, left in estimates:
        assert left == pytest.approx(ended - moment, rel=0.1, abs=2.5)


async def test_the_time_left_of_a_review_counts_the_pages_that_are_left(connect, edition: Edition) -> None:
    sandbox, _ = seeded(200, jobs=1, edition=edition, page_size=10)
    estimates = []
    async with (
        connect(sandbox, throttle=Throttle(requests_per_second=1)) as pico,
        pico.review(Rating.ok) as batch,
        anyio.create_task_group() as group,
    ):

        async def watch() -> None:
            while True:
                await anyio.sleep(2)
                estimates.append((anyio.current_time(), batch.progress().eta))

        group.start_soon(watch)
        await batch.report()
        group.cancel_scope.cancel()
        ended = anyio.current_time()
    early = [one for one in estimates if one[1] is not None][:3]
    assert len(early) == 3
    for moment, left in early:
        assert left == pytest.approx(ended - moment, rel=0.25, abs=6)


async def test_without_a_length_of_the_input_nobody_knows_when_it_ends(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(3000, edition=edition)
    async with connect(sandbox) as pico, pico.rate(rating for rating in ratings) as batch:
        await anext(batch)
        now = batch.progress()
        assert now.eta is None
        assert (await batch.report()).rated == 3000
        assert batch.progress().eta == 0


async def test_what_was_lost_counts_as_unknown_until_it_is_settled(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(5, edition=edition, faults=Faults(cut_after=1, only=RATING_CALLS))
    async with connect(sandbox) as pico, pico.rate(ratings) as batch:
        await anyio.sleep(0.5)
        now = batch.progress()
        # A look that shows at once that they took effect settles them; the 2022 edition has none that does.
        assert (now.unknown + now.rated, now.in_flight) == (5, 0)
        assert now.unknown == (0 if edition.ratings_at_once > 1 else 5)
        await batch.report()
        assert (batch.progress().unknown, batch.progress().rated) == (0, 5)


async def test_progress_is_for_inside_the_block(connect) -> None:
    sandbox, ratings = seeded(2)
    async with connect(sandbox) as pico:
        batch = pico.rate(ratings)
        with pytest.raises(ClientStateError, match="inside the block"):
            batch.progress()
        async with batch:
            await batch.report()
        assert batch.progress().rated == 2


@pytest.mark.parametrize(
    ("standing", "whole", "waiting", "in_flight", "at_once", "left"),
    [
        (Standing(10), 0, 0, 0, 1, 0),
        (Standing(10, to_come=None), 3, 3, 0, 1, None),
        (Standing(10, deciding=2, to_come=5, pages_left=3), 4, 4, 1, 1, 3 + 4 + 1 + 2 + 5),
        (Standing(10, to_come=1000), 0, 0, 0, 1000, 1),
        (Standing(10, to_come=1001), 0, 0, 0, 1000, 2),
        (Standing(10, to_come=10, pages_left=2), 7, 70, 0, 1000, 2 + 7),
    ],
)
def test_the_requests_left(standing, whole, waiting, in_flight, at_once, left) -> None:
    assert requests_left(standing, whole=whole, waiting=waiting, in_flight=in_flight, at_once=at_once) == left


@given(st.none() | COUNTS, st.none() | st.floats(0.001, 1000), COUNTS, st.just(0) | st.floats(0.001, 1e6))
def test_the_time_left_is_never_negative_and_zero_only_at_the_end(left, pace, requests, seconds) -> None:
    time = eta(left, pace, requests=requests, seconds=seconds)
    if left is None:
        assert time is None
    elif left == 0:
        assert time == 0
    elif pace is not None:
        assert time == left / pace
    else:
        assert time is None or time > 0
    so_far, share = rate_used(pace, requests=requests, seconds=seconds)
    assert (so_far is None) == (seconds == 0)
    assert share is None or share >= 0


def test_a_request_that_left_at_once_is_within_the_permitted_pace() -> None:
    assert rate_used(1.0, requests=1, seconds=0.22)[1] == pytest.approx(1 / 1.22)
    assert rate_used(1.0, requests=101, seconds=100)[1] == 1.0


async def test_a_dry_run_says_what_it_would_pay_while_it_runs(connect, edition: Edition) -> None:
    sandbox = Sandbox(edition=edition)
    sandbox.add_tasks(sandbox.add_job(num_tasks=10, task_value="0.20"), 6)
    async with connect(sandbox) as pico, pico.review(Rating.ok, dry_run=True) as batch:
        await batch.report()
        progress = batch.progress()
    assert (progress.would_rate, progress.rated, progress.pay, progress.total) == (
        6,
        0,
        Decimal("1.20"),
        Decimal("1.20"),
    )


async def test_tasks_asked_about_again_are_put_off_no_longer(connect, edition: Edition) -> None:
    sandbox, _ = seeded(4, edition=edition)
    asked: list[str] = []
    all_again = anyio.Event()

    async def decide(task: Task) -> Rating | Later:
        asked.append(task.id)
        if len(asked) <= 4:
            return Later(60)
        if len(asked) == 8:
            all_again.set()
        await anyio.sleep(20)
        return Rating.ok(task)

    async with connect(sandbox) as pico, pico.review(decide, follow=30) as batch:
        await anyio.sleep(10)
        first = batch.progress()
        await all_again.wait()
        second = batch.progress()
    assert (first.met, first.put_off, first.deciding, first.decided) == (4, 4, 0, 0)
    assert (second.met, second.put_off, second.deciding, second.decided) == (4, 0, 4, 0)


async def test_the_report_counts_what_was_put_off(connect, edition: Edition) -> None:
    sandbox, _ = seeded(5, edition=edition)
    async with connect(sandbox) as pico:
        report = await pico.review_all(lambda task: Later(60))
    assert (report.put_off, report.total) == (5, 0)


@pytest.mark.parametrize(
    ("away", "limit", "limit_left", "cooldown", "expected"),
    [
        (False, None, None, 0.0, None),
        (False, "tasks_per_day", 3600.0, 0.0, Wait("limit", 3600.0)),
        (False, "tasks_per_day", 3600.0, 10.0, Wait("limit", 3600.0)),
        (False, "keep_balance", None, 0.0, Wait("balance", None)),
        (False, "balance", None, 0.0, Wait("balance", None)),
        (True, "tasks_per_day", 3600.0, 10.0, Wait("outage", None)),
        (False, None, None, 10.0, Wait("rate limit", 10.0)),
    ],
)
def test_what_a_batch_waits_for(away, limit, limit_left, cooldown, expected) -> None:
    assert what_is_waited_for(away=away, limit=limit, limit_left=limit_left, cooldown=cooldown) == expected


def test_the_time_left_counts_the_wait_and_is_not_known_where_that_is_not() -> None:
    assert eta_after(5.0, None) == 5.0
    assert eta_after(5.0, Wait("limit", 3600.0)) == 3605.0
    assert eta_after(5.0, Wait("outage", None)) is None
    assert eta_after(None, Wait("limit", 3600.0)) is None
    assert eta_after(0.0, Wait("outage", None)) == 0.0


async def test_a_batch_at_its_limit_of_the_day_says_so_and_counts_the_night_in(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(10, jobs=10, edition=edition)
    async with (
        connect(sandbox, throttle=Throttle(requests_per_second=1)) as pico,
        pico.rate(ratings, limits=Limits(tasks_per_day=4), on_limit="wait") as batch,
    ):
        await anyio.sleep(2)
        assert batch.progress().waiting_for is None
        await anyio.sleep(30)
        now = batch.progress()
    assert (now.rated, now.waiting_for) == (4, "limit")
    assert now.until is not None
    assert now.eta is not None
    assert 0 <= now.until <= 86_400
    assert now.eta == pytest.approx(now.until + 6, abs=1)


async def test_a_batch_says_that_it_waits_for_the_balance_and_not_when_it_goes_on(
    connect, edition: Edition
) -> None:
    sandbox, ratings = seeded(4, edition=edition)
    sandbox.balance = 50
    async with (
        connect(sandbox) as pico,
        pico.rate(ratings, limits=Limits(keep_balance=60), on_limit="wait") as batch,
    ):
        await anyio.sleep(120)
        now = batch.progress()
    assert (now.rated, now.waiting_for, now.until, now.eta) == (0, "balance", None, None)


async def test_a_batch_says_that_it_waits_for_the_service_to_come_back(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(40, jobs=40, edition=edition, latency=0.2)
    transport = AwayTransport(sandbox.transport(), "503", anyio.current_time() + 3, 200)
    async with (
        AsyncPicoworkers(
            "user_id", "api_secret", edition=edition, transport=transport, throttle=Throttle(4, 2.0)
        ) as pico,
        pico.rate(ratings) as batch,
    ):
        async with anyio.create_task_group() as group:
            group.start_soon(batch.report)
            await anyio.sleep(60)
            now = batch.progress()
        after = batch.progress()
    assert (now.waiting_for, now.until, now.eta) == ("outage", None, None)
    assert (after.waiting_for, after.until, after.eta) == (None, None, 0)


async def test_a_batch_says_that_it_is_silent_after_a_429(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(4, edition=edition, faults=Faults(too_many=1, only=RATING_CALLS), retry_after="50")
    async with connect(sandbox, throttle=Throttle(cooldown=20)) as pico, pico.rate(ratings) as batch:
        await anyio.sleep(10)
        now = batch.progress()
    assert now.waiting_for == "rate limit"
    assert now.until == pytest.approx(40, abs=1)
