"""A batch that is told to stop: it takes nothing more in, sends what was decided, and ends without an error."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import sniffio
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picoworkers_async import (
    Batch,
    ClientStateError,
    Edition,
    Journal,
    JournalState,
    Limits,
    OutcomeStatus,
    Rating,
    RetryPolicy,
    Task,
    Throttle,
)
from picoworkers_async.editions import EDITIONS
from picoworkers_async.rating import pipeline
from picoworkers_async.rating.planner import Situation, Step, plan
from picoworkers_async.sandbox import Faults
from tests.support.seeding import RATING_CALLS, seeded
from tests.support.virtual_time import run

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


def states(path: Path) -> Counter[JournalState]:
    return Counter(row.state for row in Journal(path).rows())


async def stop_later(batch: Batch, seconds: float) -> None:
    await anyio.sleep(seconds)
    batch.stop()


@pytest.mark.parametrize("follow", [None, 3600])
async def test_a_review_that_is_stopped_ends_without_an_error(
    connect, edition: Edition, tmp_path: Path, follow: float | None
) -> None:
    sandbox, _ = seeded(40, edition=edition, page_size=10)
    outcomes = []
    async with (
        connect(sandbox) as pico,
        pico.review(Rating.ok, follow=follow, journal=tmp_path / "j.db") as batch,
    ):
        async for outcome in batch:
            outcomes.append(outcome)
            batch.stop()
    assert {outcome.status for outcome in outcomes} == {OutcomeStatus.RATED}
    assert len(outcomes) == len(sandbox.ledger)
    assert set(states(tmp_path / "j.db")) <= {JournalState.RATED, JournalState.DECIDED}


async def test_what_was_decided_is_sent_and_nothing_else_is_asked_about(connect, edition: Edition) -> None:
    """One task of a page is decided, the other decisions never come."""
    sandbox, _ = seeded(10, edition=edition)
    asked: list[str] = []
    given_up: list[str] = []

    async def decide(task: Task) -> Rating:
        asked.append(task.id)
        if len(asked) > 1:
            try:
                await anyio.sleep_forever()
            finally:
                given_up.append(task.id)
        return Rating.ok(task)

    async with connect(sandbox) as pico, pico.review(decide, follow=60) as batch:
        await anyio.sleep(5)
        before = list(asked)
        batch.stop()
        outcomes = [outcome async for outcome in batch]
        progress = batch.progress()
    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.RATED]
    assert (progress.met, progress.deciding, progress.decided, progress.rated) == (1, 0, 1, 1)
    assert (progress.waiting, progress.in_flight, progress.unknown) == (0, 0, 0)
    assert [entry.task_id for entry in sandbox.ledger] == before[:1]
    assert asked == before
    assert sorted(given_up) == sorted(before[1:])


async def test_what_could_not_be_sent_within_the_grace_stays_decided_and_the_next_run_sends_it(
    connect, edition: Edition, tmp_path: Path
) -> None:
    jobs = 40
    sandbox, _ = seeded(jobs, jobs=jobs, edition=edition, page_size=100)
    path = tmp_path / "j.db"
    began = anyio.current_time()
    throttle = Throttle(requests_per_second=1)
    async with connect(sandbox, throttle=throttle) as pico:
        async with pico.review(Rating.ok, follow=60, journal=path, grace=8) as batch:
            await anyio.sleep(3)
            batch.stop()
            outcomes = [outcome async for outcome in batch]
            assert batch.progress().waiting == jobs - len(outcomes)
        assert 10 <= anyio.current_time() - began <= 13
        assert 7 <= len(outcomes) <= 12
        assert states(path) == {
            JournalState.RATED: len(outcomes),
            JournalState.DECIDED: jobs - len(outcomes),
        }
        report = await pico.review_all(lambda task: pytest.fail("it was decided before"), journal=path)
    assert report.rated == jobs - len(outcomes)
    assert sandbox.double_ratings == 0
    assert len(sandbox.ledger) == jobs


async def test_no_more_of_a_page_is_asked_about_once_it_is_told_to_stop(connect, edition: Edition) -> None:
    sandbox, _ = seeded(10, edition=edition, page_size=10)
    asked: list[str] = []

    def decide(task: Task) -> Rating:
        asked.append(task.id)
        batch.stop()
        return Rating.ok(task)

    async with connect(sandbox) as pico, pico.review(decide) as batch:
        outcomes = [outcome async for outcome in batch]
    assert [entry.task_id for entry in sandbox.ledger] == asked
    assert len(outcomes) == 1


async def test_what_an_earlier_run_lost_is_left_to_a_later_one_when_it_is_stopped_before_it_begins(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(4, edition=edition, faults=Faults(cut_after=1, only=RATING_CALLS))
    path = tmp_path / "j.db"
    async with connect(sandbox, settle_after=500) as pico:
        async with pico.rate(ratings, journal=path, grace=0.5):
            await anyio.sleep(1)
        before = states(path)
        batch = pico.review(Rating.ok, journal=path)
        batch.stop()
        async with batch:
            assert [outcome async for outcome in batch] == []
    assert states(path) == before


async def test_rate_stops_taking_input(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(5000, edition=edition)
    taken = 0

    def source():
        nonlocal taken
        for rating in ratings:
            taken += 1
            yield rating

    async with connect(sandbox) as pico, pico.rate(source()) as batch:
        first = await anext(batch)
        batch.stop()
        rest = [outcome async for outcome in batch]
    assert first.status is OutcomeStatus.RATED
    assert len(sandbox.ledger) == taken == 1 + len(rest)
    assert taken < 5000


async def test_rate_stops_waiting_for_input_that_is_to_come(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(3, edition=edition)
    closed = False

    async def source() -> AsyncIterator[Rating]:
        nonlocal closed
        try:
            for rating in ratings:
                yield rating
            await anyio.sleep_forever()
        finally:
            closed = True

    async with connect(sandbox) as pico, pico.rate(source()) as batch:
        outcomes = [await anext(batch) for _ in ratings]
        batch.stop()
        outcomes += [outcome async for outcome in batch]
    assert len(outcomes) == len(sandbox.ledger) == 3
    assert closed


async def test_stop_may_be_called_at_any_time_and_twice(connect, edition: Edition, tmp_path: Path) -> None:
    sandbox, ratings = seeded(5, edition=edition)
    async with connect(sandbox) as pico:
        early = pico.rate(ratings, journal=tmp_path / "j.db")
        early.stop()
        early.stop()
        async with early as batch:
            assert [outcome async for outcome in batch] == []
            batch.stop()
        early.stop()
        assert sandbox.requests == []
        async with pico.rate(ratings, journal=tmp_path / "j.db") as batch:
            assert len([outcome async for outcome in batch]) == 5
            batch.stop()
            assert (await batch.report()).rated == 5
        batch.stop()


async def test_a_report_of_a_batch_that_is_stopped_is_of_what_was_sent(connect, edition: Edition) -> None:
    sandbox, _ = seeded(30, edition=edition, latency=1, page_size=100)
    async with (
        connect(sandbox) as pico,
        pico.review(Rating.ok, follow=10) as batch,
        anyio.create_task_group() as group,
    ):
        group.start_soon(stop_later, batch, 2.5)
        report = await batch.report()
    assert report.rated == len(sandbox.ledger) > 0
    assert report.total == report.rated


async def test_an_answer_that_is_slow_is_waited_for(connect, edition: Edition, tmp_path: Path) -> None:
    """It left within the grace, and comes as long again after that at most."""
    faults = Faults(slow=1, slow_seconds=7, only=RATING_CALLS)
    sandbox, ratings = seeded(3, edition=edition, faults=faults)
    path = tmp_path / "j.db"
    async with connect(sandbox, throttle=Throttle(8)) as pico, pico.rate(ratings, journal=path, grace=5) as batch:
        await anyio.sleep(1)
        batch.stop()
        outcomes = [outcome async for outcome in batch]
    assert states(path) == {JournalState.RATED: 3}
    assert len(outcomes) == 3


async def test_a_lost_answer_is_unknown_at_the_end_and_settled_by_the_next_run(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(4, edition=edition, faults=Faults(cut_after=1, only=RATING_CALLS))
    path = tmp_path / "j.db"
    began = anyio.current_time()
    async with connect(sandbox) as pico:
        async with pico.rate(ratings, journal=path, grace=5) as batch:
            await anyio.sleep(0.5)
            batch.stop()
            outcomes = [outcome async for outcome in batch]
        assert anyio.current_time() - began <= 11
        lost = [outcome for outcome in outcomes if outcome.status is OutcomeStatus.UNKNOWN]
        assert states(path)[JournalState.SENT] == 0
        assert states(path)[JournalState.UNKNOWN] == len(lost)
        sandbox.faults = Faults()
        await pico.rate_all(ratings, journal=path)
    assert states(path) == {JournalState.RATED: 4}
    assert len(sandbox.ledger) == 4
    assert sandbox.double_ratings == 0


async def test_an_outage_does_not_hold_up_the_end(connect, edition: Edition, tmp_path: Path) -> None:
    sandbox, ratings = seeded(50, jobs=10, edition=edition, faults=Faults(cut_before=1))
    path = tmp_path / "j.db"
    retry = RetryPolicy(attempts=50, initial=5, maximum=60)
    async with connect(sandbox, retry=retry) as pico, pico.rate(ratings, journal=path, grace=5) as batch:
        await anyio.sleep(3)
        began = anyio.current_time()
        batch.stop()
        outcomes = [outcome async for outcome in batch]
        assert anyio.current_time() - began <= 10
    assert not sandbox.ledger
    assert all(outcome.status is OutcomeStatus.UNKNOWN for outcome in outcomes)


async def test_leaving_the_block_after_stop_is_as_quick_as_without(connect, edition: Edition) -> None:
    faults = Faults(slow=1, slow_seconds=300, only=RATING_CALLS)
    sandbox, ratings = seeded(3, edition=edition, faults=faults)
    async with connect(sandbox, timeout=600) as pico:
        async with pico.rate(ratings, grace=5) as batch:
            await anyio.sleep(1)
            batch.stop()
            began = anyio.current_time()
        assert anyio.current_time() - began <= 5.1


async def test_an_observer_may_stop_the_batch(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(20_000, edition=edition)
    stop: list[Callable[[], None]] = []

    def observe(event: object) -> None:
        if stop:
            stop[0]()

    async with connect(sandbox, on_event=observe) as pico, pico.rate(iter(ratings)) as batch:
        await anext(batch)
        stop.append(batch.stop)
        rest = [outcome async for outcome in batch]
    assert 1 + len(rest) == len(sandbox.ledger) < 20_000


async def test_a_stop_while_pages_are_read_sends_what_waits_and_does_not_spin(
    connect, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, _ = seeded(30, jobs=3, edition=edition, page_size=7, latency=0.2, seed=654)
    plans = Counter[Step]()

    def counted(now: Situation) -> Step:
        step = plan(now)
        plans[step] += 1
        if plans.total() > 10_000:
            raise RuntimeError(f"it spins: {plans}")
        return step

    monkeypatch.setattr(pipeline, "plan", counted)
    async with (
        connect(sandbox, throttle=Throttle(4)) as pico,
        pico.review(Rating.ok, follow=5, grace=5.0) as batch,
        anyio.create_task_group() as group,
    ):
        group.start_soon(stop_later, batch, 0.71)
        told = [outcome async for outcome in batch]
    assert len(told) == len(sandbox.ledger) > 0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(EDITIONS)),
    backend=st.sampled_from(["asyncio", "trio"]),
    seconds=st.floats(0, 4),
    grace=st.sampled_from([0.0, 0.3, 5.0]),
    chance=st.sampled_from([0.0, 0.2]),
    asynchronous=st.booleans(),
    seed=st.integers(0, 999),
)
def test_whenever_it_is_stopped_nothing_is_lost_and_nothing_twice(
    connect,
    tmp_path_factory,
    name: str,
    backend: str,
    seconds: float,
    grace: float,
    chance: float,
    asynchronous: bool,
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("stop") / "j.db"
    faults = Faults(cut_after=chance, cut_before=chance, html_503=chance, only=RATING_CALLS)
    sandbox, _ = seeded(30, jobs=3, edition=EDITIONS[name], page_size=7, latency=0.2, faults=faults, seed=seed)

    async def slowly(task: Task) -> Rating:
        await anyio.sleep(0.1 + (int(task.id, 36) % 7) / 10)
        return Rating.ok(task)

    async def story() -> None:
        decide = slowly if asynchronous else Rating.ok
        async with connect(sandbox, throttle=Throttle(4)) as pico:
            async with (
                pico.review(decide, follow=5, journal=path, grace=grace) as batch,
                anyio.create_task_group() as group,
            ):
                group.start_soon(stop_later, batch, seconds)
                told = [outcome async for outcome in batch]
            after = states(path)
            if grace > 1:
                assert after[JournalState.SENT] == 0
            assert Counter(outcome.status for outcome in told)[OutcomeStatus.RATED] <= len(sandbox.ledger)
            sandbox.faults = Faults()
            await pico.review_all(decide, journal=path)
        assert set(states(path)) == {JournalState.RATED}
        assert len(sandbox.ledger) == 30
        assert sandbox.double_ratings == 0
        assert not sandbox.unrated()

    run(story, backend=backend)


def test_a_batch_that_drains_sends_what_waits_and_waits_for_nothing_else() -> None:
    draining = Situation(in_hand=5, unknown=2, draining=True)
    assert plan(draining._replace(full=1, waiting=3)) is Step.SEND
    assert plan(draining._replace(parts=1, waiting=3)) is Step.SEND
    assert plan(draining._replace(look_due=True)) is Step.LOOK
    assert plan(draining) is Step.END
    assert plan(draining._replace(waiting=3)) is Step.WAIT
    assert plan(draining._replace(full=1, waiting=3, stopped=True)) is Step.END
    assert plan(draining._replace(draining=False)) is Step.WAIT


def from_a_callback(call: Callable[[], object]) -> None:
    """Have this called by the event loop itself, outside of every task of ours, as by a signal handler."""
    if sniffio.current_async_library() == "trio":
        trio.lowlevel.current_trio_token().run_sync_soon(call)
    else:
        # asyncio.run, unlike anyio.run, leaves nothing in the context that tells which loop runs.
        asyncio.get_running_loop().call_soon(call, context=contextvars.Context())


async def test_a_signal_handler_or_a_timer_of_the_event_loop_may_stop_a_batch_and_ask_how_it_stands(
    connect, edition: Edition
) -> None:
    sandbox, _ = seeded(5, edition=edition)
    told: list[object] = []
    async with connect(sandbox) as pico, pico.review(Rating.ok, follow=60) as batch:

        def ask_and_stop() -> None:
            told.extend((batch.progress().rated, batch.spend().ratings, pico.throttle.state().in_flight))
            batch.stop()

        await anyio.sleep(5)
        from_a_callback(ask_and_stop)
        with anyio.fail_after(30):
            report = await batch.report()
    assert report.rated == 5
    assert told == [5, 5, 0]


async def test_a_callback_may_stop_a_batch_that_sends(connect, edition: Edition) -> None:
    """What waits at the gate, and what is on the wire, is given its deadline from the callback."""
    sandbox, ratings = seeded(40, jobs=40, edition=edition, latency=0.5)
    async with (
        connect(sandbox, throttle=Throttle(4, requests_per_second=2)) as pico,
        pico.rate(ratings, grace=3) as batch,
    ):
        await anyio.sleep(2)
        from_a_callback(batch.stop)
        with anyio.fail_after(10):
            report = await batch.report()
    assert 0 < report.rated < 40
    assert report.rated == len(sandbox.ledger)


async def test_a_batch_that_waits_for_its_limit_ends_at_once_when_it_is_told_to_stop(
    connect, edition: Edition, tmp_path: Path
) -> None:
    """Nothing may be sent before midnight: there is nothing to give a grace to."""
    sandbox, _ = seeded(5, edition=edition)
    path, limits = tmp_path / "j.db", Limits(tasks_per_day=2)
    async with (
        connect(sandbox) as pico,
        pico.review(Rating.ok, follow=60, journal=path, limits=limits, on_limit="wait", grace=60) as batch,
    ):
        await anyio.sleep(10)
        began = anyio.current_time()
        batch.stop()
        report = await batch.report()
        assert anyio.current_time() - began < 1
    assert report.rated == 2
    assert states(path) == {JournalState.RATED: 2, JournalState.DECIDED: 3}


async def test_after_the_block_was_left_a_batch_still_reports_what_it_learned(connect, edition: Edition) -> None:
    sandbox, _ = seeded(40, edition=edition, page_size=10)
    async with connect(sandbox) as pico:
        async with pico.review(Rating.ok) as batch:
            async for _ in batch:
                break
        report = await batch.report()
        assert report.rated == batch.progress().rated > 0
        await anyio.sleep(5)
        assert await batch.report() == report, "its time stands still"
        with pytest.raises(ClientStateError, match="the block of this batch was left"):
            await anext(batch)
