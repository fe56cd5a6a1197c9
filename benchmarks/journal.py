"""What the journal costs: ratings a second with it against without it, and a commit each against a shared one."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import anyio
import httpx

from picoworkers_async import AsyncPicoworkers, Journal, Rating, Throttle
from picoworkers_async.journal.writer import JournalWriter

RATINGS = 3000
CONCURRENCY = 32
LATENCY = 0.02
ROUNDS = 3


async def answer(request: httpx.Request) -> httpx.Response:
    await anyio.sleep(LATENCY)
    return httpx.Response(200, content=b'{"ok":true,"message":"Task rated successfully."}')


async def ratings_per_second(journal: str | None) -> float:
    ratings = (Rating("job", f"task{n}", "ok", bonus="0.01", revision_number=0) for n in range(RATINGS))
    pico = AsyncPicoworkers(
        "user_id", "api_secret", transport=httpx.MockTransport(answer), throttle=Throttle(CONCURRENCY)
    )
    async with pico:
        started = time.perf_counter()
        report = await pico.rate_all(ratings, journal=journal)
        assert report.rated == RATINGS
        return RATINGS / (time.perf_counter() - started)


async def commits_per_second(journal: str, waiting: int) -> float:
    """Decisions noted a second, with so many callers that wait for theirs to be durable at a time."""
    record = JournalWriter(Journal(journal), account="account", edition="edition")
    await record.open()
    numbers = iter(range(RATINGS))

    async def note() -> None:
        for number in numbers:
            await record.decide([Rating("job", f"task{number}", "ok")])

    started = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(waiting):
            group.start_soon(note)
    elapsed = time.perf_counter() - started
    await record.aclose()
    return RATINGS / elapsed


def main() -> None:
    speeds: dict[str, list[float]] = {"on": [], "off": [], "shared": [], "each": []}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_FOLDER")) as folder:
        for number in range(ROUNDS):
            speeds["off"].append(anyio.run(ratings_per_second, None))
            speeds["on"].append(anyio.run(ratings_per_second, str(Path(folder) / f"on{number}.db")))
            speeds["each"].append(anyio.run(commits_per_second, str(Path(folder) / f"each{number}.db"), 1))
            speeds["shared"].append(anyio.run(commits_per_second, str(Path(folder) / f"shared{number}.db"), 32))
    on, off, shared, each = (statistics.median(speeds[name]) for name in ("on", "off", "shared", "each"))
    print(f"ratings/s at concurrency {CONCURRENCY}, {LATENCY * 1000:.0f} ms: journal on {on:.0f}, off {off:.0f}, "
          f"ratio {on / off:.2f}")  # fmt: skip
    print(f"steps/s made durable: 32 waiting share commits {shared:.0f}, one commit each {each:.0f}, "
          f"ratio {shared / each:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
