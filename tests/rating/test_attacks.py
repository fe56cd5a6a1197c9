"""What a hostile reviewer found: hangs, false words and lost errors, each as it was shown."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anyio
import attrs
import pytest

from picoworkers_async import Batch, Edition, Journal, JournalError, OutcomeStatus, Rating, Task, Throttle
from picoworkers_async.listings.lookup import look_up
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.judge import judge
from tests.support.seeding import RATING_CALLS, seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_decisions_of_one_job_that_come_at_once_are_all_sent(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, _ = seeded(20, edition=edition)

    async def decide(task: Task) -> Rating | None:
        await anyio.sleep(0.1)
        return Rating.ok(task) if int(task.id, 16) % 2 else None

    async with connect(sandbox) as pico:
        with anyio.fail_after(3600):
            report = await pico.review_all(decide, journal=tmp_path / "ratings.db")
    assert report.total == report.rated == len(sandbox.ledger) > 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_decision_that_is_cancelled_by_somebody_else_fails_that_task_alone(connect) -> None:
    sandbox, _ = seeded(4)
    shared = asyncio.get_running_loop().create_future()
    shared.cancel()

    async def decide(task: Task) -> Rating:
        if task.id == sandbox.unrated()[0]:
            await shared
        return Rating.ok(task)

    first = sandbox.unrated()[0]
    async with connect(sandbox) as pico:
        with anyio.fail_after(3600):
            report = await pico.review_all(decide)
    assert (report.rated, report.failed) == (3, 1)
    assert sandbox.unrated() == [first]


class Wordless(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError


class Shapeless:
    def __repr__(self) -> str:
        raise ZeroDivisionError


async def test_what_cannot_be_put_in_words_fails_alone_too(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(3, edition=edition)

    def decide(task: Task) -> Rating:
        if task.id == ratings[0].task_id:
            raise Wordless
        return Rating.ok(task)

    async with connect(sandbox) as pico:
        assert (await pico.rate_all([Shapeless(), Shapeless()])).failed == 2
        report = await pico.review_all(decide)
    assert (report.rated, report.failed) == (2, 1)


async def everything(batch: Batch) -> None:
    async with batch as outcomes:
        async for _ in outcomes:
            pass


async def test_a_review_raises_its_error_itself_and_not_a_group_of_it(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, _ = seeded(40, edition=edition, latency=0.01)
    path = tmp_path / "ratings.db"

    async def decide(task: Task) -> Rating:
        if path.exists():
            path.unlink()
        await anyio.sleep(0.05)
        return Rating.ok(task)

    def broken() -> Iterator[Task]:
        raise OSError("no such input")
        yield

    async with connect(sandbox) as pico:
        with pytest.raises(JournalError, match="removed") as caught:
            await pico.review_all(decide, journal=path)
        assert caught.value.report is not None
        with pytest.raises(OSError, match="no such input"):
            await everything(pico.review(decide, tasks=broken()))


async def test_a_revision_that_no_database_holds_fails_that_task_alone(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, _ = seeded(3, edition=edition)
    sandbox.store.tasks[sandbox.unrated()[0]].revision = 2**63
    async with connect(sandbox) as pico:
        report = await pico.review_all(Rating.ok, journal=tmp_path / "ratings.db")
    assert (report.rated, report.failed) == (2, 1)


async def test_tasks_that_are_left_alone_do_not_keep_everybody_else_from_running(connect) -> None:
    sandbox, _ = seeded(1)
    tasks = (Task(f"t{number}", "j") for number in itertools.count())
    async with connect(sandbox) as pico:
        with anyio.move_on_after(0) as scope:
            await everything(pico.review(lambda _: None, tasks=tasks))
    assert scope.cancelled_caught


async def test_the_same_task_with_and_without_its_revision_is_sent_once(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, ratings = seeded(5, edition=edition, pays_repeats=True, latency=0.1)
    without = [attrs.evolve(rating, revision_number=None) for rating in ratings]
    async with connect(sandbox, throttle=Throttle(1)) as pico:
        await pico.rate_all([*ratings, *without], journal=tmp_path / "a.db")
        await pico.rate_all(without, journal=tmp_path / "a.db")
        await pico.rate_all(ratings, journal=tmp_path / "a.db")
    assert set(Counter(entry.task_id for entry in sandbox.ledger).values()) == {1}
    assert len(sandbox.ledger) == 5


async def test_an_outage_of_a_night_costs_a_night_and_leaves_nothing_unknown(connect, edition: Edition) -> None:
    sandbox, ratings = seeded(20, edition=edition, faults=Faults(cut_after=1.0, only=RATING_CALLS))
    async with connect(sandbox) as pico, pico.rate(ratings, patience=86400.0) as outcomes:
        await anyio.sleep(1.0)
        sandbox.faults = Faults(cut_before=1.0)
        await anyio.sleep(8 * 3600)
        sandbox.faults = Faults()
        statuses = [outcome.status async for outcome in outcomes]
    assert statuses == [OutcomeStatus.RATED] * 20
    assert len(sandbox.ledger) == 20


async def test_a_listing_that_shows_a_task_rated_a_moment_ago_proves_nothing(connect) -> None:
    sandbox, ratings = seeded(5)
    names = [rating.task_id for rating in ratings]
    async with connect(sandbox) as pico:
        fresh = await look_up(pico._session, ratings[0].job_id, ["elsewhere"])
        stale = await look_up(pico._session, ratings[0].job_id, ["elsewhere"], ended=names[:1])
    assert fresh.seen["elsewhere"].complete
    assert not stale.seen["elsewhere"].complete


@pytest.mark.parametrize("seed", range(12))
async def test_looks_that_shrink_do_not_make_up_for_a_task_that_was_never_met(seed: int, connect) -> None:
    faults = Faults(late=0.5, late_seconds=8.0, only=RATING_CALLS)
    sandbox = Sandbox(balance=10**6, page_size=2, order="shuffled", seed=seed, faults=faults)
    sandbox.add_tasks(sandbox.add_job(num_tasks=100), 12)
    met: set[str] = set()

    async def decide(task: Task) -> Rating | None:
        await anyio.sleep(0.01)
        met.add(task.id)
        return judge(task)

    names = set(sandbox.unrated())
    async with connect(sandbox) as pico:
        await pico.review_all(decide)
    assert met == names


async def test_a_path_that_cannot_be_one_is_a_journal_error() -> None:
    with pytest.raises(JournalError):
        Journal("ratings\0.db").counts()
