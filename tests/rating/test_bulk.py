"""Many ratings in one request: gathered by themselves, and each with an outcome of its own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal

import anyio
import pytest
import trio
import trio.testing

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    InvalidRequestError,
    OutcomeStatus,
    Rating,
    RefusedError,
    Task,
    Throttle,
)
from picoworkers_async.codec import ShapeError, read_rating_acks
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.judge import judge


def seeded(tasks: int, jobs: int = 1, **options) -> Sandbox:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6, **options)
    for _ in range(jobs):
        sandbox.add_tasks(sandbox.add_job(num_tasks=10**6), tasks // jobs)
    return sandbox


def ratings_of(sandbox: Sandbox) -> list[Rating]:
    tasks = sandbox.store.unrated.values()
    return [Rating(task.job.id, task.id, "ok", bonus="0.10", revision_number=task.revision) for task in tasks]


def asked(sandbox: Sandbox) -> Counter[str]:
    return Counter(request.path.rpartition("/")[2].removesuffix(".php") for request in sandbox.requests)


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 3500])
async def test_a_batch_of_one_job_costs_exactly_a_request_for_each_thousand(connect, count: int) -> None:
    sandbox = seeded(count, latency=0.002)
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings_of(sandbox))
    assert report.rated == len(sandbox.ledger) == count
    assert report.bonus == sandbox.bonus_paid == count * Decimal("0.10")
    assert asked(sandbox)["rate-multiple-tasks"] == math.ceil(count / 1000)
    assert asked(sandbox)["rate-single-task"] == 0
    assert sandbox.complaints == []


@pytest.mark.parametrize("latency", [0.01, 0.3, 1.5])
@pytest.mark.parametrize("page_size", [20, 100])
@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_a_review_at_the_rate_limit_costs_few_requests_and_little_more_time(
    rate: float, page_size: int, latency: float
) -> None:
    count = 2500
    sandbox = seeded(count, page_size=page_size, latency=latency, requests_per_second=rate)
    seconds = 0.0

    async def story() -> None:
        nonlocal seconds
        throttle = Throttle(8, rate)
        async with AsyncPicoworkers(
            "user_id", "api_secret", edition=SPROUTGIGS, transport=sandbox.transport(), throttle=throttle
        ) as pico:
            report = await pico.review_all(judge)
        assert report.rated == count
        seconds = report.elapsed

    trio.run(story, clock=trio.testing.MockClock(autojump_threshold=0))
    requests = len(sandbox.requests)
    assert requests <= count / page_size + count / 1000 + 5
    assert sandbox.rate_limited == sandbox.double_ratings == 0
    assert seconds <= max(requests / rate, requests / 7 * latency) * 1.05 + 8 * latency + 3


def test_a_rating_that_comes_alone_waits_no_longer_than_the_rate_limit_would_have_it() -> None:
    sandbox = seeded(30, latency=0.01)
    ratings = ratings_of(sandbox)
    delays = []

    async def story() -> None:
        given_at: dict[str, float] = {}

        async def trickle() -> AsyncIterator[Rating]:
            for rating in ratings:
                await trio.sleep(0.7)
                given_at[rating.task_id] = trio.current_time()
                yield rating

        pico = AsyncPicoworkers("user_id", "api_secret", edition=SPROUTGIGS, transport=sandbox.transport())
        async with pico, pico.rate(trickle()) as outcomes:
            async for outcome in outcomes:
                assert outcome.rating is not None
                delays.append(trio.current_time() - given_at[outcome.rating.task_id])

    trio.run(story, clock=trio.testing.MockClock(autojump_threshold=0))
    assert len(delays) == 30
    assert max(delays) <= 1.02 + 0.02 + 0.01


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_several_jobs_go_in_requests_of_their_own_side_by_side(connect) -> None:
    sandbox = seeded(5000, jobs=50, latency=0.01)
    async with connect(sandbox) as pico:
        assert (await pico.rate_all(ratings_of(sandbox))).rated == 5000
    for request in sandbox.requests:
        assert {sandbox.store.tasks[item["id"]].job.id for item in request.body["tasks"]} == {
            request.body["job_id"]
        }
    assert asked(sandbox)["rate-multiple-tasks"] <= 100
    assert sandbox.peak_concurrency > 2


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("fault", ["left_out", "cut_midway", "cut_after", "cut_before", "half_answer"])
async def test_what_an_answer_does_not_say_is_looked_up_by_id(connect, fault: str) -> None:
    faults = Faults(**{fault: 0.5}, only={"rate_multiple_tasks"})
    sandbox = seeded(1500, page_size=100, faults=faults, seed=3)
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings_of(sandbox))
    assert (report.rated, report.unknown) == (1500, 0)
    assert len(sandbox.ledger) == 1500
    assert report.bonus == sandbox.bonus_paid
    assert sandbox.double_ratings == 0
    looks = [request for request in sandbox.requests if request.method == "GET"]
    assert looks
    assert all(len(request.query["task_ids"].split(",")) <= 400 for request in looks)


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_refusals_are_those_of_their_tasks_and_one_of_all_is_one_of_each(connect) -> None:
    sandbox = seeded(4)
    ratings = ratings_of(sandbox)
    job_id = ratings[0].job_id
    async with connect(sandbox) as pico:
        await pico.jobs.rate_single_task(ratings[0])
        report = await pico.rate_all([*ratings, Rating(job_id, "nobody", "ok")])
        nowhere = await pico.rate_all([Rating("nowhere", f"t{number}", "ok") for number in range(5)])
    assert (report.rated, report.refused) == (3, 2)
    refused = report.outcomes_by_status[OutcomeStatus.REFUSED]
    assert {outcome.message for outcome in refused} == {"Task cannot be rated.", "Task not found."}
    assert all(isinstance(outcome.error, RefusedError) for outcome in refused)
    assert nowhere.refused == 5


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_task_that_is_gone_and_not_listed_as_rated_is_unknown(connect) -> None:
    sandbox = seeded(10, faults=Faults(cut_before=1.0, only={"rate_multiple_tasks"}))
    ratings = ratings_of(sandbox)
    sandbox.withdraw(ratings[0].task_id)
    async with connect(sandbox) as pico, pico.rate(ratings[:1]) as outcomes:
        (outcome,) = [outcome async for outcome in outcomes]
    assert outcome.status is OutcomeStatus.UNKNOWN


def test_a_verdict_that_is_left_out_or_said_in_two_ways_is_not_said() -> None:
    items = [
        {"id": "a", "ok": 1, "message": "done"},
        {"id": "b", "ok": "0"},
        {"id": "c", "ok": True},
        {"id": "c", "ok": False},
        {"id": "d"},
        {"id": 5, "ok": "maybe"},
        {"ok": True},
        "nonsense",
    ]
    acks = read_rating_acks({"tasks": items})
    assert {name: ack.ok for name, ack in acks.items()} == {"a": True, "b": False, "c": None, "d": None, "5": None}
    for shape in ([], {"ok": True}, {"tasks": "none"}, 5):
        with pytest.raises(ShapeError):
            read_rating_acks(shape)


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_memory_holds_a_few_requests_however_many_ratings_come(connect) -> None:
    sandbox = seeded(20_000)
    read = taken = most = 0

    def stream():
        nonlocal read
        for rating in ratings_of(sandbox):
            read += 1
            yield rating

    async with connect(sandbox) as pico, pico.rate(stream()) as outcomes:
        async for _ in outcomes:
            taken += 1
            most = max(most, read - taken)
    assert taken == 20_000
    assert most <= (4 + 8) * 1000 + 100


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_tasks_may_be_given_to_a_review_in_place_of_the_listing(connect, edition) -> None:
    sandbox = Sandbox(edition=edition)
    ids = sandbox.add_tasks(sandbox.add_job(), 8)
    async with connect(sandbox) as pico:
        tasks = await pico.jobs.iter_unrated_tasks().collect()
        asked_before = len(sandbox.requests)

        async def some() -> AsyncIterator[Task]:
            for task in [*tasks[:5], *tasks[:2]]:
                yield task

        async with pico.review(Rating.ok, tasks=some()) as outcomes:
            assert len([outcome async for outcome in outcomes]) == 5
        assert set(sandbox.unrated()) == set(ids[5:])
        assert all(request.method == "POST" for request in sandbox.requests[asked_before:])
        with pytest.raises(InvalidRequestError, match="tasks=5: an iterable or async iterable of Task"):
            pico.review(Rating.ok, tasks=5)  # type: ignore[arg-type]
        with anyio.fail_after(5):
            async with pico.review(Rating.ok, tasks=tasks[:6], follow=0.01) as outcomes:
                done = 0
                async for outcome in outcomes:
                    done += outcome.status is OutcomeStatus.RATED
                    if done == 3:
                        break
    assert sandbox.unrated() == []
    assert math.isclose(sum(entry.amount for entry in sandbox.ledger), Decimal("0.80"))
