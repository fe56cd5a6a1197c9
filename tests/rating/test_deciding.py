"""How `decide` is asked: of what, how many at a time, again, and in threads."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict

import anyio
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    Edition,
    InvalidRequestError,
    Job,
    Later,
    OutcomeStatus,
    Rating,
    Task,
    Throttle,
)
from picoworkers_async.events import Event, OutageBegan
from picoworkers_async.rating.asking import takes_job
from picoworkers_async.rating.put_off import PutOffTasks
from picoworkers_async.sandbox import Sandbox
from tests.support.away import AwayTransport
from tests.support.seeding import seeded


def task_of(number: int, revision: int = 0) -> Task:
    return Task(f"task{number}", "job", revision_number=revision)


def test_a_failed_task_is_asked_about_again_later_each_time_up_to_an_hour() -> None:
    tasks, task, now = PutOffTasks(300.0), task_of(1), 0.0
    pauses = []
    for _ in range(8):
        tasks.failed(task, now)
        began = now
        tasks.begin_look()
        while not tasks.take(task, now):
            now += 100.0
        pauses.append(now - began)
    assert pauses == [300, 600, 1200, 2400, 3600, 3600, 3600, 3600]


def test_a_task_is_asked_about_again_once_when_it_is_time() -> None:
    tasks = PutOffTasks(300.0)
    tasks.later(task_of(1), 0.0, 60.0)
    assert not tasks.take(task_of(1), 61.0)  # in the look in which it was put off
    tasks.begin_look()
    assert not tasks.take(task_of(1), 59.0)
    assert not tasks.take(task_of(1, revision=1), 61.0)
    assert tasks.take(task_of(1), 61.0)
    assert not tasks.take(task_of(1), 1e9)


def test_put_off_tasks_that_are_listed_no_more_are_forgotten() -> None:
    tasks = PutOffTasks(300.0)
    for number in range(10):
        tasks.later(task_of(number), 0.0, 60.0)
    tasks.forget(lambda task_id: task_id == "task3")
    assert len(tasks) == 1
    tasks.decided(task_of(3))
    assert len(tasks) == 0


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "soon", True])
def test_later_refuses_what_is_no_time(seconds: object) -> None:
    with pytest.raises(InvalidRequestError, match="seconds"):
        Later(seconds)  # type: ignore[arg-type]


def test_what_decide_takes_is_told_by_what_it_requires() -> None:
    class Called:
        def __call__(self, task: Task, job: Job) -> None: ...

    assert not takes_job(Rating.ok)
    assert not takes_job(lambda task: None)
    assert not takes_job(lambda task, job=None: None)
    assert not takes_job(lambda *both: None)
    assert takes_job(lambda task, job: None)
    assert takes_job(Called())
    assert not takes_job(print)


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("decide", [lambda a, b, c: None, lambda: None, "rate it", None])
async def test_a_decide_that_cannot_be_asked_is_refused_before_anything_is_sent(connect, decide) -> None:
    sandbox, _ = seeded(1)
    async with connect(sandbox) as pico:
        with pytest.raises(InvalidRequestError, match="decide"):
            pico.review(decide)
    assert sandbox.requests == []


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_an_async_decide_in_threads_is_refused(connect) -> None:
    async def decide(task: Task) -> None: ...

    async with connect(Sandbox()) as pico:
        with pytest.raises(InvalidRequestError, match="threads"):
            pico.review(decide, threads=True)


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("deciding", [1, 3, 20])
async def test_deciding_has_its_own_concurrency(connect, concurrency: int, deciding: int) -> None:
    running = most = 0

    async def decide(task: Task) -> Rating:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(1.0)
        running -= 1
        return Rating.ok(task)

    sandbox, _ = seeded(60)
    async with connect(sandbox, throttle=Throttle(concurrency)) as pico:
        assert (await pico.review_all(decide, deciding=deciding)).rated == 60
    assert most == deciding


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_decide_is_given_the_job_and_each_job_is_read_once(connect, edition: Edition, kind: str) -> None:
    sandbox, _ = seeded(60, jobs=3, edition=edition, latency=0.1)
    jobs: dict[str | None, set[int]] = defaultdict(set)

    def plain(task: Task, job: Job) -> Rating:
        assert job.id == task.job_id
        jobs[job.id].add(id(job))
        return Rating.ok(task)

    async def waits(task: Task, job: Job) -> Rating:
        await anyio.sleep(0.01)
        return plain(task, job)

    async with connect(sandbox) as pico:
        report = await (pico.review_all(plain) if kind == "plain" else pico.review_all(waits))
    assert report.rated == 60
    assert [len(objects) for objects in jobs.values()] == [1, 1, 1]
    assert sum(request.path.endswith("get-job.php") for request in sandbox.requests) == 3


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_service_that_is_away_when_jobs_are_read_is_waited_for_and_fails_no_task(edition: Edition) -> None:
    class NoJobs(AwayTransport):
        async def handle_async_request(self, request):
            if request.url.path.endswith(("get-job.php", "get-balances.php")):
                return await super().handle_async_request(request)
            return await self.inner.handle_async_request(request)

    sandbox, _ = seeded(20, edition=edition)
    transport = NoJobs(sandbox.transport(), "503", anyio.current_time(), 240.0)
    async with AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=transport) as pico:
        report = await pico.review_all(lambda task, job: Rating.ok(task))
    assert (report.rated, report.total) == (20, 20)


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("follow", [None, 60])
async def test_one_job_that_cannot_be_read_fails_its_tasks_alone_and_is_no_outage(
    edition: Edition, follow: float | None
) -> None:
    sandbox, ratings = seeded(20, jobs=2, edition=edition)
    bad = ratings[0].job_id

    class OneJob(AwayTransport):
        async def handle_async_request(self, request):
            if request.url.params.get("job_id") == bad and request.url.path.endswith("get-job.php"):
                return await super().handle_async_request(request)
            return await self.inner.handle_async_request(request)

    transport = OneJob(sandbox.transport(), "503", anyio.current_time(), 1e9)
    told: list[Event] = []
    async with (
        AsyncPicoworkers(
            "user_id", "api_secret", edition=edition, transport=transport, on_event=told.append
        ) as pico,
        pico.review(lambda task, job: Rating.ok(task), follow=follow) as batch,
    ):
        with anyio.move_on_after(2 * 3600):
            await batch.report()
        progress = batch.progress()
    assert (progress.rated, progress.failed % 10) == (10, 0)
    assert progress.failed == 10 if follow is None else progress.failed > 10
    assert not [event for event in told if isinstance(event, OutageBegan)]
    assert {entry.job_id for entry in sandbox.ledger} == {ratings[-1].job_id}


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_put_off_and_failed_tasks_are_met_again(connect, edition: Edition) -> None:
    sandbox, _ = seeded(4, edition=edition)
    later, fails, slow, alone = sandbox.unrated()
    asked: dict[str, list[float]] = defaultdict(list)

    async def decide(task: Task) -> Rating | Later | None:
        asked[task.id].append(anyio.current_time())
        if task.id == alone:
            return None
        if len(asked[task.id]) == 3:
            return Rating.ok(task)
        if task.id == later:
            return Later(600.0, "its photos are not there yet")
        if task.id == slow:
            await anyio.sleep(1000.0)
        raise ValueError("not now")

    outcomes: Counter[OutcomeStatus] = Counter()
    async with connect(sandbox) as pico, pico.review(decide, follow=60.0, decide_timeout=20.0) as batch:
        async for outcome in batch:
            outcomes[outcome.status] += 1
            if outcomes[OutcomeStatus.RATED] == 3:
                break
    assert outcomes == {OutcomeStatus.RATED: 3, OutcomeStatus.FAILED: 4}
    pauses = {name: [b - a for a, b in itertools.pairwise(times)] for name, times in asked.items()}
    assert [600 <= pause <= 720 for pause in pauses[later]] == [True, True]
    for name in (fails, slow):
        assert 300 <= pauses[name][0] <= 420
        assert 600 <= pauses[name][1] <= 720
    assert len(asked[alone]) == 1


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_task_put_off_for_no_time_does_not_make_the_looks_more_frequent(connect, edition: Edition) -> None:
    sandbox, _ = seeded(5, edition=edition)
    asked = 0

    def decide(task: Task) -> Later:
        nonlocal asked
        asked += 1
        return Later(0)

    async with connect(sandbox) as pico:
        with anyio.move_on_after(599.0):
            async with pico.review(decide, follow=60.0) as batch:
                await batch.report()
    assert 40 <= asked <= 60
    assert len(sandbox.requests) <= 25


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_without_follow_a_review_ends_with_tasks_put_off(connect, edition: Edition) -> None:
    sandbox, _ = seeded(5, edition=edition)
    async with connect(sandbox) as pico:
        report = await pico.review_all(lambda task: Later(60))
    assert report.total == 0
    assert len(sandbox.unrated()) == 5
