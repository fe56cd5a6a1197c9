"""Requests that act when their connection is long gone."""

from __future__ import annotations

import anyio
import anyio.to_thread
import httpx
import pytest

from picoworkers_async import SPROUTGIGS
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.raw_client import HEADERS, listed, rate, rate_many, raw_client

pytestmark = pytest.mark.anyio


def seeded(count: int = 1, **options) -> tuple[Sandbox, str, list[str]]:
    sandbox = Sandbox(balance=1000, **options)
    job_id = sandbox.add_job(task_value="0.25")
    return sandbox, job_id, sandbox.add_tasks(job_id, count)


@pytest.mark.virtual_time
async def test_a_late_request_is_cut_at_once_and_takes_effect_when_its_time_has_come() -> None:
    sandbox, job_id, (task_id,) = seeded(faults=Faults(late=1.0, late_seconds=1.5))
    began = anyio.current_time()
    async with raw_client(sandbox) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await rate(http, job_id, task_id)
    assert anyio.current_time() == began
    await anyio.sleep(1.4)
    assert (sandbox.ledger, sandbox.unrated(), str(sandbox.paid)) == ([], [task_id], "0")
    await anyio.sleep(0.2)
    assert [entry.task_id for entry in sandbox.ledger] == [task_id]
    assert (sandbox.unrated(), str(sandbox.paid), sandbox.store.tasks[task_id].verdict) == ([], "0.25", "ok")


@pytest.mark.virtual_time
async def test_however_long_the_way_it_acts_only_after_the_connection_is_gone() -> None:
    faults = Faults(late=1.0, late_seconds=0.5, only={"rate_single_task"})
    sandbox, job_id, (task_id,) = seeded(faults=faults, latency=4.0)
    async with raw_client(sandbox) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await rate(http, job_id, task_id)
    assert sandbox.ledger == []
    await anyio.sleep(0.6)
    assert len(sandbox.ledger) == 1


@pytest.mark.virtual_time
async def test_behind_a_gateways_504_the_request_still_acts() -> None:
    sandbox, job_id, (task_id,) = seeded(faults=Faults(answer_late_504=1.0, late_seconds=2.0))
    async with raw_client(sandbox) as http:
        response = await rate(http, job_id, task_id)
    assert (response.status_code, response.json()) == (504, {"ok": False, "message": "Gateway timeout"})
    assert sandbox.ledger == []
    await anyio.sleep(2.1)
    assert len(sandbox.ledger) == 1


@pytest.mark.virtual_time
async def test_a_listing_after_its_time_shows_what_a_late_request_did() -> None:
    faults = Faults(late=1.0, late_seconds=1.0, only={"rate_single_task"})
    sandbox, job_id, ids = seeded(2, faults=faults)
    async with raw_client(sandbox) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await rate(http, job_id, ids[0])
        assert await listed(http) == ids
        await anyio.sleep(1.0)
        assert await listed(http) == ids[1:]


@pytest.mark.virtual_time
async def test_late_requests_act_in_the_order_in_which_they_are_due() -> None:
    sandbox, job_id, ids = seeded(2)
    async with raw_client(sandbox) as http:
        for task_id, seconds in zip(ids, (3.0, 1.0), strict=True):
            sandbox.faults = Faults(late=1.0, late_seconds=seconds)
            with pytest.raises(httpx.RemoteProtocolError):
                await rate(http, job_id, task_id)
    await anyio.sleep(2.0)
    assert [entry.task_id for entry in sandbox.ledger] == ids[1:]
    await anyio.sleep(2.0)
    assert [entry.task_id for entry in sandbox.ledger] == ids[::-1]


@pytest.mark.virtual_time
async def test_a_late_rating_of_a_task_that_was_rated_meanwhile_is_refused_and_counted() -> None:
    sandbox, job_id, (task_id,) = seeded(faults=Faults(late=1.0, late_seconds=1.0))
    async with raw_client(sandbox) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await rate(http, job_id, task_id)
        sandbox.faults = Faults()
        assert (await rate(http, job_id, task_id)).json()["ok"] is True
    await anyio.sleep(1.1)
    assert (len(sandbox.ledger), sandbox.double_ratings) == (1, 1)


@pytest.mark.virtual_time
async def test_a_callback_of_a_late_rating_may_look_at_the_sandbox() -> None:
    sandbox, job_id, ids = seeded(2, faults=Faults(late=1.0, late_seconds=1.0))
    seen: list[int] = []
    sandbox.after_each_rating(lambda found: seen.append(len(found.ledger)))
    sandbox.after_each_rating(lambda found: found.add_tasks(job_id))
    async with raw_client(sandbox) as http:
        for task_id in ids:
            with pytest.raises(httpx.RemoteProtocolError):
                await rate(http, job_id, task_id)
    await anyio.sleep(5.0)
    assert len(sandbox.unrated()) == 2
    assert seen == [1, 2]


async def test_over_http_the_connection_is_cut_and_catching_up_has_it_act() -> None:
    sandbox, job_id, (task_id,) = seeded(faults=Faults(late=1.0, late_seconds=3600.0))
    async with sandbox.serve() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await rate(http, job_id, task_id)
        truth = url.replace("/api/", "/_sandbox/ledger")
        before = (await http.get(truth)).json()
        assert (before["ratings"], before["pending"], sandbox.ledger) == (0, 1, [])
        sandbox.catch_up()
        after = (await http.get(truth)).json()
    assert (after["ratings"], after["pending"], len(sandbox.ledger)) == (1, 0, 1)


async def test_over_http_it_acts_by_itself_as_time_goes_by() -> None:
    sandbox, job_id, (task_id,) = seeded(faults=Faults(late=1.0, late_seconds=0.05), edition=SPROUTGIGS)
    async with sandbox.serve() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await http.post(
                "jobs/rate-multiple-tasks.php",
                json={"job_id": job_id, "tasks": [{"id": task_id, "rating": "ok"}]},
            )
        with anyio.fail_after(30):
            while (await http.get(url.replace("/api/", "/_sandbox/ledger"))).json()["pending"]:
                pass
    assert len(sandbox.ledger) == 1


async def test_catching_up_also_works_when_no_loop_runs_any_more() -> None:
    def story() -> Sandbox:
        sandbox, job_id, (task_id,) = seeded(faults=Faults(late=1.0, late_seconds=3600.0))

        async def lose() -> None:
            async with raw_client(sandbox) as http:
                with pytest.raises(httpx.RemoteProtocolError):
                    await rate(http, job_id, task_id)

        anyio.run(lose)
        assert sandbox.ledger == []
        sandbox.catch_up()
        return sandbox

    sandbox = await anyio.to_thread.run_sync(story)
    assert len(sandbox.ledger) == 1


@pytest.mark.virtual_time
@pytest.mark.parametrize("gives_up", ["timeout", "cancelled"])
async def test_a_client_that_gives_up_does_not_call_its_request_back(gives_up: str) -> None:
    sandbox, job_id, (task_id,) = seeded(latency=4.0)
    async with raw_client(sandbox) as http:
        if gives_up == "timeout":
            http.timeout = httpx.Timeout(1.0)
            with pytest.raises(httpx.ReadTimeout):
                await rate(http, job_id, task_id)
        else:
            with anyio.move_on_after(1.0) as scope:
                await rate(http, job_id, task_id)
            assert scope.cancelled_caught
    assert (sandbox.ledger, sandbox.requests) == ([], [])
    await anyio.sleep(1.1)
    assert [entry.task_id for entry in sandbox.ledger] == [task_id]
    assert [request.status for request in sandbox.requests] == [200]


@pytest.mark.virtual_time
@pytest.mark.parametrize(("fault", "acts"), [("cut_before", 0), ("cut_after", 1), ("late", 1), ("cut_midway", 2)])
async def test_a_request_given_up_meets_its_fault_all_the_same(fault: str, acts: int) -> None:
    sandbox, job_id, ids = seeded(
        4, edition=SPROUTGIGS, latency=4.0, faults=Faults(**{fault: 1.0}, late_seconds=5.0)
    )
    async with raw_client(sandbox) as http:
        with anyio.move_on_after(1.0):
            await rate_many(http, job_id, ids if fault == "cut_midway" else ids[:1])
    await anyio.sleep(1.1)
    assert len(sandbox.ledger) == (0 if fault == "late" else acts)
    await anyio.sleep(8.0)
    assert len(sandbox.ledger) == acts
