"""A service whose listing of rated tasks is refused, or not there: ratings are settled as on the 2022 edition."""

from __future__ import annotations

import logging

import attrs
import httpx
import pytest

from picoworkers_async import (
    SPROUTGIGS,
    Ability,
    AsyncPicoworkers,
    Edition,
    Effect,
    InvalidResponseError,
    NoAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    Rating,
    RefusedError,
    RetryPolicy,
    ServiceError,
    ServiceMovedError,
    Throttle,
    events,
)
from picoworkers_async.listings.lookup import is_missing
from picoworkers_async.sandbox import Faults, Sandbox
from tests.test_agreement import WITHOUT, WithoutRated

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

RATE = {"rate_multiple_tasks", "rate_single_task"}
LOST, UNSENT = (Faults(**{cut: 1.0}, only=RATE) for cut in ("cut_after", "cut_before"))


def client(sandbox: Sandbox, way: str, edition: Edition = SPROUTGIGS, **options) -> AsyncPicoworkers:
    options.setdefault("retry", RetryPolicy(initial=0.001, maximum=0.01))
    transport = WithoutRated(sandbox, way)
    throttle = Throttle()
    return AsyncPicoworkers(
        "user_id", "api_secret", edition=edition, transport=transport, throttle=throttle, **options
    )


def seeded(tasks: int = 5) -> tuple[Sandbox, list[Rating]]:
    sandbox = Sandbox(edition=SPROUTGIGS)
    job_id = sandbox.add_job()
    return sandbox, [
        Rating(job_id, task_id, "ok", revision_number=0) for task_id in sandbox.add_tasks(job_id, tasks)
    ]


@pytest.mark.parametrize("way", ["404", "refused"])
async def test_a_batch_pays_everybody_once_without_the_rated_listing_and_says_so_once(way) -> None:
    told: list[events.Event] = []
    sandbox, ratings = seeded(40)
    sandbox.faults = Faults(cut_before=0.2, cut_after=0.2, late=0.2, cut_midway=0.2, only=RATE)
    async with client(sandbox, way, on_event=told.append) as pico:
        report = await pico.rate_all(ratings[:20])
        other = await pico.rate_all(ratings[20:])
    assert (report.rated, other.rated) == (20, 20)
    assert len(sandbox.ledger) == 40
    assert sandbox.double_ratings == 0
    assert len([event for event in told if isinstance(event, events.RatedListingMissing)]) == 1


@pytest.mark.parametrize("way", ["404", "refused"])
async def test_settle_falls_back_by_ids_and_says_so_once(way, caplog) -> None:
    told: list[events.Event] = []
    caplog.set_level(logging.WARNING, "picoworkers_async")
    sandbox, ratings = seeded()
    async with client(sandbox, way, on_event=told.append) as pico:
        for faults, effect in ((LOST, Effect.TOOK_EFFECT), (UNSENT, Effect.DID_NOT), (LOST, Effect.TOOK_EFFECT)):
            sandbox.faults = faults
            with pytest.raises(OutcomeUnknownError) as caught:
                await pico.jobs.rate_single_task(ratings.pop())
            sandbox.faults = Faults()
            before = len(sandbox.requests)
            assert (await pico.settle(caught.value)).effect is effect
            assert all("task_ids" in request.query for request in sandbox.requests[before:])
    missing = [event for event in told if isinstance(event, events.RatedListingMissing)]
    assert len(missing) == 1
    assert "get_rated_tasks" in missing[0].error
    assert len([record for record in caplog.records if "without the listing" in record.message]) == 1


@pytest.mark.parametrize(("faults", "effect"), [(LOST, Effect.TOOK_EFFECT), (UNSENT, Effect.DID_NOT)])
async def test_an_edition_that_takes_ids_but_lists_no_rated_tasks_is_asked_by_ids(faults, effect) -> None:
    told: list[events.Event] = []
    edition = attrs.evolve(SPROUTGIGS, abilities=SPROUTGIGS.abilities - {Ability.RATED_TASKS})
    sandbox, (rating, *_) = seeded()
    async with client(sandbox, "there", edition, on_event=told.append) as pico:
        sandbox.faults = faults
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.rate_single_task(rating)
        sandbox.faults = Faults()
        assert (await pico.settle(caught.value)).effect is effect
    _, *reads = sandbox.requests
    assert {request.path.rpartition("/")[2] for request in reads} == {"get-unrated-tasks.php"}
    assert all("task_ids" in request.query for request in reads)
    # That the edition has no such listing is nothing new.
    assert not [event for event in told if isinstance(event, events.RatedListingMissing)]


async def test_a_task_that_was_taken_away_was_not_rated_where_the_rated_listing_is_only_refused_for_now() -> None:
    sandbox, (rating, *_) = seeded(3)
    transport = WithoutRated(sandbox, "later")

    async def taken_away(request: httpx.Request) -> httpx.Response:
        if "/rate-" in request.url.path and rating.task_id in sandbox.unrated():
            sandbox.withdraw(rating.task_id)
        return await transport.handle_async_request(request)

    sandbox.faults = UNSENT
    options = {"transport": httpx.MockTransport(taken_away), "throttle": Throttle(), "edition": SPROUTGIGS}
    async with AsyncPicoworkers("user_id", "api_secret", **options) as pico:
        report = await pico.rate_all([rating])
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.rate_single_task(rating)
        assert (await pico.settle(caught.value)).effect is Effect.CANNOT_TELL
    assert (report.rated, report.unknown) == (0, 1)
    assert sandbox.ledger == []


@pytest.mark.parametrize("way", ["503", "html", "later"])
async def test_an_outage_of_the_rated_listing_is_not_taken_for_none(way) -> None:
    told: list[events.Event] = []
    sandbox, ratings = seeded(1)
    async with client(sandbox, way, on_event=told.append) as pico:
        sandbox.faults = LOST
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.rate_single_task(ratings[0])
        sandbox.faults = Faults()
        assert (await pico.settle(caught.value)).effect is Effect.CANNOT_TELL
    assert not [event for event in told if isinstance(event, events.RatedListingMissing)]


async def test_one_look_that_finds_it_missing_is_taken_back_by_the_next_that_reads_it() -> None:
    sandbox, (rating,) = seeded(1)
    transport = WithoutRated(sandbox, "404")
    asked = 0

    async def only_at_first(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        if request.url.path.endswith("get-rated-tasks.php"):
            asked += 1
            transport.way = "404" if asked == 1 else "there"
        return await transport.handle_async_request(request)

    sandbox.faults = LOST
    options = {"transport": httpx.MockTransport(only_at_first), "throttle": Throttle(), "edition": SPROUTGIGS}
    async with AsyncPicoworkers("user_id", "api_secret", **options) as pico:
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.rate_single_task(rating)
        sandbox.faults = Faults()
        # Refused by hand, where ours would have satisfied: it shows only where the rated tasks can be read.
        sandbox.store.tasks[rating.task_id].verdict = "not_ok"
        settlement = await pico.settle(caught.value)
    assert settlement.effect is Effect.CANNOT_TELL
    assert "not as sent" in settlement.reasons[0]


async def test_a_whole_listing_in_answer_to_ids_proves_no_absence() -> None:
    """A service that does not heed `task_ids` shows a listing that moves while it is read."""
    sandbox, (rating, *_) = seeded(3)
    transport = WithoutRated(sandbox, "404")
    others = {"current_page": 1, "pages": 1, "tasks": [{"id": "other", "job_id": rating.job_id}]}

    async def heedless(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("get-unrated-tasks.php"):
            return httpx.Response(200, json=others)
        return await transport.handle_async_request(request)

    sandbox.faults = UNSENT
    options = {"transport": httpx.MockTransport(heedless), "throttle": Throttle(), "edition": SPROUTGIGS}
    async with AsyncPicoworkers("user_id", "api_secret", **options) as pico:
        with pytest.raises(OutcomeUnknownError) as caught:
            await pico.jobs.rate_single_task(rating)
        assert (await pico.settle(caught.value)).effect is Effect.CANNOT_TELL


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (RefusedError("c", "No such method."), True),
        (RefusedError("c", "Unknown endpoint", status=404), True),
        (RefusedError("c", "Please try again later."), False),
        (RefusedError("c", "We are under maintenance.", status=404), False),
        (NotFoundError("c", "Job not found.", status=404), False),
        *((InvalidResponseError("c", "HTML", status=status), True) for status in (404, 405, 410)),
        *((InvalidResponseError("c", "HTML", status=status), False) for status in (200, 400, 418, None)),
        (ServiceError("c", "503", status=503), False),
        (ServiceMovedError("c", "/", "", status=302, fate=None), False),
        (NoAnswerError("c", "cut"), False),
    ],
)
def test_only_the_service_itself_can_say_that_there_is_no_such_listing(error, missing: bool) -> None:
    assert is_missing(error, SPROUTGIGS) is missing


def test_every_way_of_being_without_it_is_asked_about() -> None:
    assert set(WITHOUT) == {"404", "refused", "later", "503", "html"}
