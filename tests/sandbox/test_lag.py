"""Reads from a replica that lags."""

from __future__ import annotations

import anyio
import httpx
import pytest

from picoworkers_async import SPROUTGIGS
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.raw_client import listed, rate, rate_many, raw_client

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_a_listing_shows_the_tasks_as_they_were_so_many_seconds_ago() -> None:
    sandbox = Sandbox(read_lag=2.0)
    job_id = sandbox.add_job()
    ids = sandbox.add_tasks(job_id, 3)
    async with raw_client(sandbox) as http:
        assert await listed(http) == []
        await anyio.sleep(2.0)
        assert await listed(http) == ids
        assert (await rate(http, job_id, ids[0])).json()["ok"] is True
        assert await listed(http) == await listed(http, job_id=job_id) == ids
        await anyio.sleep(1.9)
        assert await listed(http) == ids
        await anyio.sleep(0.2)
        assert await listed(http) == await listed(http, job_id=job_id) == ids[1:]
    assert sandbox.unrated() == ids[1:]


async def test_every_read_lags_and_no_write_does() -> None:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=100)
    job_id = sandbox.add_job(num_tasks=10, task_value="0.50")
    (task_id,) = sandbox.add_tasks(job_id)
    sandbox.read_lag = 2.0

    async def look(http: httpx.AsyncClient) -> list[object]:
        job = (await http.get("jobs/get-job.php", params={"job_id": job_id})).json()
        jobs = (await http.get("jobs/get-jobs.php", params={"unrated_tasks": "1"})).json()["jobs"]
        rated = (await http.get("jobs/get-rated-tasks.php")).json()["tasks"]
        money = (await http.get("users/get-balances.php")).json()["spendable"]
        counts = [job[name] for name in ("status", "num_tasks", "speed", "unrated_tasks")]
        return [*counts, len(jobs), len(rated), money]

    before = ["RUNNING", 10, 1000, 1, 1, 0, "100.0000"]
    async with raw_client(sandbox) as http:
        assert await look(http) == before
        await rate_many(http, job_id, [task_id])
        await http.post("jobs/add-positions.php", json={"job_id": job_id, "positions": 2})
        await http.post("jobs/set-speed.php", json={"job_id": job_id, "speed": 7})
        await http.post("jobs/job-pause.php", json={"job_id": job_id})
        again = await rate_many(http, job_id, [task_id])
        assert again.json()["tasks"][0]["ok"] is False
        assert await look(http) == before
        await anyio.sleep(2.0)
        assert await look(http) == ["PAUSED", 12, 7, 0, 0, 1, "99.0000"]


async def test_a_job_just_posted_is_not_there_yet() -> None:
    sandbox = Sandbox(read_lag=1.0)
    draft = {"zone_id": "int", "category_id": "0501", "title": "t", "task_value": 0.3}
    async with raw_client(sandbox) as http:
        url = (await http.post("jobs/post-job.php", json=draft)).json()["url"]
        query = {"job_id": url.rsplit("/", 1)[1].rsplit("=", 1)[-1]}
        assert (await http.get("jobs/get-job.php", params=query)).json()["ok"] is False
        assert (await http.get("jobs/get-jobs.php")).json()["jobs"] == []
        await anyio.sleep(1.0)
        assert len((await http.get("jobs/get-jobs.php")).json()["jobs"]) == 1
    assert len(sandbox.store.jobs) == 1


async def test_a_revision_and_a_withdrawal_come_late_too() -> None:
    sandbox = Sandbox(read_lag=1.0)
    job_id = sandbox.add_job()
    first, second = sandbox.add_tasks(job_id, 2)
    async with raw_client(sandbox) as http:
        await rate(http, job_id, first, task_rating="revise", task_comment="which one?")
        await anyio.sleep(1.0)
        assert await listed(http) == [second]
        sandbox.resubmit(first)
        sandbox.withdraw(second)
        assert await listed(http) == [second]
        await anyio.sleep(1.0)
        (task,) = (await http.get("jobs/get-unrated-tasks.php")).json()["tasks"]
    assert (task["id"], task["revision_number"]) == (first, 1)


async def test_with_a_share_some_reads_are_fresh_and_some_lag() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    ids = sandbox.add_tasks(job_id, 2)
    sandbox.read_lag, sandbox.lag_share = 60.0, 0.5
    async with raw_client(sandbox) as http:
        await rate(http, job_id, ids[0])
        seen = {tuple(await listed(http)) for _ in range(40)}
    assert seen == {tuple(ids), (ids[1],)}


async def test_switched_off_the_lag_is_gone() -> None:
    sandbox = Sandbox(read_lag=60.0)
    job_id = sandbox.add_job()
    ids = sandbox.add_tasks(job_id, 2)
    sandbox.read_lag = 0.0
    async with raw_client(sandbox) as http:
        assert await listed(http) == ids


async def test_what_acts_late_is_seen_as_of_when_it_acted() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    (task_id,) = sandbox.add_tasks(job_id)
    sandbox.read_lag, sandbox.faults = 2.0, Faults(late=1.0, late_seconds=1.0, only={"rate_single_task"})
    async with raw_client(sandbox) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await rate(http, job_id, task_id)
        await anyio.sleep(2.9)
        assert await listed(http) == [task_id]
        await anyio.sleep(0.2)
        assert await listed(http) == []


async def test_a_negative_lag_is_refused() -> None:
    with pytest.raises(ValueError, match="read_lag"):
        Sandbox(read_lag=-1.0)
