"""Batches of ratings that the caller gives."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import anyio
import anyio.lowlevel
import pytest
from anyio import wait_all_tasks_blocked

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    ClientStateError,
    Edition,
    Fate,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    OutcomeStatus,
    Rating,
    RetryPolicy,
    Throttle,
)
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.seeding import RATING_CALLS, seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_every_rating_has_one_outcome_and_the_report_adds_them_up(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(30, edition=edition)
    unknown = Rating(ratings[0].job_id, "nobody", "ok")
    again = ratings[0]
    invalid = Rating(ratings[0].job_id, "t", "not_ok")
    async with connect(sandbox) as pico:
        await pico.jobs.rate_single_task(again)
        report = await pico.rate_all([*ratings, unknown, invalid, 5])  # type: ignore[list-item]
    assert (report.rated, report.refused, report.failed, report.unknown) == (29, 2, 2, 0)
    assert report.total == 33
    assert report.bonus == Decimal("2.90")
    messages = {outcome.message for outcome in report.outcomes_by_status[OutcomeStatus.REFUSED]}
    assert messages == {"Task not found.", "Task cannot be rated."}
    assert sandbox.bonus_paid == Decimal("3.00")


async def test_ratings_may_come_from_an_async_iterable(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(10, edition=edition)

    async def stream() -> AsyncIterator[Rating]:
        for rating in ratings:
            await anyio.lowlevel.checkpoint()
            yield rating

    async with connect(sandbox) as pico:
        assert (await pico.rate_all(stream())).rated == 10


async def test_a_slow_reader_of_outcomes_holds_back_the_reading_of_ratings(connect) -> None:
    sandbox, ratings = seeded(1000)
    read = 0

    def stream() -> Iterator[Rating]:
        nonlocal read
        for rating in ratings:
            read += 1
            yield rating

    async with connect(sandbox, throttle=Throttle(4)) as pico, pico.rate(stream()) as outcomes:
        taken = 0
        async for _ in outcomes:
            taken += 1
            await wait_all_tasks_blocked()
            assert read <= taken + 4 * 4 + 1
            if taken == 8:
                break


async def test_leaving_early_stops_sending_and_learns_what_was_on_the_wire(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(20_000, latency=0.02, edition=edition)
    async with connect(sandbox) as pico:
        async with pico.rate(ratings) as outcomes:
            async for _ in outcomes:
                break
        sent = len(sandbox.requests)
        assert sent <= 40
        assert len(sandbox.ledger) == sum(len(request.body.get("tasks", "1")) for request in sandbox.requests)
        assert len(sandbox.ledger) < 20_000
        await anyio.sleep(0.05)
        assert len(sandbox.requests) == sent


async def test_a_timeout_around_a_batch_lets_requests_on_the_wire_end_within_the_grace(connect) -> None:
    sandbox, ratings = seeded(100, latency=0.2)
    async with connect(sandbox) as pico:
        with anyio.move_on_after(0.1) as scope:
            async with pico.rate(ratings) as outcomes:
                async for _ in outcomes:
                    pass
        assert scope.cancelled_caught
    assert len(sandbox.ledger) == len(sandbox.requests) == 3


@pytest.mark.virtual_time
async def test_whoever_waits_for_a_slot_or_a_page_does_not_hold_up_the_leaving(connect) -> None:
    sandbox, ratings = seeded(5, latency=100.0)
    async with connect(sandbox, throttle=Throttle(4, requests_per_second=0.001)) as pico:
        started = anyio.current_time()
        with anyio.move_on_after(1.0):
            async with pico.review(lambda task: None, grace=50.0) as outcomes:
                async for _ in outcomes:
                    pass
        with anyio.move_on_after(1.0):
            async with pico.rate(ratings, grace=50.0) as outcomes:
                async for _ in outcomes:
                    pass
        assert anyio.current_time() - started == pytest.approx(2.0, abs=0.01)


async def test_the_grace_is_bounded(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(10, latency=30.0, edition=edition)
    async with connect(sandbox) as pico:
        with anyio.fail_after(5):
            with anyio.move_on_after(0.05):
                async with pico.rate(ratings, grace=0.1) as outcomes:
                    async for _ in outcomes:
                        pass


async def test_an_error_in_the_block_comes_out_as_it_is(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(100, edition=edition)

    async def fail_on_the_first(pico: AsyncPicoworkers) -> None:
        async with pico.rate(ratings) as outcomes:
            async for _ in outcomes:
                raise ZeroDivisionError

    async with connect(sandbox) as pico:
        with pytest.raises(ZeroDivisionError):
            await fail_on_the_first(pico)


async def test_an_error_of_the_input_comes_out_as_it_is(connect, edition: Edition) -> None:
    def broken() -> Iterator[Rating]:
        yield ratings[0]
        raise ZeroDivisionError

    sandbox, ratings = seeded(1, edition=edition)
    async with connect(sandbox) as pico:
        with pytest.raises(ZeroDivisionError):
            await pico.rate_all(broken())


async def test_lost_credentials_stop_a_batch(connect) -> None:
    _, ratings = seeded(100)
    async with connect(Sandbox(api_secret="other")) as pico:
        with pytest.raises(AuthenticationError):
            await pico.rate_all(ratings)


@pytest.mark.virtual_time(False)
async def test_a_service_that_is_never_reached_ends_the_batch_when_its_patience_does() -> None:
    _, ratings = seeded(2)
    # Nothing listens on a port that was bound and given up.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    policy = RetryPolicy(attempts=2, initial=0.001)
    url = f"http://127.0.0.1:{port}/api/"
    async with AsyncPicoworkers("user_id", "api_secret", base_url=url, retry=policy) as pico:
        with pytest.raises(NotSentError) as caught:
            await pico.rate_all(ratings, patience=0.1)
    assert caught.value.fate is Fate.NOT_PROCESSED
    assert caught.value.report.total == 0


@pytest.mark.parametrize(
    "fault", ["cut_before", "cut_after", "half_answer", "html_200", "error_500_after", "slow"]
)
async def test_a_lost_answer_is_settled_by_reading_and_nobody_is_paid_twice(
    connect, edition: Edition, fault: str
) -> None:
    faults = Faults(**{fault: 0.3}, slow_seconds=1.0, only=RATING_CALLS)
    sandbox, ratings = seeded(60, faults=faults, seed=5, edition=edition)
    async with connect(sandbox, timeout=0.05) as pico:
        report = await pico.rate_all(ratings)
    assert (report.rated, report.unknown) == (60, 0)
    assert len(sandbox.ledger) == 60
    assert sandbox.bonus_paid == report.bonus == Decimal("6.00")
    assert sandbox.double_ratings == 0


async def test_many_unknown_ratings_of_a_job_share_the_looks_that_settle_them(connect, edition: Edition) -> None:
    faults = Faults(cut_after=1.0, only=RATING_CALLS)
    sandbox, ratings = seeded(40, faults=faults, page_size=100, edition=edition)
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings)
    assert report.rated == 40
    looks = sum(request.path.endswith("get-unrated-tasks.php") for request in sandbox.requests)
    assert looks <= (5 if edition.ratings_at_once == 1 else 1)


async def test_what_cannot_be_settled_for_as_long_as_there_is_patience_is_reported_as_unknown(
    connect, edition: Edition
) -> None:
    faults = Faults(cut_after=1.0)
    sandbox, ratings = seeded(3, faults=faults, edition=edition)
    async with connect(sandbox) as pico:
        with pytest.raises(NoAnswerError) as caught:
            await pico.rate_all(ratings)
    report = caught.value.report
    assert (report.rated, report.unknown) == (0, 3)
    assert report.bonus == 0
    assert len(sandbox.ledger) == 3


async def test_a_batch_is_entered_once_and_iterated_inside(connect) -> None:
    sandbox, ratings = seeded(1)
    async with connect(sandbox) as pico:
        batch = pico.rate(ratings)
        with pytest.raises(ClientStateError):
            aiter(batch)
        with pytest.raises(ClientStateError, match="inside the block"):
            await anext(batch)
        async with batch as outcomes:
            assert [outcome.status async for outcome in outcomes] == [OutcomeStatus.RATED]
        with pytest.raises(ClientStateError):
            await batch.__aenter__()
        with pytest.raises(InvalidRequestError, match="grace"):
            pico.rate(ratings, grace=-1)
        with pytest.raises(
            InvalidRequestError, match="ratings=5: an iterable or async iterable of Rating"
        ) as caught:
            pico.rate(5, grace=-1)
        assert [problem.field for problem in caught.value.problems] == ["ratings", "grace"]
