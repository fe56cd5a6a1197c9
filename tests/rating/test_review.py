"""Reviews of a listing that moves while it is walked."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal

import anyio
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    Edition,
    InvalidRequestError,
    OutcomeStatus,
    Rating,
    Task,
    Throttle,
    Verdict,
)
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.judge import judge

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


class Judge:
    """Decides by the rule of `judge`, and counts how often it is asked."""

    def __init__(self, skip: float = 0.0) -> None:
        self.skip = skip
        self.asked: Counter[tuple[str, int]] = Counter()
        self.decided: dict[tuple[str, int], tuple[str, Decimal]] = {}

    def __call__(self, task: Task) -> Rating | None:
        self.asked[task.id, task.revision_number] += 1
        rating = judge(task, self.skip)
        if rating is not None:
            self.decided[task.id, task.revision_number] = (rating.verdict.value, rating.bonus)
        return rating


def seeded(tasks: int = 100, jobs: int = 2, **options) -> Sandbox:
    sandbox = Sandbox(balance=10**6, **options)
    for _ in range(jobs):
        sandbox.add_tasks(sandbox.add_job(num_tasks=10**6), tasks // jobs)
    return sandbox


@pytest.mark.parametrize(
    ("order", "page_size", "concurrency", "skip", "arrivals"),
    list(itertools.product(["oldest", "newest", "shuffled"], [1, 7, 50], [1, 8], [0.0, 0.3], [0, 12])),
)
async def test_each_task_is_decided_once_whatever_the_listing_does(
    connect, edition: Edition, order: str, page_size: int, concurrency: int, skip: float, arrivals: int
) -> None:
    sandbox = seeded(60, order=order, page_size=page_size, seed=page_size, edition=edition)
    job_id = next(iter(sandbox.store.jobs))
    left = iter(range(arrivals))
    sandbox.after_each_rating(lambda sandbox: [sandbox.add_tasks(job_id) for _ in itertools.islice(left, 1)])
    judge = Judge(skip)

    async with connect(sandbox, throttle=Throttle(concurrency)) as pico:
        report = await pico.review_all(judge)

    assert set(judge.asked.values()) == {1}
    assert len(judge.asked) == 60 + arrivals
    assert sandbox.decisions() == judge.decided
    assert report.rated == len(judge.decided)
    assert report.bonus == sandbox.bonus_paid
    assert sandbox.double_ratings == 0
    assert sandbox.complaints == []


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("page_size", [1, 20, 100])
@pytest.mark.parametrize("skip", [0.0, 0.3, 1.0])
async def test_looking_costs_few_requests(
    connect, edition: Edition, order: str, page_size: int, skip: float
) -> None:
    sandbox, judge = seeded(500, order=order, page_size=page_size, edition=edition), Judge(skip)
    async with connect(sandbox) as pico:
        await pico.review_all(judge)
    looks = sum(request.path.endswith("get-unrated-tasks.php") for request in sandbox.requests)
    assert looks <= 1.15 * (500 + len(sandbox.unrated())) / page_size + 5


async def test_a_task_sent_back_and_handed_in_again_is_reviewed_again(connect, edition: Edition) -> None:
    sandbox = seeded(3, jobs=1, edition=edition)
    first = sandbox.unrated()[0]
    asked: list[tuple[str, int]] = []

    def decide(task: Task) -> Rating:
        asked.append((task.id, task.revision_number))
        if task.id == first and task.revision_number < 2:
            return Rating.revise(task, "once more")
        return Rating.ok(task)

    def hand_in_again(sandbox: Sandbox) -> None:
        if sandbox.ledger[-1].verdict == "revise":
            sandbox.resubmit(first)

    sandbox.after_each_rating(hand_in_again)
    async with connect(sandbox) as pico:
        report = await pico.review_all(decide)
    assert [revision for name, revision in asked if name == first] == [0, 1, 2]
    assert report.rated == 5


async def test_only_the_job_asked_for_is_reviewed(connect, edition: Edition) -> None:
    sandbox = seeded(10, edition=edition)
    job_id = list(sandbox.store.jobs)[1]
    async with connect(sandbox) as pico:
        await pico.review_all(Rating.ok, job_id=job_id)
    assert {entry.job_id for entry in sandbox.ledger} == {job_id}
    assert len(sandbox.unrated()) == 5


async def test_decide_may_be_async_and_runs_several_at_once(connect) -> None:
    running = most = 0

    async def decide(task: Task) -> Rating:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.01)
        running -= 1
        return Rating.ok(task)

    sandbox = seeded(40)
    async with connect(sandbox) as pico:
        assert (await pico.review_all(decide)).rated == 40
    assert 1 < most <= 8


async def test_a_decide_that_fails_fails_that_task_alone(connect, edition: Edition) -> None:
    sandbox = seeded(6, jobs=1, edition=edition)
    bad = dict(zip(sandbox.unrated(), ["raise", "text", "other", "invalid"], strict=False))
    other = Task("elsewhere", next(iter(sandbox.store.jobs)))

    def decide(task: Task) -> Rating | None:
        match bad.get(task.id):
            case "raise":
                raise ZeroDivisionError("nothing to divide by")
            case "text":
                return "ok"  # type: ignore[return-value]
            case "other":
                return Rating.ok(other)
            case "invalid":
                return Rating.ok(task, bonus=-1)
        return Rating.ok(task)

    async with connect(sandbox) as pico:
        report = await pico.review_all(decide)
    assert (report.rated, report.failed) == (2, 4)
    failed = {o.task.id: o for o in report.outcomes_by_status[OutcomeStatus.FAILED] if o.task}
    errors = {bad[name]: type(outcome.error).__name__ for name, outcome in failed.items()}
    assert errors == {
        "raise": "ZeroDivisionError",
        "text": "TypeError",
        "other": "ValueError",
        "invalid": "InvalidRequestError",
    }
    assert len(sandbox.ledger) == 2


async def test_following_meets_what_arrives_later(connect, edition: Edition) -> None:
    sandbox = seeded(2, jobs=1, edition=edition)
    job_id = next(iter(sandbox.store.jobs))
    rated = 0
    async with connect(sandbox) as pico, pico.review(Rating.ok, follow=0.01) as outcomes:
        async for _ in outcomes:
            rated += 1
            if rated in (2, 3):
                sandbox.add_tasks(job_id)
            if rated == 4:
                break
    assert sandbox.unrated() == []


async def test_lost_credentials_stop_a_review() -> None:
    sandbox = seeded(50)
    async with AsyncPicoworkers("user_id", "wrong", transport=sandbox.transport()) as pico:
        with pytest.raises(AuthenticationError):
            await pico.review_all(Rating.ok)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"job_id": ""},
        {"follow": -1},
        {"grace": float("nan")},
        {"follow": "soon"},
        {"journal": ":memory:"},
        {"journal": ""},
        {"journal": 3},
    ],
)
async def test_arguments_that_cannot_be_used_are_refused_by_name(connect, options: dict) -> None:
    async with connect(Sandbox()) as pico:
        with pytest.raises(InvalidRequestError) as caught:
            pico.review(Rating.ok, **options)
    assert [problem.field for problem in caught.value.problems] == list(options)


async def test_a_review_that_runs_to_its_end_cannot_follow_for_ever_and_says_what_can(connect) -> None:
    async with connect(seeded(2)) as pico:
        with pytest.raises(InvalidRequestError, match=r"follow=3: .*review\(\)"):
            await pico.review_all(Rating.ok, follow=3)
        assert (await pico.review_all(Rating.ok, follow=None)).rated == 2


@pytest.mark.story
@pytest.mark.virtual_time(False)
async def test_a_whole_review_over_real_http_with_faults_of_every_kind_ends_with_the_ledger_as_decided() -> None:
    sandbox = seeded(150, faults=Faults.all(0.02, slow_seconds=0.8), page_size=20, seed=11)
    judge = Judge(0.1)
    async with (
        sandbox.serve() as url,
        AsyncPicoworkers(
            "user_id",
            "api_secret",
            base_url=url,
            timeout=0.4,
            settle_after=1.0,
            # With a pace of its own, since the 429s among the faults would have a lower and lower one learned.
            throttle=Throttle(requests_per_second=500.0, cooldown=0.01),
        ) as pico,
    ):
        report = await pico.review_all(judge)
    assert sandbox.decisions() == judge.decided
    # In real time a busy machine may be slower than the service is taken to be: unknown is an honest word then.
    assert (report.rated + report.unknown, report.failed, report.refused) == (len(judge.decided), 0, 0)
    assert report.unknown <= len(judge.decided) / 10
    assert report.bonus <= sandbox.bonus_paid
    assert len(sandbox.ledger) == len(judge.decided)
    assert Verdict.REVISE in {verdict for verdict, _ in judge.decided.values()}
