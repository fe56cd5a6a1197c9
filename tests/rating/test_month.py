"""A month of an unattended review, in virtual time: arrivals, outages, midnights, restarts, and nothing grows."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from picoworkers_async import SPROUTGIGS, AsyncPicoworkers, Journal, Later, Limits, Rating, Task, Throttle
from picoworkers_async.journal import writer
from picoworkers_async.rating import pipeline, spending
from picoworkers_async.sandbox import Sandbox
from tests.support.away import AwayTransport
from tests.support.virtual_time import run

pytestmark = pytest.mark.story

DAY = 86400.0
DAYS = int(os.environ.get("PICOWORKERS_DAYS", "2"))
A_DAY = 90
BEGAN = 1_775_001_600.0  # midnight UTC
OPEN_FILES = Path("/proc/self/fd")


class Clock:
    """The time of day, which goes with the virtual time of the loop."""

    now = BEGAN

    def time(self) -> float:
        return self.now


def decide(task: Task) -> Rating | Later | None:
    match int(task.id[-2:], 16) % 8:
        case 0:
            return Later(1800, "not yet") if random.random() < 0.5 else Rating.ok(task, bonus="0.01")
        case 1:
            return Rating.not_ok(task, "nothing was handed in")
        case 2:
            raise ValueError("a bug that comes and goes") if random.random() < 0.5 else ValueError("a bug")
    return Rating.ok(task, bonus="0.01")


async def month(journal: Path, clock: Clock) -> tuple[Sandbox, list[tuple[int, int, int]]]:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6, page_size=100, seed=5)
    job_id = sandbox.add_job(num_tasks=10**6, task_value="0.10")
    rng = random.Random(5)
    random.seed(5)
    limits = Limits(tasks_per_day=80, bonus_per_day="0.70", pay_per_day=9)
    began = anyio.current_time()
    sizes = []

    async def arrivals() -> None:
        while True:
            await anyio.sleep(DAY / A_DAY)
            sandbox.add_tasks(job_id, 1)

    async def tell_the_time() -> None:
        while True:
            await anyio.sleep(30)
            clock.now = BEGAN + anyio.current_time() - began

    async with anyio.create_task_group() as world:
        world.start_soon(arrivals)
        world.start_soon(tell_the_time)
        for _ in range(DAYS):
            ends = anyio.current_time() + DAY
            while anyio.current_time() < ends:
                # A restart every few hours, and an outage of up to two hours in most of them.
                way = rng.choice(["refused", "503", "cut", "html", "half"])
                at = anyio.current_time() + rng.random() * 4 * 3600
                transport = AwayTransport(sandbox.transport(), way, at, rng.random() * 7200)
                lasts = min(ends - anyio.current_time(), 3600 + rng.random() * 8 * 3600)
                async with AsyncPicoworkers(
                    "user_id",
                    "api_secret",
                    edition=SPROUTGIGS,
                    transport=transport,
                    throttle=Throttle(4, requests_per_second=1.0),
                    settle_after=5.0,
                ) as pico:
                    with anyio.move_on_after(lasts):
                        async with pico.review(
                            decide, follow=600, journal=journal, limits=limits, on_limit="wait", retry_failed=600
                        ) as batch:
                            async for _ in batch:
                                pass
                await anyio.sleep(rng.random() * 60)
            await anyio.lowlevel.checkpoint()
            files = len(list(OPEN_FILES.iterdir())) if OPEN_FILES.is_dir() else 0
            gc.collect()
            sizes.append((len(gc.get_objects()), len(asyncio.all_tasks()), files))
        world.cancel_scope.cancel()
    return sandbox, sizes


@pytest.mark.skipif(not OPEN_FILES.is_dir() and DAYS > 2, reason="counts open files by /proc")
def test_a_month_of_arrivals_outages_midnights_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in (spending, pipeline, writer):
        monkeypatch.setattr(module, "time", clock)
    journal = tmp_path / "ratings.db"
    sandbox, sizes = run(month, journal, clock)
    paid = Counter((entry.task_id, entry.revision) for entry in sandbox.ledger)
    assert max(paid.values()) == 1
    # All that arrived was rated, but for what is never decided, and for the last hours.
    assert len(paid) >= 0.6 * DAYS * A_DAY
    rows = list(Journal(journal).rows())
    assert not [row for row in rows if row.state == "unknown"]
    decided = {
        (row.task_id, row.revision_number): (str(row.rating.verdict), row.rating.bonus)
        for row in rows
        if row.rating is not None and row.state in ("rated", "sent")
    }
    ledger = {(entry.task_id, entry.revision): (entry.verdict, entry.bonus) for entry in sandbox.ledger}
    assert {key: decided[key] for key in ledger} == ledger
    assert {key for key in decided if key not in ledger} <= {
        (row.task_id, row.revision_number) for row in rows if row.state == "sent"
    }
    sent = [row for row in rows if row.sent_at is not None and row.state in ("rated", "sent")]
    for of_day in (
        [row for row in sent if row.sent_at.date() == day] for day in {row.sent_at.date() for row in sent}
    ):
        assert len(of_day) <= 80
        assert sum(row.bonus or 0 for row in of_day) <= Decimal("0.70")
        assert sum((row.pay or 0) + (row.bonus or 0) for row in of_day) <= 9
    (_, tasks, files), *_, (_, tasks_after, files_after) = sizes
    assert tasks_after == tasks
    assert files_after <= files + 1
    if DAYS > 10:
        # What is never decided stays listed, and the ledger grows: a few objects each, in the sandbox.
        assert sizes[-1][0] - sizes[DAYS // 2][0] < 20 * A_DAY * DAYS // 2
