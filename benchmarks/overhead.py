"""What the library itself costs: CPU a rating and a task, and what reading ahead gains.

Each as a ratio measured in one run, medians of five, the ways taking turns. Pages come after 50 ms, from memory.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import httpx
from ratings import body_of, ratings

from picoworkers_async import AsyncPicoworkers, Throttle
from picoworkers_async.codec import loads, read_tasks_page

ROUNDS = 5
URL = "https://picoworkers.com/api/"
ACK = b'{"ok":true,"message":"Task rated successfully."}'
RATINGS = ratings(5000)
TASK = {
    "id": "158004285a3523",
    "job_id": "abcdef123456",
    "worker_id": "abcd1234",
    "finished_at": "2021-11-01T17:04:45Z",
    "ip_address": "127.0.0.1",
    "country_code": "XX",
    "revision_number": 0,
    "variables": [],
    "proofs": [{"text": "submitted proof"}],
}
PAGES, LATENCY = 400, 0.05


class Memory(httpx.AsyncBaseTransport):
    """Answers every rating at once."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return httpx.Response(200, headers=[("content-type", "application/json")], content=ACK)


class Listing(httpx.AsyncBaseTransport):
    """Answers with the page that was asked for, of five tasks, after a while."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(LATENCY)
        number = int(request.url.params.get("page", 1))
        tasks = [TASK | {"id": f"{number:010d}{place}"} for place in range(5)]
        return httpx.Response(200, json={"current_page": number, "pages": PAGES, "tasks": tasks})


async def ours() -> float:
    pico = AsyncPicoworkers("user_id", "api_secret", transport=Memory(), throttle=Throttle(32))
    async with pico:
        started = time.process_time()
        report = await pico.rate_all(RATINGS)
        spent = time.process_time() - started
    assert report.rated == len(RATINGS)
    return spent / len(RATINGS)


async def by_hand() -> float:
    async with httpx.AsyncClient(transport=Memory(), auth=("user_id", "api_secret")) as client:
        started = time.process_time()
        for rating in RATINGS:
            answer = await client.post(URL + "jobs/rate-single-task.php", json=body_of(rating))
            assert answer.json()["ok"]
        return (time.process_time() - started) / len(RATINGS)


async def walk(concurrency: int) -> float:
    pico = AsyncPicoworkers("user_id", "api_secret", transport=Listing(), throttle=Throttle(concurrency))
    async with pico:
        started = time.perf_counter()
        tasks = await pico.jobs.iter_unrated_tasks().collect()
        assert len(tasks) == PAGES * 5
        return time.perf_counter() - started


async def walk_one_by_one() -> float:
    async with httpx.AsyncClient(transport=Listing(), auth=("user_id", "api_secret")) as client:
        started = time.perf_counter()
        number, tasks = 1, 0
        while True:
            answer = await client.get(URL + "jobs/get-unrated-tasks.php", params={"page": number})
            page = answer.json()
            tasks += len(page["tasks"])
            if number == page["pages"]:
                assert tasks == PAGES * 5
                return time.perf_counter() - started
            number += 1


def decode() -> float:
    raw = json.dumps({"current_page": 1, "pages": 9, "tasks": [TASK] * 100}).encode()
    started = time.process_time()
    for _ in range(100):
        assert len(read_tasks_page(loads(raw)).items) == 100
    return (time.process_time() - started) / 10_000


def medians(*ways: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """The median of each way, run in turn."""
    results: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, result in zip(ways, results, strict=True):
            result.append(way())
    return [statistics.median(result) for result in results]


def main() -> None:
    mine, hand = medians(lambda: asyncio.run(ours()), lambda: asyncio.run(by_hand()))
    print(f"CPU a rating, of our own and the transport's: {mine * 1e6:.0f} us   goal 120")
    print(f"the same by httpx.AsyncClient: {hand * 1e6:.0f} us, ratio {mine / hand:.2f}   goal 0.5")
    (task,) = medians(decode)
    print(f"decoding a task of a page of 100: {task * 1e6:.1f} us   goal 10")
    ahead, single = medians(lambda: asyncio.run(walk(10)), lambda: asyncio.run(walk_one_by_one()), rounds=1)
    text = f"{PAGES} pages at {LATENCY * 1e3:.0f} ms: {ahead:.1f} s at concurrency 10, {single:.1f} s one by one"
    print(f"{text}, ratio {single / ahead:.1f}   goal 8")


if __name__ == "__main__":
    main()
