"""What `decide` raises, cancels or gives that cannot be used: its task fails alone, and is asked about again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import sniffio

from picoworkers_async import (
    BatchReport,
    Edition,
    InvalidRequestError,
    OutcomeStatus,
    Rating,
    Task,
)
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


class Own(BaseException):
    """A user's own, such as a test framework's."""


class RaisesOnTouch:
    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise ZeroDivisionError


def raises(error: BaseException) -> Callable[[Task], Any]:
    def decide(task: Task) -> Any:
        raise error

    return decide


def rates_with(**fields: Any) -> Callable[[Task], Any]:
    return lambda task: Rating(**{"job_id": task.job_id, "task_id": task.id, "verdict": "ok", **fields})


def cancels_its_task(task: Task) -> Rating:
    current = asyncio.current_task()
    assert current is not None
    current.cancel()
    return Rating.ok(task)


async def with_one_bad(
    connect, how: str, bad: Callable[[Task], Any], edition: Edition, count: int = 20
) -> BatchReport:
    """A review whose `decide` does this for one task, plain, async or in threads, and rates the others."""
    sandbox, _ = seeded(count, edition=edition)
    name = sandbox.unrated()[count // 2]

    def decide(task: Task) -> Any:
        return bad(task) if task.id == name else Rating.ok(task)

    async def decide_async(task: Task) -> Any:
        return decide(task)

    async def decide_late(task: Task) -> Any:
        await anyio.sleep(0.01)
        return decide(task)

    chosen: Any = {"async": decide_async, "late": decide_late}.get(how, decide)
    async with connect(sandbox) as pico:
        with anyio.fail_after(1000.0):
            report: BatchReport = await pico.review_all(chosen, threads=how == "threads")
    assert len(sandbox.ledger) == report.rated
    return report


@pytest.mark.parametrize("how", ["plain", "async", "late", "threads"])
@pytest.mark.parametrize(
    "bad",
    [
        raises(asyncio.CancelledError()),
        raises(BaseExceptionGroup("both", [asyncio.CancelledError(), ValueError()])),
        rates_with(task_id=RaisesOnTouch()),
        rates_with(revision_number=RaisesOnTouch()),
        lambda task: RaisesOnTouch(),
    ],
    ids=["cancelled", "group", "task_id", "revision", "object"],
)
async def test_whatever_decide_raises_or_gives_fails_its_task_alone(connect, edition, how, bad) -> None:
    report = await with_one_bad(connect, how, bad, edition)
    assert (report.rated, report.failed, report.total) == (19, 1, 20)


@pytest.mark.parametrize("how", ["plain", "async", "late"])
async def test_a_decide_that_cancels_the_task_that_runs_it_fails_its_task_alone(connect, edition, how) -> None:
    if sniffio.current_async_library() == "trio":
        pytest.skip("a task of trio cannot be told to cancel")
    report = await with_one_bad(connect, how, cancels_its_task, edition)
    assert (report.rated, report.failed, report.total) == (19, 1, 20)


@pytest.mark.parametrize("how", ["plain", "async"])
async def test_a_review_that_is_cancelled_from_inside_its_decide_is_cancelled(connect, how) -> None:
    sandbox, _ = seeded(20)
    with anyio.CancelScope() as scope:

        def decide(task: Task) -> Rating:
            scope.cancel()
            return Rating.ok(task)

        async def decide_async(task: Task) -> Rating:
            await anyio.sleep(0.01)
            scope.cancel()
            await anyio.sleep(0.01)
            return Rating.ok(task)

        chosen: Any = decide if how == "plain" else decide_async
        async with connect(sandbox) as pico:
            await pico.review_all(chosen)
        raise AssertionError("unreachable: it is cancelled")
    assert scope.cancelled_caught
    # What was on the wire by then has its end.
    assert len(sandbox.ledger) <= 1


@pytest.mark.parametrize("native", [False, True])
async def test_a_review_that_is_cancelled_while_decide_waits_is_cancelled(connect, native: bool) -> None:
    if native and sniffio.current_async_library() == "trio":
        pytest.skip("a task of trio cannot be told to cancel")
    sandbox, _ = seeded(20)

    async def decide(task: Task) -> None:
        await anyio.sleep_forever()

    async def review() -> None:
        async with connect(sandbox) as pico:
            await pico.review_all(decide)

    if native:
        running = asyncio.create_task(review())
        await anyio.sleep(1.0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert running.cancelled()
    else:
        with anyio.move_on_after(1.0) as scope:
            await review()
        assert scope.cancelled_caught
    assert sandbox.ledger == []


@pytest.mark.parametrize("how", ["plain", "async", "late", "threads"])
@pytest.mark.parametrize("kind", [Own, GeneratorExit])
async def test_what_is_no_exception_ends_the_review_as_it_is_and_has_the_report(
    connect, edition, how, kind
) -> None:
    error = kind("not like this")
    with pytest.raises(kind) as raised:
        await with_one_bad(connect, how, raises(error), edition)
    assert raised.value is error
    assert isinstance(raised.value.report, BatchReport)  # type: ignore[attr-defined]


async def test_what_is_raised_in_the_block_of_a_batch_comes_out_as_it_is(connect) -> None:
    for error in (Own(), ExceptionGroup("mine", [ValueError()])):
        sandbox, _ = seeded(3)
        async with connect(sandbox) as pico:
            with pytest.raises(type(error)) as raised:
                async with pico.review(Rating.ok, follow=60.0):
                    raise error
        assert raised.value is error


async def test_a_decide_that_takes_too_long_is_not_said_to_have_raised(connect) -> None:
    sandbox, _ = seeded(1)

    async def decide(task: Task) -> None:
        await anyio.sleep(1.0)

    async with connect(sandbox) as pico:
        report = await pico.review_all(decide, decide_timeout=0.5)
    (outcome,) = report.outcomes_by_status[OutcomeStatus.FAILED]
    assert outcome.message == "decide took longer than decide_timeout, 0.5 s"
    assert isinstance(outcome.error, TimeoutError)


@pytest.mark.parametrize("option", ["decide_timeout", "follow"])
async def test_no_time_at_all_is_refused(connect, option: str) -> None:
    sandbox, _ = seeded(1)
    async with connect(sandbox) as pico:
        with pytest.raises(InvalidRequestError, match=option):
            pico.review(Rating.ok, **{option: 0})


@pytest.mark.parametrize("given", ["ratings", "tasks"])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), Own(), GeneratorExit()], ids=["cancelled", "own", "generator"]
)
async def test_an_input_that_raises_a_cancellation_or_no_exception_ends_the_batch_with_it_in_plain_sight(
    connect, edition: Edition, given: str, asynchronous: bool, error: BaseException
) -> None:
    sandbox, ratings = seeded(20, edition=edition)

    def some(items: list[Any]) -> Any:
        yield from items[:10]
        raise error

    async def some_later(items: list[Any]) -> Any:
        for item in some(items):
            yield item

    of = some_later if asynchronous else some
    async with connect(sandbox) as pico:
        tasks = (await pico.jobs.get_unrated_tasks()).items
        with pytest.raises((RuntimeError, Own, GeneratorExit)) as raised, anyio.fail_after(1000.0):
            await (
                pico.rate_all(of(ratings)) if given == "ratings" else pico.review_all(Rating.ok, tasks=of(tasks))
            )
    assert raised.value is error or str(raised.value) == f"{given} raised CancelledError"
    assert raised.value.report.rated == len(sandbox.ledger)  # type: ignore[union-attr]
