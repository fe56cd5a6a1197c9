"""Ratings a second over real HTTP, against what one writes by hand: ratios measured in one run.

Twice: with the service (benchmarks/server.py) on one core and the client on the other, and with nobody pinned.
Each figure is the median of three rounds; the ways take turns, so that a slow moment of the machine meets all.
`--rounds` takes another number.
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

import aiohttp
import httpx
from ratings import body_of, ratings
from server import served

from picoworkers_async import AsyncPicoworkers, Rating, Throttle
from picoworkers_async.credentials import credentials
from picoworkers_async.transport.asyncio_adapter import AsyncioAdapter
from picoworkers_async.transport.lanes import Lanes

RATINGS = ratings(6_000)
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
    await ours(url, concurrency, count, Lanes(concurrency))


async def with_fast(url: str, concurrency: int, count: int) -> None:
    await ours(url, concurrency, count, None)


async def ours(url: str, concurrency: int, count: int, transport: httpx.AsyncBaseTransport | None) -> None:
    throttle = Throttle(concurrency)
    async with AsyncPicoworkers(
        "user_id", "api_secret", base_url=url, throttle=throttle, transport=transport
    ) as pico:
        report = await pico.rate_all(RATINGS[:count])
    assert report.rated == count


def toloka(python: str, url: str, concurrency: int, count: int, *, pinned: bool) -> float:
    """Ratings a second by Toloka-Kit, in another environment."""
    command = [python, str(Path(__file__).parent / "toloka_client.py"), url, str(concurrency), str(count)]
    command += ["--pinned"] if pinned else []
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


async def fast_alone(url: str, concurrency: int, count: int) -> None:
    """The fast adapter with no more of ours around it than the permits."""
    login, left = credentials("user_id", "api_secret"), count
    adapter = AsyncioAdapter(url, login, user_agent="benchmark", timeout=30.0, max_bytes=1 << 20)
    content, throttle = json.dumps(body_of(RATINGS[0]), separators=(",", ":")).encode(), Throttle(concurrency)

    async def send() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            permit = await throttle.acquire()
            response = await adapter.send("POST", url + PATH, content, permit)
            permit.release()
            assert json.loads(response.body)["ok"]

    await asyncio.gather(*(send() for _ in range(concurrency)))
    await adapter.aclose()


def profile(url: str, way: Way, count: int) -> str:
    """Where the time of a way goes: in the event loop's thread, in others of this process, in waiting."""
    asyncio.run(way(url, 32, 200))
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


# What a way does in half a second or so, at each concurrency.
COUNTS: dict[Way, tuple[int, ...]] = {
    httpx_by_hand: (300, 400, 200, 200),
    aiohttp_by_hand: (1000, 3000, 3000, 3000),
    with_lanes: (500, 800, 800, 800),
    with_fast: (1500, 4000, 4000, 4000),
    fast_alone: (1500, 6000, 6000, 6000),
}
CONCURRENCIES = (1, 8, 32, 128)
Key = tuple[str, int]


def measure(rounds: int, python: str | None, *, pinned: bool) -> tuple[dict[Key, float], list[str]]:
    """Ratings a second by way and concurrency, and where the time goes."""
    speeds: dict[Key, list[float]] = {}
    with served(pinned=pinned) as url:
        for _ in range(rounds):
            for place, concurrency in enumerate(CONCURRENCIES):
                for way, counts in COUNTS.items():
                    count = counts[place]
                    gc.collect()
                    started = time.perf_counter()
                    asyncio.run(way(url, concurrency, count))
                    speed = count / (time.perf_counter() - started)
                    speeds.setdefault((way.__name__, concurrency), []).append(speed)
            if python:
                speeds.setdefault(("toloka", 32), []).append(toloka(python, url, 32, 300, pinned=pinned))
        ways = (with_lanes, with_fast, fast_alone, aiohttp_by_hand)
        profiles = [f"{way.__name__:16} {profile(url, way, COUNTS[way][2])}" for way in ways]
    return {key: statistics.median(values) for key, values in speeds.items()}, profiles


RATIOS: tuple[tuple[str, Key, Key, float | None], ...] = (
    *(
        (f"fast against aiohttp by hand, at {n}", ("with_fast", n), ("aiohttp_by_hand", n), 0.95)
        for n in CONCURRENCIES
    ),
    *((f"fast alone against it, at {n}", ("fast_alone", n), ("aiohttp_by_hand", n), 1.5) for n in CONCURRENCIES),
    ("fast against httpx by hand, at 32", ("with_fast", 32), ("httpx_by_hand", 32), 20.0),
    *((f"lanes against httpx by hand, at {n}", ("with_lanes", n), ("httpx_by_hand", n), None) for n in (1, 8)),
    ("lanes against httpx by hand, at 32", ("with_lanes", 32), ("httpx_by_hand", 32), 6.0),
    ("lanes at 128 against lanes at 8", ("with_lanes", 128), ("with_lanes", 8), 0.9),
    ("fast at 128 against fast at 8", ("with_fast", 128), ("with_fast", 8), 0.9),
    ("lanes against AsyncTolokaClient, at 32", ("with_lanes", 32), ("toloka", 32), 3.0),
    ("fast against AsyncTolokaClient, at 32", ("with_fast", 32), ("toloka", 32), 3.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--toloka", metavar="PYTHON", help="an interpreter with Toloka-Kit, to compare with")
    arguments = parser.parse_args()
    results = [measure(arguments.rounds, arguments.toloka, pinned=pinned) for pinned in (True, False)]
    for setting, (median, profiles) in zip(("pinned", "unpinned"), results, strict=True):
        print(f"{setting + ', ratings/s':22}" + "".join(f"{f'at {n}':>9}" for n in CONCURRENCIES))
        for name in dict.fromkeys(name for name, _ in median):
            cells = (f"{median[name, n]:9.0f}" if (name, n) in median else f"{'':9}" for n in CONCURRENCIES)
            print(f"{name:22}" + "".join(cells).rstrip())
        print(f"where the time goes, {setting}, at 32", *profiles, "", sep="\n")
    print(f"{'':40}{'pinned':>9}{'unpinned':>10}")
    for name, one, other, goal in RATIOS:
        if other in results[0][0]:
            pinned, free = (median[one] / median[other] for median, _ in results)
            print(f"{name:40}{pinned:9.2f}{free:10.2f}" + ("" if goal is None else f"   goal {goal:g}"))


if __name__ == "__main__":
    main()
