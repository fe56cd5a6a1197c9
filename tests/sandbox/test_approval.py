"""Posted jobs that wait for the service's approval."""

from __future__ import annotations

import pytest

from picoworkers_async import Edition, InvalidRequestError, JobStatus
from picoworkers_async.sandbox import Sandbox
from tests.support.vectors import DRAFT

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", ["pending_review", "pending_approval"])
async def test_a_posted_job_waits_until_it_is_approved(edition: Edition, status) -> None:
    sandbox = Sandbox(edition=edition, posted_as=status)
    async with sandbox.client() as pico:
        job_id = (await pico.jobs.post_job(DRAFT)).job_id
        assert (await pico.jobs.get_job(job_id)).status == JobStatus(status)
        sandbox.approve(job_id)
        assert (await pico.jobs.get_job(job_id)).status is JobStatus.RUNNING
        with pytest.raises(InvalidRequestError, match=r"a job that is pending_review, .*; this one is running"):
            sandbox.approve(job_id)
        await pico.jobs.stop_job(job_id)
        await pico.jobs.restart_job(job_id)
        sandbox.approve(job_id)
        assert (await pico.jobs.get_job(job_id)).status is JobStatus.RUNNING


async def test_a_posted_job_may_run_at_once(edition: Edition) -> None:
    sandbox = Sandbox(edition=edition, posted_as="running")
    async with sandbox.client() as pico:
        job_id = (await pico.jobs.post_job(DRAFT)).job_id
        assert (await pico.jobs.get_job(job_id)).status is JobStatus.RUNNING


def test_a_job_that_there_is_not_cannot_be_approved() -> None:
    with pytest.raises(InvalidRequestError, match="job_id='nobody': the id of a job of this sandbox"):
        Sandbox().approve("nobody")


def test_a_posted_job_is_in_no_other_status_than_those_that_were_seen() -> None:
    with pytest.raises(ValueError, match="posted_as"):
        Sandbox(posted_as="zzz")  # type: ignore[arg-type]
