"""What `decide` raises, cancels or gives that cannot be used: its task fails alone, and is asked about again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import sniffio
import trio

from picoworkers_async import (
    BatchReport,
    Edition,
    InvalidRequestError,
    Journal,
    Later,
    Limits,
    OutcomeStatus,
    Rating,
    Task,
)
from picoworkers_async.events import Event, LookDone, OutcomeReached
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

DAY = 86_400.0


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


def result_of_a_cancelled_future(task: Task) -> Rating:
    future: asyncio.Future[Rating] = asyncio.new_event_loop().create_future()
    future.get_loop().close()
    future._state = "CANCELLED"
    return future.result()


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


@pytest.mark.parametrize("how", ["plain", "late", "threads"])
async def test_what_is_no_exception_ends_the_review_as_it_is_and_has_the_report(connect, edition, how) -> None:
    error = Own("not like this")
    with pytest.raises(Own) as raised:
        await with_one_bad(connect, how, raises(error), edition)
    assert raised.value is error
    assert isinstance(raised.value.report, BatchReport)  # type: ignore[attr-defined]


async def test_what_is_no_exception_comes_out_of_the_block_of_a_batch_as_it_is(connect) -> None:
    sandbox, _ = seeded(3)
    async with connect(sandbox) as pico:
        with pytest.raises(Own):
            async with pico.review(Rating.ok, follow=60.0):
                raise Own


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


@pytest.mark.parametrize("bonus", [-1, 500], ids=["a rule", "max_bonus"])
@pytest.mark.parametrize("journaled", [False, True])
@pytest.mark.parametrize("late", [False, True])
async def test_with_follow_a_rating_that_breaks_a_rule_or_a_limit_is_asked_about_again(
    connect, edition: Edition, tmp_path: Path, bonus: int, journaled: bool, late: bool
) -> None:
    sandbox, _ = seeded(3, edition=edition)
    name, began = sandbox.unrated()[1], anyio.current_time()
    asked: list[float] = []

    def decide(task: Task) -> Rating:
        if task.id == name:
            asked.append(anyio.current_time() - began)
        return Rating.ok(task, bonus=bonus if task.id == name and len(asked) <= 2 else 0)

    async def decide_late(task: Task) -> Rating:
        await anyio.sleep(0.01)
        return decide(task)

    chosen: Any = decide_late if late else decide
    journal = tmp_path / "ratings.db" if journaled else None
    async with (
        connect(sandbox) as pico,
        pico.review(chosen, follow=60.0, limits=Limits(max_bonus=1), journal=journal) as batch,
    ):
        with anyio.move_on_after(3600.0):
            await batch.report()
        progress = batch.progress()
        assert (progress.rated, progress.failed, progress.put_off, progress.decided) == (3, 2, 0, 3)
    assert 300 <= asked[1] - asked[0] <= 420
    assert 600 <= asked[2] - asked[1] <= 720
    assert len(asked) == 3


@pytest.mark.parametrize("fails", [False, True])
async def test_a_task_put_off_for_no_time_is_asked_about_once_in_each_look(connect, edition, fails: bool) -> None:
    sandbox, _ = seeded(1, edition=edition)
    looks = 0
    asked: Counter[int] = Counter()

    def count(event: object) -> None:
        nonlocal looks
        looks += isinstance(event, LookDone)

    def decide(task: Task) -> Later:
        asked[looks] += 1
        if fails:
            raise ValueError
        return Later(0)

    async with (
        connect(sandbox, on_event=count) as pico,
        pico.review(decide, follow=600.0, retry_failed=0.0) as batch,
    ):
        with anyio.move_on_after(1900.0):
            await batch.report()
    assert asked == dict.fromkeys(range(looks), 1)
    assert looks >= 4


@pytest.mark.parametrize("journaled", [False, True])
async def test_with_follow_what_was_left_over_the_limit_of_a_day_is_sent_on_the_next_and_asked_about_once(
    connect, edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journaled: bool
) -> None:
    on_trio = sniffio.current_async_library() == "trio"
    clock = trio.lowlevel.current_clock().current_time if on_trio else asyncio.get_running_loop().time
    one_o_clock = 1_700_006_400.0 + 3600.0 - clock()
    monkeypatch.setattr("time.time", lambda: one_o_clock + clock())
    sandbox, _ = seeded(30, edition=edition)
    asked: Counter[str] = Counter()

    def decide(task: Task) -> Rating:
        asked[task.id] += 1
        return Rating.ok(task)

    path = tmp_path / "ratings.db"
    options: dict[str, Any] = {"limits": Limits(tasks_per_day=10), "on_limit": "leave"}
    if journaled:
        options["journal"] = path
    rated, decided = [], 0
    async with connect(sandbox) as pico, pico.review(decide, follow=1800.0, **options) as batch:
        for day in range(4):
            with anyio.move_on_after((DAY - 7200.0) if day == 0 else DAY):
                await batch.report()
            progress = batch.progress()
            rated.append(progress.rated)
            assert progress.met == 30
            assert progress.decided >= decided
            decided = progress.decided
    assert rated == [10, 20, 30, 30]
    assert progress.failed == 20 + 10
    assert set(asked.values()) == {1}
    if journaled:
        assert Journal(path).counts() == {"rated": 30}


async def test_what_was_left_over_the_balance_is_tried_again_and_over_the_total_is_not(connect) -> None:
    for limits, least, most, paid in ((Limits(keep_balance=10_000_000), 6, 10, 0), (Limits(total="1.5"), 1, 1, 1)):
        sandbox, _ = seeded(2)
        told: list[Event] = []
        async with (
            connect(sandbox, on_event=told.append) as pico,
            pico.review(
                lambda task: Rating.ok(task, bonus=1), follow=600.0, limits=limits, on_limit="leave"
            ) as batch,
        ):
            with anyio.move_on_after(4 * 3600.0):
                await batch.report()
        failed = [event for event in told if isinstance(event, OutcomeReached) and event.status == "failed"]
        assert least <= len(failed) <= most
        assert len(sandbox.ledger) == paid


@pytest.mark.parametrize("how", ["plain", "late", "given"])
@pytest.mark.parametrize("journaled", [False, True])
async def test_the_counts_of_progress_add_up_at_every_moment_and_never_go_down(
    connect, edition: Edition, tmp_path: Path, how: str, journaled: bool
) -> None:
    sandbox, _ = seeded(40, edition=edition, latency=0.05)
    asked: Counter[str] = Counter()
    seen: list[tuple[int, int]] = []
    batch: Any = None

    def look() -> None:
        now = batch.progress()
        assert now.met == now.deciding + now.decided + now.put_off
        assert min(now.met, now.deciding, now.decided, now.put_off) >= 0
        assert not seen or (now.met >= seen[-1][0] and now.decided >= seen[-1][1]), (seen[-1], now)
        seen.append((now.met, now.decided))

    def decide(task: Task) -> Rating | Later | None:
        look()
        asked[task.id] += 1
        match int(task.id, 16) % 5, asked[task.id]:
            case 0, 1:
                raise ValueError
            case 1, 1 | 2:
                return Later(100.0)
            case 2, 1:
                return Rating.ok(task, bonus=-1)
            case 3, _:
                return None
        return Rating.ok(task)

    async def decide_late(task: Task) -> Rating | Later | None:
        await anyio.sleep(0.01)
        return decide(task)

    options: dict[str, Any] = {"journal": tmp_path / "ratings.db"} if journaled else {}
    chosen: Any = decide_late if how == "late" else decide
    async with connect(sandbox, on_event=lambda event: batch and look()) as pico:
        if how == "given":
            options["tasks"] = (await pico.jobs.get_unrated_tasks()).items
        batch = pico.review(chosen, follow=60.0, **options)
        async with batch:
            with anyio.move_on_after(1200.0):
                async for _ in batch:
                    look()
            progress = batch.progress()
            assert (progress.put_off, progress.deciding, progress.decided) == (0, 0, progress.met)
    assert len(seen) > 60
