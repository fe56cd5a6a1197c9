"""What an unattended batch costs: limits, journal and events on, against all off, and each by itself.

Ratings a second at 32 with 20 ms of latency, in memory, and CPU a rating of all threads; medians of three rounds,
the ways taking turns. The prices of jobs are read once each.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from ratings import ratings

from picoworkers_async import AsyncPicoworkers, Limits, Throttle

COUNT, ROUNDS, LATENCY = 4000, 3, 0.02
RATINGS = ratings(COUNT)
ACK = b'{"ok":true,"message":"Task rated successfully."}'
LIMITS = Limits(max_bonus=1, bonus_per_day=10**6, pay_per_day=10**6, tasks_per_day=10**6, total=10**6)
WAYS: dict[str, set[str]] = {
    "all off": set(),
    "limits": {"limits"},
    "events": {"events"},
    "journal": {"journal"},
    "all on": {"limits", "events", "journal"},
}


class Service(httpx.AsyncBaseTransport):
    """Answers every rating, and what a job pays, after a while."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(LATENCY)
        if request.method == "GET":
            return httpx.Response(200, json={"id": request.url.params["job_id"], "task_value": "0.10"})
        return httpx.Response(200, headers=[("content-type", "application/json")], content=ACK)


async def rate(on: set[str], folder: str, number: int) -> tuple[float, float]:
    """Ratings a second, and seconds of CPU a rating."""
    told: list[int] = [0]

    def tell(_: object) -> None:
        told[0] += 1

    options: dict[str, Any] = {"limits": LIMITS} if "limits" in on else {}
    if "journal" in on:
        options["journal"] = Path(folder) / f"{number}.db"
    listener = {"on_event": tell} if "events" in on else {}
    throttle = Throttle(33)
    async with AsyncPicoworkers(
        "user_id", "api_secret", transport=Service(), throttle=throttle, **listener
    ) as pico:
        started, cpu = time.perf_counter(), time.process_time()
        report = await pico.rate_all(RATINGS, **options)
        seconds, spent = time.perf_counter() - started, time.process_time() - cpu
    assert report.rated == COUNT
    assert told[0] >= COUNT or "events" not in on
    return COUNT / seconds, spent / COUNT


def main() -> None:
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            for place, (name, on) in enumerate(WAYS.items()):
                figures[name].append(asyncio.run(rate(on, folder, number * 10 + place)))
    medians = {name: tuple(map(statistics.median, zip(*rounds, strict=True))) for name, rounds in figures.items()}
    off = medians["all off"][0]
    for name, (speed, cpu) in medians.items():
        print(f"{name:8} {speed:6.0f} ratings/s, {cpu * 1e6:4.0f} us of CPU a rating, ratio {speed / off:.2f}")


if __name__ == "__main__":
    main()
