"""The sandbox's time, whichever event loop asks."""

from __future__ import annotations

import time

import anyio
import anyio.to_thread
import httpx
import pytest

from picoworkers_async.sandbox import Sandbox
from picoworkers_async.sandbox.clock import Clock
from tests.support.raw_client import HEADERS, listed, raw_client

pytestmark = pytest.mark.anyio


@pytest.mark.virtual_time
async def test_it_is_the_event_loops_time() -> None:
    clock = Clock()
    assert clock.now() == anyio.current_time()
    await anyio.sleep(3600)
    assert clock.now() == anyio.current_time()


@pytest.mark.virtual_time
async def test_the_limit_goes_by_it() -> None:
    sandbox = Sandbox(requests_per_second=1, cooldown=100)
    async with raw_client(sandbox) as http:
        statuses = []
        for seconds in (0.0, 0.5, 99.0, 1.5, 1.0):
            await anyio.sleep(seconds)
            statuses.append((await http.get("users/get-balances.php")).status_code)
    assert statuses == [200, 429, 429, 200, 200]
    assert sandbox.requests[-1].time - sandbox.requests[0].time == pytest.approx(102.0)


async def test_it_goes_on_in_a_second_loop_and_without_any() -> None:
    clock = Clock()

    async def look() -> float:
        return clock.now()

    first = clock.now()
    times = [
        await anyio.to_thread.run_sync(anyio.run, look),
        await anyio.to_thread.run_sync(clock.now),
        clock.now(),
        await anyio.to_thread.run_sync(anyio.run, look),
        clock.now(),
    ]
    assert times == sorted(times)
    assert 0 <= times[0] - first <= times[-1] - first < 60


async def test_two_loops_agree_on_what_has_passed() -> None:
    clock = Clock()

    async def look() -> float:
        return clock.now()

    clock.now()
    await anyio.sleep(0.05)
    began = time.monotonic()
    elsewhere = await anyio.to_thread.run_sync(anyio.run, look)
    here = clock.now()
    assert 0 <= here - elsewhere <= time.monotonic() - began + 0.01


async def test_what_is_done_beside_the_server_is_seen_late_by_those_who_ask_the_server() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    sandbox.read_lag = 3600.0
    async with sandbox.serve() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        ids = sandbox.add_tasks(job_id)
        assert await listed(http) == []
        sandbox.read_lag = 0.05
        with anyio.fail_after(30):
            while await listed(http) != ids:
                pass
