"""Two ratios in one run: the rate held against the rate asked, and a batch against the same loop by hand.

The sandbox is served from a process of its own, so that client and service do not share an interpreter.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx

from picoworkers_async import AsyncPicoworkers, Rating, Throttle

TASKS = 1000
CONCURRENCY = 8
ROUNDS = 3
RATES = (10, 50, 200)


@contextmanager
def served() -> Iterator[str]:
    """A sandbox with enough tasks for one run, in another process."""
    command = [sys.executable, "-m", "picoworkers_async.sandbox", "--tasks", str(TASKS), "--page-size", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def ratings_of(url: str) -> list[Rating]:
    async with AsyncPicoworkers("user_id", "api_secret", base_url=url) as pico:
        return [Rating.ok(task) async for task in pico.jobs.iter_unrated_tasks()]


async def held_rate(asked: float) -> float:
    """Requests a second that the throttle lets through, at full load, over two seconds."""
    throttle, seconds = Throttle(CONCURRENCY, asked), 2.0
    departures: list[float] = []
    start = anyio.current_time()

    async def caller() -> None:
        while anyio.current_time() - start < seconds:
            await throttle.acquire()
            departures.append(throttle.departed())
            await anyio.sleep(0.005)
            throttle.release()

    async with anyio.create_task_group() as group:
        for _ in range(CONCURRENCY):
            group.start_soon(caller)
    return (len(departures) - 1) / (departures[-1] - departures[0])


async def by_batch(url: str) -> float:
    ratings = await ratings_of(url)
    throttle = Throttle(CONCURRENCY)
    async with AsyncPicoworkers("user_id", "api_secret", base_url=url, throttle=throttle) as pico:
        started = time.perf_counter()
        report = await pico.rate_all(ratings)
        assert report.rated == TASKS
        return TASKS / (time.perf_counter() - started)


async def by_hand(url: str) -> float:
    """What one writes without this library: httpx, a semaphore, and hope."""
    ratings = await ratings_of(url)
    semaphore = anyio.Semaphore(CONCURRENCY)
    rated = 0

    async with httpx.AsyncClient(auth=("user_id", "api_secret")) as client:

        async def rate(rating: Rating) -> None:
            nonlocal rated
            body = {"job_id": rating.job_id, "task_id": rating.task_id, "task_rating": "ok"}
            async with semaphore:
                response = await client.post(f"{url}jobs/rate-single-task.php", json=body)
            rated += response.json()["ok"]

        started = time.perf_counter()
        async with anyio.create_task_group() as group:
            for rating in ratings:
                group.start_soon(rate, rating)
        assert rated == TASKS
        return TASKS / (time.perf_counter() - started)


def main() -> None:
    print("asked (requests/s)  held  share")
    for rate in RATES:
        held = anyio.run(held_rate, float(rate))
        print(f"{rate:18d}  {held:6.2f}  {held / rate:.3f}")
    batch: list[float] = []
    hand: list[float] = []
    for _ in range(ROUNDS):
        for way, speeds in ((by_batch, batch), (by_hand, hand)):
            with served() as url:
                speeds.append(anyio.run(way, url))
    ours, theirs = statistics.median(batch), statistics.median(hand)
    print(f"batch {ours:.0f} ratings/s, by hand {theirs:.0f}, ratio {ours / theirs:.2f} (medians of {ROUNDS})")


if __name__ == "__main__":
    main()
