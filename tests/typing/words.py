"""Words, amounts and options as a type checker sees them: checked, never run. Each comment must be needed."""

from decimal import Decimal
from typing import Literal, assert_type

from picoworkers_async import (
    PICOWORKERS,
    AsyncPicoworkers,
    BatchReport,
    JobDraft,
    JobStatus,
    Journal,
    JournalRow,
    Pages,
    PicoworkersError,
    Problem,
    Proof,
    ProofType,
    Rating,
    RetryPolicy,
    Satisfaction,
    Task,
    Throttle,
    TransportName,
    Verdict,
    WorkersLevel,
)
from picoworkers_async.sandbox import Sandbox


def transports(name: TransportName) -> None:
    AsyncPicoworkers("a", "b", transport=name)
    assert_type(name, Literal["fast", "lanes", "client"])


def ratings(task: Task) -> None:
    assert_type(task.job_id, str)
    assert_type(Rating.ok(task, "excellent", bonus="0.10"), Rating)
    assert_type(Rating.ok(task, Satisfaction.GOOD, list_id=12870), Rating)
    assert_type(Rating.not_ok(task, "no code", "spam", block_worker=True), Rating)
    assert_type(Rating.revise(task, "the code is missing"), Rating)
    assert_type(Rating("job", "task", "not_ok", "dupe", comment="seen before").verdict, Verdict)
    assert_type(Rating("job", "task", Verdict.OK, bonus=1).problems(), tuple[Problem, ...])


def wrong_ratings(task: Task, word: str) -> None:
    Rating.ok(task, "spam")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Rating.ok(task, Satisfaction.SPAM)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Rating.ok(task, word)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Rating.not_ok(task)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Rating.not_ok(task, "no", "excellent")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Rating.revise(task, "no", satisfaction="ok")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Rating("job", "task", "fine")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Rating("job", "task", "ok", bonus=[1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def drafts() -> None:
    draft = JobDraft(
        category_id="0501",
        title="Sign up",
        task_value="0.10",
        workers_level="expert",
        autorate="V+R",
        challenge_action="rate_nok",
        premium_amount="5.00",
        proofs=[Proof("the code", "text"), Proof("what you see", ProofType.SCREENSHOT)],
    )
    assert_type(draft.task_value, Decimal)
    assert_type(draft.premium_amount, Decimal | None)
    assert_type(draft.workers_level, WorkersLevel | str | None)


def wrong_drafts() -> None:
    Proof("a film", "video")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    JobDraft(
        category_id="0501",
        title="Sign up",
        task_value="0.10",
        workers_level="best",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        autorate="VR",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    JobDraft(
        category_id="0501",
        title="Sign up",
        task_value="0.10",
        excluded_countries=[1],  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
        proofs=["a code"],  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    )
    JobDraft(category_id="0501", title="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def filters(pico: AsyncPicoworkers) -> None:
    await pico.jobs.get_jobs(status=JobStatus.PAUSED, order="desc")
    pico.jobs.iter_jobs(status="paused_system", order="asc")
    pico.jobs.iter_jobs(status="over")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pico.jobs.iter_jobs(order="up")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await pico.request("PUT", "jobs/x.php")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pico.rate([], on_limit="go on")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(pico.jobs.iter_unrated_tasks(), Pages[Task])
    forgotten = pico.jobs.get_job("a")
    print(forgotten.title)  # type: ignore[attr-defined]  # pyright: ignore


def options(sandbox: Sandbox, how: Literal["picoworkers", "sproutgigs"]) -> None:
    assert_type(AsyncPicoworkers.from_env(timeout=5, retry=RetryPolicy(attempts=2)), AsyncPicoworkers)
    AsyncPicoworkers.from_env(edition=how, throttle=Throttle(), max_wait=30, on_event=print)
    AsyncPicoworkers.from_env(tiemout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AsyncPicoworkers.from_env(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sandbox.client(edition=PICOWORKERS, settle_after=1)
    sandbox.client(settle_after="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sandbox.set_job_status("job", "over")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def journals(journal: Journal) -> None:
    assert_type(next(journal.rows(state="unknown")), JournalRow)
    assert_type(journal.reopen("failed"), int)
    journal.rows(state="lost")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    journal.reopen("unknown")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    journal.withdraw("sent")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def failure(error: PicoworkersError) -> None:
    assert_type(error.report, BatchReport | None)
