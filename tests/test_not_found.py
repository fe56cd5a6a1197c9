"""Which refusals say that a job or a task is not there."""

from __future__ import annotations

import httpx
import pytest

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    CallError,
    InvalidResponseError,
    NotFoundError,
    OutcomeStatus,
    Rating,
    RefusedError,
)
from picoworkers_async.sandbox import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]


@pytest.mark.parametrize("status", [200, 404])
async def test_jobs_and_tasks_that_are_not_there_have_an_error_of_their_own(connect, edition, status: int) -> None:
    sandbox = Sandbox(edition=edition, refusal_status=status)
    job_id = sandbox.add_job()
    async with connect(sandbox) as pico:
        for call in (
            lambda: pico.jobs.get_job("nowhere"),
            lambda: pico.jobs.pause_job("nowhere"),
            lambda: pico.jobs.add_positions("nowhere", 5),
            lambda: pico.jobs.get_unrated_tasks(job_id="nowhere"),
            lambda: pico.jobs.rate_single_task(Rating(job_id, "nobody", "ok")),
        ):
            with pytest.raises(NotFoundError, match="not found") as caught:
                await call()
            assert caught.value.status == status


async def test_a_batch_goes_on_past_tasks_that_are_not_there(connect, edition) -> None:
    sandbox = Sandbox(edition=edition)
    job_id = sandbox.add_job()
    (task_id,) = sandbox.add_tasks(job_id)
    async with connect(sandbox) as pico:
        report = await pico.rate_all([Rating(job_id, "nobody", "ok"), Rating(job_id, task_id, "ok")])
    assert (report.rated, report.refused) == (1, 1)
    (outcome,) = report.outcomes_by_status[OutcomeStatus.REFUSED]
    assert outcome.message == "Task not found."


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, {"json": {"ok": False, "message": "Job not found."}}, NotFoundError),
        (400, {"json": {"message": "No such JOB"}}, NotFoundError),
        (404, {"json": {"ok": False, "message": "nothing here"}}, NotFoundError),
        (404, {"json": {"message": "Job not found."}}, NotFoundError),
        (404, {"json": {"message": "no Route matched with those values"}}, RefusedError),
        (200, {"json": {"ok": False, "message": "List not found."}}, RefusedError),
        (200, {"json": {"ok": False, "message": "Task cannot be rated."}}, RefusedError),
        (404, {"text": "<html><body>404 Not Found</body></html>"}, InvalidResponseError),
        (404, {"text": ""}, InvalidResponseError),
    ],
)
async def test_an_answer_about_a_job_is_told_by_its_words_and_its_status(status, answer, kind) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, **answer))
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport) as pico:
        with pytest.raises(CallError) as caught:
            await pico.jobs.get_job("j")
        assert type(caught.value) is kind


async def test_a_call_that_names_no_job_is_only_refused() -> None:
    answer = httpx.MockTransport(lambda request: httpx.Response(404, json={"message": "Job not found."}))
    async with AsyncPicoworkers("user_id", "api_secret", transport=answer) as pico:
        with pytest.raises(RefusedError) as caught:
            await pico.users.get_balances()
        assert type(caught.value) is RefusedError


def test_the_words_are_those_of_the_edition() -> None:
    for edition in (PICOWORKERS, SPROUTGIGS):
        assert edition.lacks("The task does not exist.", 200)
        assert edition.lacks("whatever", 404)
        assert not edition.lacks("Task cannot be rated.", 200)
        assert not edition.lacks("The list was not found", None)
