"""What the sandbox posts, in either shape and signed or not, and what the receiver makes of it over real HTTP."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from picoworkers_async import SPROUTGIGS, JobStatus, PicoworkersError
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.webhooks import Receiver
from picoworkers_async.webhooks import job_changes as job_changes_module
from tests.support.receiving import SECRET, SIGNING, durable_ids, served

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_changes_module, "_POLL", 0.005)


@pytest.mark.parametrize("shape", ["jobs", "envelope"])
@pytest.mark.parametrize("signing", [None, SIGNING])
async def test_tasks_and_changes_arrive_in_either_shape_signed_or_not(
    connect, tmp_path: Path, shape, signing: str | None
) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6)
    one, other = sandbox.add_job(), sandbox.add_job(status="pending_review")
    sandbox.add_tasks(one, 3)
    sandbox.add_tasks(other, 2)
    receiver = Receiver(tmp_path / "submitted.db", secret=SECRET, signing_secret=signing)
    with served(receiver) as url:
        posting = sandbox.post_back(
            f"{url}/{SECRET}", shape=shape, signing_secret=signing, job_changes=True, every=0.02
        )
        async with posting as postbacks, connect(sandbox) as pico, receiver.job_changes() as changes:
            await pico.jobs.pause_job(one)
            sandbox.set_job_status(other, "running")
            with anyio.fail_after(10):
                got = [await anext(changes) for _ in range(2)]
                while len(durable_ids(tmp_path / "submitted.db")) < 5:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
    assert [(change.job_id, change.status) for change in got] == [
        (one, JobStatus.PAUSED),
        (other, JobStatus.RUNNING),
    ]
    assert all(change.at is not None for change in got)
    assert {task_id for _, task_id in durable_ids(tmp_path / "submitted.db")} == set(sandbox.unrated())
    assert set(postbacks.statuses) == {200}


async def test_a_sandbox_that_signs_by_another_secret_is_not_believed(tmp_path: Path) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    sandbox.add_tasks(sandbox.add_job(), 1)
    with served(Receiver(tmp_path / "submitted.db", signing_secret=SIGNING)) as url:
        async with sandbox.post_back(f"{url}/", signing_secret="another secret", every=0.02) as postbacks:
            with anyio.fail_after(10):
                while not postbacks.statuses:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
    assert postbacks.statuses[0] == 401
    assert durable_ids(tmp_path / "submitted.db") == set()


async def test_every_way_that_a_job_changes_its_status_is_noted_to_be_posted(connect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=1000)
    async with connect(sandbox) as pico:
        job = sandbox.add_job()
        await pico.jobs.set_speed(job, 500)
        for call in (pico.jobs.pause_job, pico.jobs.resume_job, pico.jobs.stop_job, pico.jobs.restart_job):
            await call(job)
        with pytest.raises(PicoworkersError):
            await pico.jobs.pause_job(job)
    statuses = [(job_id, change["status"]) for job_id, change in sandbox._account.status_changes]
    assert statuses == [(job, status) for status in ("paused", "running", "finished", "pending_restart")]


def test_a_shape_that_nobody_posts_is_refused() -> None:
    with pytest.raises(ValueError, match="shape='xml': must be one of jobs, envelope"):
        Sandbox(edition=SPROUTGIGS).post_back("http://127.0.0.1:1/", shape="xml")  # type: ignore[arg-type]
