"""The blocking client as a type checker sees it: checked by mypy and pyright, never run."""

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_type

from picoworkers_async import (
    Ack,
    Balances,
    BatchReport,
    Edition,
    Job,
    JobDraft,
    JobUpdate,
    Later,
    Outcome,
    OutcomeUnknownError,
    Page,
    Ping,
    PostedJob,
    Progress,
    Rating,
    Settlement,
    Spend,
    Task,
    Throttle,
)
from picoworkers_async.blocking import Batch, JobWatch, Pages, Picoworkers


def every_group(pico: Picoworkers, draft: JobDraft, task: Task) -> None:
    assert_type(pico.jobs.get_job("a"), Job)
    assert_type(pico.jobs.get_jobs(status="running"), Page[Job])
    assert_type(pico.jobs.post_job(draft, test=True), PostedJob)
    assert_type(pico.jobs.rate_single_task(Rating.ok(task, bonus="0.10")), Ack)
    assert_type(pico.users.get_balances(), Balances)
    assert_type(pico.users.get_balances().spendable, Decimal)
    assert_type(pico.wallet.deposit(1000), Ack)
    assert_type(pico.lists.add_workers(1, ["a"]), Ack)
    assert_type(pico.ping(), Ping)
    assert_type(pico.edition, Edition)
    assert_type(pico.throttle, Throttle)


def iterators(pico: Picoworkers) -> None:
    assert_type(pico.jobs.iter_unrated_tasks(job_id="a"), Pages[Task])
    for task in pico.jobs.iter_unrated_tasks(job_id="a"):
        assert_type(task, Task)
    for page in pico.jobs.iter_jobs().pages():
        assert_type(page, Page[Job])
    assert_type(pico.jobs.iter_jobs().collect(), list[Job])
    assert_type(pico.jobs.watch("a", every=30), JobWatch)
    for update in pico.jobs.watch("a", every=30):
        assert_type(update, JobUpdate)


def some(pico: Picoworkers) -> Iterator[Rating]:
    for task in pico.jobs.iter_unrated_tasks():
        yield Rating.ok(task)


def decide(task: Task) -> Rating | None:
    return Rating.ok(task) if task.proofs else None


async def decide_with_job(task: Task, job: Job) -> Rating | Later | None:
    return Rating.ok(task) if job.task_value else Later(60, "no value yet")


def batches(pico: Picoworkers) -> None:
    with pico.rate(some(pico), journal="ratings.db") as outcomes:
        assert_type(outcomes, Batch)
        for outcome in outcomes:
            assert_type(outcome, Outcome)
        assert_type(outcomes.progress(), Progress)
        assert_type(outcomes.spend(), Spend)
        assert_type(outcomes.report(), BatchReport)
        outcomes.stop()
    assert_type(pico.rate_all([]), BatchReport)
    assert_type(pico.review_all(decide), BatchReport)
    assert_type(pico.review(decide_with_job, follow=60), Batch)


def settle(pico: Picoworkers, error: OutcomeUnknownError) -> None:
    assert_type(pico.settle(error), Settlement)


def wrong(pico: Picoworkers) -> None:
    pico.jobs.get_job(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pico.review(decide, patience="long")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    pico.rate([], nope=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def main() -> None:
    with Picoworkers.from_env() as pico:
        assert_type(pico, Picoworkers)
    with Picoworkers("a", "b", edition="sproutgigs", timeout=3) as other:
        assert_type(other.with_options(max_wait=3), Picoworkers)
        other.close()
