"""A service that is away: for minutes, for a night, and for longer than there is patience."""

from __future__ import annotations

import logging
import math

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import (
    PICOWORKERS,
    AsyncPicoworkers,
    AuthenticationError,
    CallError,
    Edition,
    Fate,
    InvalidResponseError,
    Limits,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Rating,
    RefusedError,
    RetryPolicy,
    ServiceError,
    ServiceMovedError,
    Throttle,
)
from picoworkers_async.outage import LONGEST_PAUSE_SECONDS, Outage, is_failure, is_no_api, may_pass
from picoworkers_async.sandbox import Sandbox
from tests.support.away import WAYS, AwayTransport
from tests.support.seeding import seeded

MINUTES, NIGHT = 180.0, 9 * 3600.0


# The state itself


def test_one_failure_alone_is_no_outage() -> None:
    outage = Outage(RetryPolicy(), 600.0)
    assert not outage.failed(0.0)
    assert not outage.lasts
    assert outage.worked(1.0) is None
    assert not outage.failed(2.0)
    assert not outage.lasts


def test_pauses_grow_to_a_minute_and_what_was_under_way_does_not_make_them_longer() -> None:
    outage = Outage(RetryPolicy(), math.inf)
    outage.failed(0.0)
    assert outage.failed(0.0, 0.5)
    first = outage.next_try_at
    for _ in range(6):
        assert not outage.failed(0.0, 0.5)
    assert outage.next_try_at == first
    pauses = []
    for _ in range(12):
        now = outage.next_try_at
        outage.failed(now, 0.5)
        pauses.append(outage.next_try_at - now)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    assert outage.worked(5000.0) == 5000.0


@given(st.floats(0.0, 1e6), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40), st.floats(0.0, 100.0))
def test_the_last_try_is_made_when_the_patience_ends(patience: float, draws: list[float], initial: float) -> None:
    outage = Outage(RetryPolicy(initial=initial), patience)
    outage.failed(0.0)
    now = 0.0
    for draw in draws:
        if outage.hopeless(now):
            break
        outage.failed(now, draw)
        assert now <= outage.next_try_at <= max(now, patience)
        assert outage.next_try_at - now <= LONGEST_PAUSE_SECONDS + 1e-6
        now = outage.next_try_at
    assert outage.hopeless(now) == (now >= patience)


@pytest.mark.parametrize(
    ("error", "failure", "passes", "passes_where_it_follows"),
    [
        (ServiceError("call", "502", status=502), True, True, True),
        (NotSentError("call", "refused"), True, True, True),
        (NoAnswerError("call", "cut"), True, True, True),
        (InvalidResponseError("call", "HTML", status=404), True, True, True),
        (OutcomeUnknownError("call", NoAnswerError("call", "cut")), True, True, True),
        (ServiceMovedError("call", "/repair", "", status=302, fate=Fate.UNKNOWN), True, False, True),
        (RefusedError("call", "no"), False, False, True),
        (RateLimitedError("call", None), False, True, True),
        (AuthenticationError("call", "who?"), False, False, False),
    ],
)
def test_what_a_failure_is_to_a_batch(
    error: CallError, failure: bool, passes: bool, passes_where_it_follows: bool
) -> None:
    assert is_failure(error) is failure
    assert may_pass(error, follows=False) is passes
    assert may_pass(error, follows=True) is passes_where_it_follows


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidResponseError("call", "HTML", status=404), True),
        (OutcomeUnknownError("call", InvalidResponseError("call", "HTML", status=404)), True),
        (InvalidResponseError("call", "HTML", status=200), False),
        (ServiceError("call", "502", status=502), False),
        (RefusedError("call", "no such job", status=404), False),
        (NotSentError("call", "refused"), False),
    ],
)
def test_what_looks_like_an_address_where_no_api_is(error: CallError, expected: bool) -> None:
    assert is_no_api(error) is expected


# Batches


def client(transport: AwayTransport, edition: Edition) -> AsyncPicoworkers:
    return AsyncPicoworkers(
        "user_id", "api_secret", edition=edition, transport=transport, throttle=Throttle(8, 50.0)
    )


def away(sandbox: Sandbox, way: str, seconds: float, after: float = 0.03) -> AwayTransport:
    return AwayTransport(sandbox.transport(), way, anyio.current_time() + after, seconds)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("way", "seconds"), [*((way, MINUTES) for way in WAYS), ("refused", NIGHT), ("503", NIGHT), ("cut", NIGHT)]
)
async def test_a_review_that_follows_waits_out_every_outage(
    edition: Edition, way: str, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "picoworkers_async")
    sandbox, _ = seeded(200, edition=edition, page_size=50, latency=0.3)
    transport = away(sandbox, way, seconds)
    outcomes = []
    async with client(transport, edition) as pico, pico.review(Rating.ok, follow=60.0) as batch:
        async for outcome in batch:
            outcomes.append(outcome)
            if len(outcomes) == 200:
                break
    assert {outcome.status.value for outcome in outcomes} == {"rated"}
    assert len(sandbox.ledger) == 200
    assert sandbox.double_ratings == 0
    assert len(transport.tries) <= 40 + seconds / 50
    assert [line for line in warnings(caplog) if "away" in line or "back" in line] == warnings(caplog)
    assert len(warnings(caplog)) == 2


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("way", [way for way in WAYS if way != "redirect"])
async def test_a_review_with_an_end_waits_for_as_long_as_it_has_patience(edition: Edition, way: str) -> None:
    sandbox, _ = seeded(200, edition=edition, page_size=50, latency=0.3)
    async with client(away(sandbox, way, MINUTES), edition) as pico:
        report = await pico.review_all(Rating.ok)
    assert (report.rated, report.total) == (200, 200)
    assert len(sandbox.ledger) == 200


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("way", WAYS)
async def test_ratings_that_are_given_wait_for_the_service_too(edition: Edition, way: str) -> None:
    sandbox, ratings = seeded(200, edition=edition, page_size=50, latency=0.3)
    async with client(away(sandbox, way, MINUTES), edition) as pico:
        report = await pico.rate_all(ratings)
    expected = 200 if way != "redirect" else report.rated
    assert (report.rated, report.failed, report.refused) == (expected, 0, 0)
    assert report.total == 200
    assert len(sandbox.ledger) == report.rated
    assert sandbox.double_ratings == 0


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("way", ["refused", "503", "cut", "redirect"])
async def test_patience_that_ends_ends_the_batch_with_what_is_known(edition: Edition, way: str, tmp_path) -> None:
    sandbox, ratings = seeded(200, edition=edition, page_size=50, latency=0.3)
    transport = away(sandbox, way, NIGHT, after=0.03 if edition.ratings_at_once == 1 else 0.0)
    began = anyio.current_time()
    async with client(transport, edition) as pico:
        with pytest.raises(CallError) as caught:
            await pico.rate_all(ratings, journal=tmp_path / "ratings.db", patience=120.0)
        assert not isinstance(caught.value, OutcomeUnknownError)
        assert caught.value.report.rated + caught.value.report.unknown <= 200
        assert anyio.current_time() - began <= 120.0 + 60.0
        # The same call in the morning finishes it.
        await anyio.sleep(NIGHT)
        report = await pico.rate_all(ratings, journal=tmp_path / "ratings.db")
    assert (report.rated, report.total) == (200, 200)
    assert len(sandbox.ledger) == 200
    assert sandbox.double_ratings == 0


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_answers_lost_in_an_outage_do_not_count_against_a_rating(edition: Edition) -> None:
    sandbox, ratings = seeded(1, edition=edition)
    transport = away(sandbox, "503", 7200.0, after=0.0)
    async with client(transport, edition) as pico:
        report = await pico.rate_all(ratings, patience=1e6)
    assert report.rated == 1


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_rating_that_alone_loses_its_answers_is_given_up_while_the_service_answers_all_else(
    edition: Edition,
) -> None:
    class Poisoned(AwayTransport):
        async def handle_async_request(self, request):
            if b"rat" in request.url.raw_path and request.method == "POST":
                return await super().handle_async_request(request)
            return await self.inner.handle_async_request(request)

    sandbox, ratings = seeded(1, edition=edition)
    transport = Poisoned(sandbox.transport(), "503", 0.0, math.inf)
    async with client(transport, edition) as pico:
        report = await pico.rate_all(ratings)
    assert report.failed == 1
    assert len(transport.tries) == 5


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_job_that_does_not_exist_ends_a_review_that_follows_at_once(edition: Edition) -> None:
    sandbox, _ = seeded(1, edition=edition)
    async with (
        client(away(sandbox, "cut", 0.0), edition) as pico,
        pico.review(Rating.ok, job_id="nowhere", follow=1.0) as batch,
    ):
        with pytest.raises(RefusedError):
            await batch.report()


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_leaving_the_block_during_an_outage_is_immediate(edition: Edition) -> None:
    sandbox, ratings = seeded(100, edition=edition)
    transport = away(sandbox, "refused", NIGHT, after=0.0)
    async with client(transport, edition) as pico:
        began = anyio.current_time()
        with anyio.move_on_after(1000.0):
            async with pico.rate(ratings, patience=1e6) as batch:
                async for _ in batch:
                    raise AssertionError("nothing can be rated")
        assert anyio.current_time() - began <= 1000.1
    assert sandbox.ledger == []


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("kind", ["review", "with jobs", "rate", "limited"])
async def test_an_address_without_an_api_ends_a_batch_at_once_and_is_named(edition: Edition, kind: str) -> None:
    sandbox, ratings = seeded(20, jobs=4, edition=edition)
    transport = away(sandbox, "404", NIGHT, after=0.0)
    began = anyio.current_time()
    async with AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=transport) as pico:
        limits = Limits(pay_per_day=100) if kind == "limited" else None
        if kind in ("rate", "limited"):
            batch = pico.rate(ratings, limits=limits)
        else:
            decide = (lambda task, job: Rating.ok(task)) if kind == "with jobs" else Rating.ok
            batch = pico.review(decide, follow=60.0)
        with pytest.raises(
            InvalidResponseError, match=r"no such address: .*check base_url, which ends in /api/"
        ) as caught:
            async with batch:
                await batch.report()
    assert edition.base_url + "jobs/" in str(caught.value)
    assert anyio.current_time() - began < 10.0
    assert sandbox.ledger == []


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_page_not_found_is_an_outage_once_anything_of_the_client_has_worked(edition: Edition) -> None:
    sandbox, _ = seeded(20, edition=edition)
    transport = away(sandbox, "404", MINUTES, after=1.0)
    async with client(transport, edition) as pico:
        await pico.users.get_balances()
        await anyio.sleep(1.0)
        report = await pico.review_all(Rating.ok)
    assert report.rated == 20
    assert len(transport.tries) > 2


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_look_of_which_some_pages_are_read_does_not_use_up_the_patience() -> None:
    """Page 1 of the listing is always read, and page 2 never, for ten times as long as there is patience."""
    sandbox, ratings = seeded(6, edition=PICOWORKERS, page_size=2)
    sandbox.add_tasks(ratings[0].job_id, 6)
    began = anyio.current_time()

    class PagesAway(AwayTransport):
        async def handle_async_request(self, request):
            first_page = request.url.params.get("page", "1") == "1"
            if request.url.path.endswith("get-unrated-tasks.php") and not first_page:
                return await super().handle_async_request(request)
            if request.url.path.endswith("rate-single-task.php") and anyio.current_time() < began + 1:
                return await super().handle_async_request(request)
            return await self.inner.handle_async_request(request)

    transport = PagesAway(sandbox.transport(), "cut", began, 300)
    async with (
        AsyncPicoworkers(
            "user_id",
            "api_secret",
            edition=PICOWORKERS,
            transport=transport,
            retry=RetryPolicy(attempts=1),
            settle_after=1.0,
        ) as pico,
        pico.rate(ratings, patience=30) as batch,
    ):
        report = await batch.report()
    assert report.rated == 6
    assert anyio.current_time() - began > 300
