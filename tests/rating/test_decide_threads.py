"""`decide` in worker threads: how many run at once, whatever becomes of them."""

from __future__ import annotations

import logging
import threading

import anyio
import pytest

from picoworkers_async import Job, OutcomeStatus, Rating, Task
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time(False)]


class Blocks:
    """A `decide` that blocks until it is released, or for so long; `most` is how many ran at once."""

    def __init__(self, seconds: float) -> None:
        self.released, self.three_run, self.seconds = threading.Event(), threading.Event(), seconds
        self.running = self.most = self.asked = 0
        self._lock = threading.Lock()

    def __call__(self, task: Task) -> Rating:
        with self._lock:
            self.asked += 1
            self.running += 1
            self.most = max(self.most, self.running)
            if self.running == 3:
                self.three_run.set()
        self.released.wait(self.seconds)
        with self._lock:
            self.running -= 1
        return Rating.ok(task)


async def test_a_decide_that_blocks_runs_in_threads(connect) -> None:
    names: set[str] = set()
    barrier = threading.Barrier(4)

    def decide(task: Task, job: Job) -> Rating:
        # Four that wait for each other end only if they run at once.
        barrier.wait(30.0)
        names.add(threading.current_thread().name)
        return Rating.ok(task)

    sandbox, _ = seeded(20)
    async with connect(sandbox) as pico:
        report = await pico.review_all(decide, threads=True, deciding=4)
    assert report.rated == 20
    assert threading.main_thread().name not in names


async def test_a_thread_that_takes_too_long_fails_its_task_alone(connect) -> None:
    sandbox, _ = seeded(2)
    stuck, release = sandbox.unrated()[0], threading.Event()

    def decide(task: Task) -> Rating:
        if task.id == stuck:
            release.wait(30.0)
        return Rating.ok(task)

    async with connect(sandbox) as pico:
        report = await pico.review_all(decide, threads=True, decide_timeout=1.5)
    release.set()
    assert (report.rated, report.failed) == (1, 1)
    (failed,) = report.outcomes_by_status[OutcomeStatus.FAILED]
    assert isinstance(failed.error, TimeoutError)


async def test_threads_that_take_too_long_keep_their_places_until_they_return(connect) -> None:
    sandbox, _ = seeded(8)
    decide = Blocks(0.1)
    async with connect(sandbox) as pico:
        report = await pico.review_all(decide, threads=True, deciding=2, decide_timeout=0.01)
    assert (report.failed, report.total) == (8, 8)
    assert (decide.most, decide.asked) == (2, 8)


async def test_a_task_that_waits_for_a_thread_is_not_timed_meanwhile(connect) -> None:
    sandbox, _ = seeded(6)
    decide = Blocks(0.15)
    async with connect(sandbox) as pico:
        with anyio.fail_after(30):
            report = await pico.review_all(decide, threads=True, deciding=1, decide_timeout=0.6)
    assert (report.rated, report.total) == (6, 6)


async def test_a_decide_that_hangs_in_all_threads_is_told_once_and_leaves_the_other_tasks_waiting(
    connect, caplog
) -> None:
    sandbox, _ = seeded(6)
    decide = Blocks(60.0)
    with caplog.at_level(logging.WARNING, "picoworkers_async"):
        async with connect(sandbox) as pico:
            options = {"threads": True, "deciding": 2, "decide_timeout": 0.01}
            async with pico.review(decide, follow=0.01, retry_failed=0.01, **options) as batch:
                with anyio.move_on_after(0.5):
                    async for _ in batch:
                        pass
                progress = batch.progress()
                assert (decide.asked, progress.failed, progress.deciding, progress.put_off) == (2, 2, 4, 2)
                decide.released.set()
                rated = 0
                with anyio.fail_after(30):
                    async for outcome in batch:
                        rated += outcome.status is OutcomeStatus.RATED
                        if rated == 6:
                            break
    told = [record for record in caplog.records if "any of its 2 threads" in record.getMessage()]
    assert len(told) == 1
    assert decide.most == 2


async def test_a_review_ends_at_once_though_a_thread_has_not_returned(connect) -> None:
    sandbox, _ = seeded(3)
    decide = Blocks(60.0)
    async with connect(sandbox) as pico, pico.review(decide, threads=True, follow=60, grace=1) as batch:
        assert await anyio.to_thread.run_sync(decide.three_run.wait, 30.0)
        batch.stop()
        with anyio.fail_after(30):
            await batch.report()
        progress = batch.progress()
        assert (progress.met, progress.deciding, progress.decided) == (0, 0, 0)
    assert decide.running == 3
    decide.released.set()
