"""Ratings a second over real HTTP, against what one writes by hand: ratios measured in one run.

The service (benchmarks/server.py) has one core, the client the other. Each figure is the median of five rounds;
the ways take turns, so that a slow moment of the machine meets them all. `--rounds` takes another number.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from picoworkers_async.transport.pyreqwest import PyreqwestTransport
from ratings import body_of, ratings
from server import served

from picoworkers_async import AsyncPicoworkers, Rating, Throttle
from picoworkers_async.credentials import credentials
from picoworkers_async.transport.adapters import HttpAdapter
from picoworkers_async.transport.clients import OwnClient
from picoworkers_async.transport.lanes import Lanes

RATINGS = ratings(12_000)
PATH = "jobs/rate-single-task.php"

Way = Callable[[str, int, int], Awaitable[None]]


async def httpx_by_hand(url: str, concurrency: int, count: int) -> None:
    semaphore = asyncio.Semaphore(concurrency)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(auth=("user_id", "api_secret"), limits=limits) as client:

        async def rate(rating: Rating) -> None:
            async with semaphore:
                answer = await client.post(url + PATH, json=body_of(rating))
            assert answer.json()["ok"]

        await asyncio.gather(*(rate(rating) for rating in RATINGS[:count]))


async def aiohttp_by_hand(url: str, concurrency: int, count: int) -> None:
    semaphore = asyncio.Semaphore(concurrency)
    headers = {"Authorization": aiohttp.encode_basic_auth("user_id", "api_secret")}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def rate(rating: Rating) -> None:
            async with semaphore, session.post(url + PATH, json=body_of(rating)) as answer:
                assert json.loads(await answer.read())["ok"]

        await asyncio.gather(*(rate(rating) for rating in RATINGS[:count]))


async def with_lanes(url: str, concurrency: int, count: int) -> None:
    await ours(url, count, Throttle(concurrency), Lanes(concurrency))


async def with_fast(url: str, concurrency: int, count: int) -> None:
    await ours(url, count, Throttle(concurrency), PyreqwestTransport(max_connections=concurrency, timeout=30.0))


async def ours(url: str, count: int, throttle: Throttle, transport: httpx.AsyncBaseTransport) -> None:
    async with AsyncPicoworkers(
        "user_id", "api_secret", base_url=url, throttle=throttle, transport=transport
    ) as pico:
        report = await pico.rate_all(RATINGS[:count])
    assert report.rated == count


def toloka(python: str, url: str, concurrency: int, count: int) -> float:
    """Ratings a second by Toloka-Kit, in another environment."""
    command = [python, str(Path(__file__).parent / "toloka_client.py"), url, str(concurrency), str(count)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


async def fast_alone(url: str, concurrency: int, count: int) -> None:
    """The fast transport with no more of ours around it than the making of requests."""
    transport = PyreqwestTransport(max_connections=concurrency, timeout=30.0)
    client = OwnClient(transport, max_connections=concurrency, timeout=30.0, base_url=url, paced=False)
    login = credentials("user_id", "api_secret")
    adapter = HttpAdapter(client, login, user_agent="benchmark", timeout=30.0, max_bytes=1 << 20)
    throttle = Throttle(concurrency)
    content, left = json.dumps(body_of(RATINGS[0]), separators=(",", ":")).encode(), count

    async def send() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            permit = await throttle.acquire()
            await adapter.send("POST", url + PATH, content, permit)
            permit.release()

    await asyncio.gather(*(send() for _ in range(concurrency)))
    await adapter.aclose()


def profile(url: str, way: Way, count: int = 6000) -> str:
    """Where the time of a way goes: in the event loop's thread, in others of this process, in waiting."""
    asyncio.run(way(url, 32, 500))
    started, cpu, loop = time.perf_counter(), time.process_time(), time.thread_time()
    asyncio.run(way(url, 32, count))
    spent = [
        now - before
        for now, before in zip(
            (time.perf_counter(), time.process_time(), time.thread_time()), (started, cpu, loop), strict=True
        )
    ]
    wall, cpu, loop = (seconds / count * 1e6 for seconds in spent)
    return f"{wall:5.0f} us a rating: {loop:4.0f} in the loop's thread, {cpu - loop:4.0f} in others"


# The more a way does in a second, the more it is given, for rounds of a second or two.
ROWS: tuple[tuple[Way, int, int], ...] = (
    (httpx_by_hand, 8, 1000),
    (httpx_by_hand, 32, 300),
    (aiohttp_by_hand, 8, 4000),
    (aiohttp_by_hand, 32, 4000),
    (with_lanes, 8, 2000),
    (with_lanes, 32, 2000),
    (with_lanes, 128, 2000),
    (with_fast, 8, 6000),
    (with_fast, 32, 6000),
    (with_fast, 128, 6000),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--toloka", metavar="PYTHON", help="an interpreter with Toloka-Kit, to compare with")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    speeds: dict[tuple[Any, int], list[float]] = {(way, concurrency): [] for way, concurrency, _ in ROWS}
    with served() as url:
        for _ in range(rounds):
            for way, concurrency, count in ROWS:
                gc.collect()
                started = time.perf_counter()
                asyncio.run(way(url, concurrency, count))
                speeds[way, concurrency].append(count / (time.perf_counter() - started))
            if arguments.toloka:
                speeds.setdefault((toloka, 32), []).append(toloka(arguments.toloka, url, 32, 300))
        profiles = [f"{way.__name__:16} {profile(url, way)}" for way in (with_fast, fast_alone, aiohttp_by_hand)]
    median = {key: statistics.median(values) for key, values in speeds.items()}
    for (way, concurrency), speed in median.items():
        print(f"{way.__name__:16} at {concurrency:3d}: {speed:7.0f} ratings/s")
    ratios: tuple[tuple[str, Any, Any, float | None], ...] = (
        ("lanes against httpx by hand, at 32", (with_lanes, 32), (httpx_by_hand, 32), 6.0),
        ("fast against httpx by hand, at 32", (with_fast, 32), (httpx_by_hand, 32), 20.0),
        ("lanes against httpx by hand, at 8", (with_lanes, 8), (httpx_by_hand, 8), None),
        ("fast against aiohttp by hand, at 32", (with_fast, 32), (aiohttp_by_hand, 32), 1.0),
        ("fast against aiohttp by hand, at 8", (with_fast, 8), (aiohttp_by_hand, 8), 1.0),
        ("lanes at 128 against lanes at 8", (with_lanes, 128), (with_lanes, 8), 0.9),
        ("fast at 128 against fast at 8", (with_fast, 128), (with_fast, 8), 0.9),
    )
    if arguments.toloka:
        ratios += (("lanes against AsyncTolokaClient, at 32", (with_lanes, 32), (toloka, 32), 3.0),)
        ratios += (("fast against AsyncTolokaClient, at 32", (with_fast, 32), (toloka, 32), 3.0),)
    print()
    print("where the time goes, at 32", *profiles, "", sep="\n")
    for name, one, other, goal in ratios:
        goal_text = "" if goal is None else f"   goal {goal:g}"
        print(f"{name:38} {median[one] / median[other]:6.2f}{goal_text}")


if __name__ == "__main__":
    main()
