"""What a sandbox is seeded with, by whom, and what it refuses to be seeded with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    InvalidRequestError,
    JobStatus,
    OutcomeStatus,
    ProblemCode,
    Rating,
)
from picoworkers_async.sandbox import Sandbox, ScreenshotProof, TextProof
from picoworkers_async.sandbox.seeds import JobSeed, TaskSeed
from tests.support.examples_2024 import JOB_JSON_2024
from tests.support.raw_client import raw_client
from tests.support.vectors import TASK_JSON

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_tasks_come_from_ten_workers_in_turn_unless_one_is_named() -> None:
    sandbox, again = Sandbox(), Sandbox()
    for one in (sandbox, again):
        job_id = one.add_job()
        one.add_tasks(job_id, 7)
        one.add_tasks(job_id, 5)
        one.add_tasks(job_id, 2, worker_id="somebody")
    workers = [task.fields["worker_id"] for task in sandbox.store.tasks.values()]
    assert len(set(workers[:12])) == 10
    assert workers[10:] == [*workers[:2], "somebody", "somebody"]
    assert workers == [task.fields["worker_id"] for task in again.store.tasks.values()]


async def test_a_task_can_be_refused_that_stays_listed_and_be_taken_again(edition: Edition) -> None:
    sandbox = Sandbox(edition=edition)
    first, second = sandbox.add_tasks(sandbox.add_job(), 2)
    sandbox.refuse(first, "Not today.")
    async with AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=sandbox.transport()) as pico:
        report = await pico.review_all(Rating.ok)
        (refused,) = report.outcomes_by_status[OutcomeStatus.REFUSED]
        assert (report.rated, refused.rating.task_id, refused.message) == (1, first, "Not today.")
        assert sandbox.unrated() == [first]
        sandbox.refuse(first, None)
        assert (await pico.review_all(Rating.ok)).rated == 1
    assert {entry.task_id for entry in sandbox.ledger} == {first, second}


def codes(error: InvalidRequestError) -> dict[str, ProblemCode]:
    return {problem.field: problem.code for problem in error.problems}


@pytest.mark.parametrize(
    ("fields", "problem", "code"),
    [
        ({"nope": 1}, "nope=1: there is no such field of a job seed", ProblemCode.UNKNOWN),
        (
            {"num_tsks": 4},
            "num_tsks=4: there is no such field of a job seed; did you mean num_tasks?",
            ProblemCode.UNKNOWN,
        ),
        ({"ttr": "x"}, "ttr='x': a whole number", ProblemCode.TYPE),
        ({"ttr": None}, "ttr=None: a value", ProblemCode.REQUIRED),
        ({"num_tasks": -1}, "num_tasks=-1: a finite number, 0 or more", ProblemCode.RANGE),
        ({"task_value": "abc"}, "task_value='abc': an amount, as a number or its text", ProblemCode.FORMAT),
        ({"task_value": "nan"}, "task_value='nan': a finite number, 0 or more", ProblemCode.RANGE),
        ({"task_value": -0.1}, "task_value=-0.1: a finite number, 0 or more", ProblemCode.RANGE),
        ({"created_at": "today"}, "created_at='today': a time in ISO 8601, with its offset", ProblemCode.FORMAT),
        ({"status": "zzz"}, "status='zzz': one of running, finished, ", ProblemCode.CHOICE),
        ({"proofs": [{"description": "d"}]}, "proofs[0].type=None: required", ProblemCode.REQUIRED),
        ({"id": "known"}, "id='known': an id that no job has yet", ProblemCode.CONFLICT),
    ],
)
def test_a_job_of_unknown_fields_or_wrong_values_is_refused_by_name(fields, problem, code) -> None:
    sandbox = Sandbox()
    sandbox.add_job(id="known")
    with pytest.raises(InvalidRequestError) as caught:
        sandbox.add_job(**fields)
    assert str(caught.value).startswith(f"Sandbox.add_job: correct 1 problem:\n  - {problem}")
    assert list(codes(caught.value).values()) == [code]
    assert list(sandbox.store.jobs) == ["known"]


@pytest.mark.parametrize("value", ["0.25", 0.25, Decimal("0.25")])
def test_every_right_value_of_a_job_is_taken(value) -> None:
    sandbox = Sandbox()
    made = datetime(2024, 3, 1, tzinfo=UTC)
    job_id = sandbox.add_job(task_value=value, created_at=made, status=JobStatus.PAUSED, pause_after_approval=1)
    assert sandbox.store.jobs[job_id].task_value == Decimal("0.25")


def test_tasks_of_unknown_fields_or_wrong_values_are_refused_with_everything_that_is_wrong() -> None:
    sandbox = Sandbox()
    with pytest.raises(InvalidRequestError) as caught:
        sandbox.add_tasks("nobody", nope=1, finished_at="2024-03-01T08:00:00", proofs=[{"txt": "a"}, 5])
    assert codes(caught.value) == {
        "job_id": ProblemCode.CHOICE,
        "nope": ProblemCode.UNKNOWN,
        "finished_at": ProblemCode.FORMAT,
        "proofs[0].txt": ProblemCode.UNKNOWN,
        "proofs[0].text": ProblemCode.REQUIRED,
        "proofs[1]": ProblemCode.TYPE,
    }
    job_id = sandbox.add_job()
    with pytest.raises(InvalidRequestError, match="count=-1: a whole number, 0 or more"):
        sandbox.add_tasks(job_id, -1)
    with pytest.raises(InvalidRequestError, match=r"proofs=7: a list"):
        sandbox.add_tasks(job_id, 2, proofs=lambda number: [TextProof("a")] if number == 0 else 7)
    assert sandbox.unrated() == []


def test_unknown_jobs_tasks_and_statuses_are_refused_by_name() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    (task_id,) = sandbox.add_tasks(job_id)
    for refused, fields in (
        (lambda: sandbox.set_job_status(job_id, "zzz"), ["status"]),
        (lambda: sandbox.set_job_status("nobody", "zzz"), ["job_id", "status"]),
        (lambda: sandbox.withdraw("nobody"), ["task_id"]),
        (lambda: sandbox.refuse("nobody"), ["task_id"]),
        (lambda: sandbox.resubmit("nobody", mood="good"), ["task_id", "mood"]),
        (lambda: sandbox.resubmit(task_id, extra=["mood"]), ["task_id", "extra"]),
        (lambda: sandbox.add_job(extra=1), ["extra"]),
        (lambda: sandbox.add_tasks(job_id, extra="mood"), ["extra"]),
        (lambda: ScreenshotProof("screen.png"), ["url"]),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            refused()
        assert list(codes(caught.value)) == fields
        assert "nothing was sent" not in str(caught.value)


async def test_proofs_can_differ_between_tasks_and_be_texts_or_screenshots() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(proofs=[{"description": "The code.", "type": "text"}])
    sandbox.add_tasks(job_id, 2, proofs=lambda number: [TextProof(f"code {number}")])
    sandbox.add_tasks(job_id, proofs=[ScreenshotProof("https://img.example/1.png"), {"text": "done"}])
    async with AsyncPicoworkers("user_id", "api_secret", transport=sandbox.transport()) as pico:
        handed_in = [[proof.text for proof in task.proofs] async for task in pico.jobs.iter_unrated_tasks()]
    assert handed_in == [["code 0"], ["code 1"], ["https://img.example/1.png", "done"]]


async def test_extra_lists_what_no_document_has_beside_the_fields_or_in_place_of_them(edition: Edition) -> None:
    sandbox = Sandbox(edition=edition)
    job_id = sandbox.add_job(extra={"status": "NEW_STATUS", "ttr": None, "mood": "good"})
    (task_id,) = sandbox.add_tasks(job_id, extra={"country_code": [404], "mood": "bad"})
    async with AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=sandbox.transport()) as pico:
        job = await pico.jobs.get_job(job_id)
        (task,) = await pico.jobs.iter_unrated_tasks().collect()
        assert (job.status, job.ttr, job.extra["mood"]) == ("NEW_STATUS", None, "good")
        assert (task.country_code, task.extra) == (None, {"country_code": [404], "mood": "bad"})
        await pico.jobs.rate_single_task(Rating.revise(task, "Again, please."))
        sandbox.resubmit(task_id, proofs=[TextProof("again")], extra={"mood": "better"})
        (task,) = await pico.jobs.iter_unrated_tasks().collect()
    assert (task.proofs[0].text, task.extra) == ("again", {"country_code": [404], "mood": "better"})


async def test_every_field_that_is_listed_can_be_seeded_and_comes_back() -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    job, task = json.loads(JOB_JSON_2024), json.loads(TASK_JSON)
    for counted in ("unrated_tasks", "tasks_done"):
        del job[counted]
    for given_by_us in ("id", "job_id", "revision_number"):
        del task[given_by_us]
    job_id = sandbox.add_job(**{**job, "status": job["status"].lower()})
    sandbox.add_tasks(job_id, **task)
    async with raw_client(sandbox) as http:
        shown = (await http.get("jobs/get-job.php", params={"job_id": job_id})).json()
        (listed,) = (await http.get("jobs/get-unrated-tasks.php")).json()["tasks"]
    assert {name: shown[name] for name in job} == job
    assert set(shown) - set(job) == {"unrated_tasks", "tasks_done"}
    assert {name: listed[name] for name in task} == task
    assert set(listed) - set(task) == {"id", "job_id", "revision_number"}
    assert set(JobSeed.__annotations__) == set(job)
    assert set(TaskSeed.__annotations__) == set(task)
