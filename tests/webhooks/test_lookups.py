"""Looking posted ids up: what is not listed, what is refused, and whoever waits and is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path

import anyio
import pytest

from picoworkers_async import SPROUTGIGS, AsyncPicoworkers, Throttle
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.webhooks import Receiver, SubmittedTasks
from picoworkers_async.webhooks.submitted import Submitted
from tests.support.receiving import durable_ids


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


def seeded(tasks: int = 0, **options) -> tuple[Sandbox, str]:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6, page_size=100, **options)
    job_id = sandbox.add_job(num_tasks=10**6)
    sandbox.add_tasks(job_id, tasks)
    return sandbox, job_id


@pytest.mark.anyio
async def test_ids_that_nobody_handed_in_cost_two_lookups_and_are_dropped(connect, path: Path) -> None:
    sandbox, job_id = seeded(1)
    real = sandbox.unrated()[0]
    bogus = [(job_id, f"bogus{number}") for number in range(300)]
    Submitted(path).note([*bogus, ("nowhere", "x"), ("nowhere", real), (job_id, real)])
    async with connect(sandbox, settle_after=0.0) as pico, Receiver(path).tasks(pico) as tasks:
        with anyio.fail_after(10):
            assert (await anext(tasks)).id == real
        with anyio.move_on_after(1.5):
            await anext(tasks)
    jobs = Counter(request.query["job_id"] for request in sandbox.requests)
    # A refusal is followed by a pause of 5 seconds.
    assert jobs == {job_id: 2, "nowhere": 1}
    assert durable_ids(path) == {(job_id, real), ("nowhere", "x"), ("nowhere", real)}


@pytest.mark.anyio
async def test_a_task_that_a_listing_does_not_show_yet_is_met_by_the_next_look(connect, path: Path) -> None:
    sandbox, job_id = seeded(0)
    sandbox.catch_up()
    sandbox.read_lag = 0.5
    sandbox.add_tasks(job_id, 3)
    ids = sandbox.unrated()
    Submitted(path).note((job_id, task_id) for task_id in ids)
    async with connect(sandbox, settle_after=1.0) as pico, Receiver(path).tasks(pico) as tasks:
        with anyio.fail_after(20):
            assert sorted([(await anext(tasks)).id for _ in ids]) == sorted(ids)
    lookups = [request for request in sandbox.requests if request.method == "GET"]
    assert len(lookups) == 2


def test_a_task_is_given_out_even_if_whoever_waits_is_cancelled_natively_while_it_is_noted(path: Path) -> None:
    sandbox, job_id = seeded(3)
    Submitted(path).note((job_id, task_id) for task_id in sandbox.unrated())
    noted, go_on = threading.Event(), threading.Event()

    class Slow(Submitted):
        def looked_up(self, *args, **options):
            fresh = super().looked_up(*args, **options)
            noted.set()
            go_on.wait(10)
            return fresh

    async def run() -> list[str]:
        options = {"transport": sandbox.transport(), "edition": SPROUTGIGS, "throttle": Throttle()}
        async with (
            AsyncPicoworkers("user_id", "api_secret", **options) as pico,
            SubmittedTasks(Slow(path), pico) as tasks,
        ):
            waiting = asyncio.ensure_future(anext(tasks))
            await asyncio.to_thread(noted.wait, 10)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()
            go_on.set()
            return [(await asyncio.wait_for(anext(tasks), 10)).id for _ in range(3)]

    assert sorted(asyncio.run(run())) == sorted(sandbox.unrated())
