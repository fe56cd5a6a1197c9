"""A service that is really killed, and started again on the same port, while a review goes on."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from picoworkers_async import AsyncPicoworkers, Edition, OutcomeStatus, Rating, RetryPolicy, Throttle
from tests.support.kept_sandbox import TASKS, read_kept

pytestmark = pytest.mark.story

ROOT = Path(__file__).parents[2]
KILLS = 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Service:
    """The process of the service, which is killed without warning."""

    def __init__(self, kept: Path, edition: Edition) -> None:
        self.port, self.kept, self.edition = free_port(), kept, edition

    def start(self) -> str:
        command = [sys.executable, "-m", "tests.support.kept_sandbox"]
        command += [str(self.port), str(self.kept), self.edition.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: what matters here is outside of the event loop, and starting services takes long."""
    return "asyncio"


@pytest.mark.anyio
async def test_a_review_outlives_a_service_that_is_killed_and_nobody_is_paid_twice_or_skipped(
    edition: Edition, tmp_path: Path
) -> None:
    service, rng = Service(tmp_path / "kept.jsonl", edition), random.Random(3)
    url = await anyio.to_thread.run_sync(service.start)
    counts: Counter[OutcomeStatus] = Counter()
    far_enough = {number: anyio.Event() for number in range(1, KILLS + 1)}

    async def kill_now_and_then() -> None:
        for number in range(1, KILLS + 1):
            await far_enough[number].wait()
            await anyio.sleep(0.02 * rng.random())
            await anyio.to_thread.run_sync(service.kill)
            await anyio.sleep(0.3)
            assert await anyio.to_thread.run_sync(service.start) == url

    pico = AsyncPicoworkers(
        "user_id",
        "api_secret",
        edition=edition,
        base_url=url,
        timeout=5.0,
        settle_after=0.5,
        retry=RetryPolicy(initial=0.02),
        throttle=Throttle(4),
    )
    try:
        async with pico, anyio.create_task_group() as killing:
            killing.start_soon(kill_now_and_then)
            async with pico.review(Rating.ok, follow=0.2, journal=tmp_path / "ratings.db") as batch:
                async for outcome in batch:
                    counts[outcome.status] += 1
                    for number, event in far_enough.items():
                        if counts.total() >= TASKS * number / (KILLS + 2):
                            event.set()
                    if counts.total() == TASKS:
                        break
    finally:
        service.kill()
    rated = Counter(row["task_id"] for row in read_kept(service.kept))
    assert counts == {OutcomeStatus.RATED: TASKS}
    assert len(rated) == TASKS
    assert set(rated.values()) == {1}
