"""The public API as a type checker sees it: checked, never run."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import assert_type

from picoworkers_async import (
    SPROUTGIGS,
    Ack,
    AsyncPicoworkers,
    Balances,
    Batch,
    BatchReport,
    DraftCheck,
    DraftWarning,
    Edition,
    InvalidRequestError,
    Job,
    JobDraft,
    JobUpdate,
    Later,
    Outcome,
    OutcomeStatus,
    Page,
    Ping,
    PostedJob,
    Problem,
    ProblemCode,
    Rating,
    SharedTransport,
    Task,
    Throttle,
    Verdict,
    Zone,
    events,
    json_converter,
    sheets,
    to_jsonable,
)


async def every_group(pico: AsyncPicoworkers, draft: JobDraft, task: Task) -> None:
    assert_type(await pico.jobs.get_zones(), list[Zone])
    assert_type(await pico.jobs.get_jobs(status="running"), Page[Job])
    assert_type(await pico.jobs.post_job(draft, test=True), PostedJob)
    assert_type(await pico.jobs.check(draft, max_age=60), DraftCheck)
    assert_type((await pico.jobs.check(draft)).problems, tuple[Problem, ...])
    assert_type(draft.cost().estimate, Decimal | None)
    assert_type(draft.warnings(), tuple[DraftWarning, ...])
    assert_type(task.verdict, Verdict | None)
    assert_type(await pico.jobs.rate_single_task(Rating.ok(task, bonus="0.10")), Ack)
    assert_type(await pico.users.get_balances(), Balances)
    assert_type((await pico.users.get_balances()).spendable, Decimal)
    assert_type(await pico.wallet.deposit(1000), Ack)
    assert_type(await pico.lists.add_workers(1, ["a"]), Ack)


async def looks(pico: AsyncPicoworkers) -> None:
    assert_type(await pico.ping(), Ping)
    assert_type((await pico.ping()).edition, Edition | None)
    async for update in pico.jobs.watch("a", every=30):
        assert_type(update, JobUpdate)


async def listings(pico: AsyncPicoworkers) -> None:
    async for task in pico.jobs.iter_unrated_tasks(job_id="a"):
        assert_type(task, Task)
    async for page in pico.jobs.iter_jobs().pages():
        assert_type(page, Page[Job])
    assert_type(await pico.jobs.iter_jobs().collect(), list[Job])


async def batches(pico: AsyncPicoworkers, stream: AsyncIterator[Rating]) -> None:
    async with pico.rate(stream) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Outcome)
            assert_type(outcome.status, OutcomeStatus)
        assert_type(outcomes.progress().eta, float | None)
        outcomes.stop()
    assert_type(await pico.review_all(Rating.ok), BatchReport)


def as_plain_values(draft: JobDraft, error: InvalidRequestError) -> None:
    assert_type(JobDraft.from_dict(draft.to_dict()), JobDraft)
    assert_type(JobDraft.from_file("draft.toml"), JobDraft)
    assert_type(json_converter().structure({}, Page[Job]), Page[Job])
    for problem in error.problems:
        assert_type(problem.path, tuple[str | int, ...])
        assert_type(problem.code, ProblemCode)
    to_jsonable(error.problems)


def observe(event: events.Event) -> None:
    if isinstance(event, events.RequestDone):
        assert_type(event.seconds, float)


async def decide(task: Task) -> Rating | None:
    return Rating.ok(task) if task.proofs else None


async def decide_with_job(task: Task, job: Job) -> Rating | Later | None:
    return Rating.ok(task) if job.task_value else Later(60, "no value yet")


def of_nothing() -> None: ...


async def deciding(pico: AsyncPicoworkers) -> None:
    assert_type(await pico.review_all(decide_with_job, deciding=20), BatchReport)
    assert_type(pico.review(decide_with_job, follow=60, decide_timeout=5), Batch)
    pico.review(lambda task, job: Rating.ok(task, bonus=job.task_value), threads=True)
    pico.review(of_nothing)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    pico.review(decide, patience="long")  # type: ignore[call-overload]  # pyright: ignore


async def by_a_spreadsheet(pico: AsyncPicoworkers) -> None:
    assert_type(await sheets.export(pico, "sheet.csv", overwrite=True), sheets.ExportReport)
    ratings = sheets.read("sheet.csv", columns={"Task": "task_id", "Result": sheets.Field.VERDICT}, max_bonus=1)
    assert_type(ratings, sheets.SheetRatings)
    assert_type(ratings.summary, sheets.SheetSummary)
    assert_type(next(sheets.rows("sheet.csv")), sheets.SheetRow)
    assert_type(await pico.rate_all(ratings, journal="sheet.db"), BatchReport)
    sheets.check("sheet.csv", encoding=1252)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def main() -> None:
    throttle = Throttle(max_concurrency=4, requests_per_second=1)
    async with AsyncPicoworkers("a", "b", edition=SPROUTGIGS, throttle=throttle, on_event=observe) as pico:
        assert_type(pico, AsyncPicoworkers)
        await pico.review_all(decide)
        await pico.review_all(lambda task: None)


async def what_requests_go_over() -> None:
    async with SharedTransport("lanes") as shared, AsyncPicoworkers("a", "b", transport=shared) as pico:
        assert_type(shared, SharedTransport)
        assert_type(pico, AsyncPicoworkers)
    AsyncPicoworkers("a", "b", transport="fast", insecure_http_hosts={"sandbox"})
    AsyncPicoworkers("a", "b", transport="quick")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    SharedTransport("quick")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
