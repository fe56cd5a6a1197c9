"""What the journal costs: against none, against a plain table, and as it grows; and a pacer's file that grows.

CPU is that of all threads. The plain table is what anybody would write by hand: a row at sending, its state at the
end, a commit for each in a thread, which those who wait for it share; nothing is looked up.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx

from picoworkers_async import AsyncPicoworkers, Journal, Rating, SqlitePacer, Throttle
from picoworkers_async.journal.schema import Entry, JournalState
from picoworkers_async.journal.writer import JournalWriter
from picoworkers_async.sandbox import Sandbox

RATINGS = 3000
CONCURRENCY = 32
LATENCY = 0.02
ROUNDS = 5
SIZES = (10_000, 100_000, 1_000_000)
SAID = "Task rated successfully."

Step = Callable[[str], Awaitable[object]]


async def answer(request: httpx.Request) -> httpx.Response:
    await anyio.sleep(LATENCY)
    return httpx.Response(200, content=b'{"ok":true,"message":"Task rated successfully."}')


def rating(task_id: str) -> Rating:
    return Rating("job", task_id, "ok", bonus="0.01", revision_number=0)


async def rated(journal: str | None) -> tuple[float, float]:
    """Ratings a second, and microseconds of CPU for each."""
    ratings = (rating(f"task{n}") for n in range(RATINGS))
    pico = AsyncPicoworkers(
        "user_id", "api_secret", transport=httpx.MockTransport(answer), throttle=Throttle(CONCURRENCY)
    )
    async with pico:
        cpu, started = time.process_time(), time.perf_counter()
        report = await pico.rate_all(ratings, journal=journal)
        assert report.rated == RATINGS
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        return RATINGS / seconds, cpu / RATINGS * 1e6


async def reviewed(path: str) -> int:
    """How many ratings a review noted, each with a satisfaction and a bonus, and without a comment."""
    sandbox = Sandbox(edition="sproutgigs", page_size=100)
    sandbox.add_tasks(sandbox.add_job(num_tasks=5000), 5000)
    async with sandbox.client() as pico:
        report = await pico.review_all(lambda task: Rating.ok(task, "good", bonus="0.05"), journal=path)
    return report.rated


async def noted(send: Step, conclude: Step, waiting: int = CONCURRENCY) -> tuple[float, float]:
    """Steps a second, and microseconds of CPU for each rating, noted before and after a request that is none."""
    numbers = iter(range(RATINGS))

    async def note() -> None:
        for number in numbers:
            task_id = f"new{number}"
            await send(task_id)
            await anyio.lowlevel.checkpoint()
            await conclude(task_id)

    cpu, started = time.process_time(), time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(waiting):
            group.start_soon(note)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return 2 * RATINGS / seconds, cpu / RATINGS * 1e6


async def noted_by_the_journal(path: str, waiting: int = CONCURRENCY) -> tuple[float, float]:
    writer = JournalWriter(Journal(path), account="account", edition="edition")
    await writer.open()
    cost = await noted(
        lambda task_id: writer.send([Entry(rating(task_id))]),
        lambda task_id: writer.conclude([(rating(task_id), JournalState.RATED, SAID)]),
        waiting,
    )
    await writer.aclose()
    return cost


async def noted_by_hand(path: str) -> tuple[float, float]:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE ratings (task_id TEXT PRIMARY KEY, state TEXT, message TEXT) WITHOUT ROWID")
    lock, gathered = anyio.Lock(), [[]]  # type: ignore[var-annotated]

    def commit(rows: list[tuple[str, tuple[str, ...]]]) -> None:
        database.execute("BEGIN IMMEDIATE")
        for statement, values in rows:
            database.execute(statement, values)
        database.execute("COMMIT")

    async def write(statement: str, *values: str) -> None:
        rows = gathered[-1]
        rows.append((statement, values))
        async with lock:
            if gathered[-1] is rows:
                gathered[-1] = []
                await anyio.to_thread.run_sync(commit, rows)

    cost = await noted(
        lambda task_id: write("INSERT INTO ratings VALUES (?, 'sent', NULL)", task_id),
        lambda task_id: write("UPDATE ratings SET state = 'rated', message = ? WHERE task_id = ?", SAID, task_id),
    )
    database.close()
    return cost


async def grown(path: str, size: int) -> tuple[float, float, float]:
    """Milliseconds to open a journal of so many ratings and to find the unfinished; CPU for a rating more."""
    writer = JournalWriter(Journal(path), account="account", edition="edition")
    await writer.open()
    await writer.aclose()
    with closing(sqlite3.connect(path)) as database:
        rows = (("job", f"{n:014x}", 0, "ok", "0.01", 100, "rated", SAID, 1.0, 2.0) for n in range(size))
        columns = "job_id, task_id, revision, verdict, bonus, bonus_units, state, message, sent_at, ended_at"
        database.executemany(f"INSERT INTO ratings ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.commit()
    started = time.perf_counter()
    await writer.open()
    opening = time.perf_counter() - started
    started = time.perf_counter()
    assert await writer.unfinished(None) == []
    finding = time.perf_counter() - started
    await writer.aclose()
    return opening * 1e3, finding * 1e3, (await noted_by_the_journal(path))[1]


async def reserved(path: str, gone: int) -> float:
    """Microseconds of CPU for a reservation, after so many clients that have gone, three hundred at a time."""
    pacer = SqlitePacer(path)
    pacer.bind("account")
    await pacer.reserve(0.0)
    pacer.close()
    with closing(sqlite3.connect(path)) as database:
        rows = (("account", f"{n:016x}", time.monotonic() - 100.0) for n in range(gone))
        database.executemany("INSERT INTO clients VALUES (?, ?, ?)", rows)
        database.commit()
    await pacer.reserve(0.0)
    started = time.process_time()
    for _ in range(300):
        await pacer.reserve(0.0)
    cpu = time.process_time() - started
    pacer.close()
    return cpu / 300 * 1e6


def main() -> None:
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in ("off", "on", "shared", "each", "hand")}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_FOLDER")) as folder:

        def new(name: str) -> str:
            return str(Path(folder) / f"{name}.db")

        for number in range(ROUNDS):
            costs["off"].append(anyio.run(rated, None))
            costs["on"].append(anyio.run(rated, new(f"on{number}")))
            costs["each"].append(anyio.run(noted_by_the_journal, new(f"each{number}"), 1))
            costs["shared"].append(anyio.run(noted_by_the_journal, new(f"shared{number}")))
            costs["hand"].append(anyio.run(noted_by_hand, new(f"hand{number}")))
        speed = {name: statistics.median(cost[0] for cost in of_name) for name, of_name in costs.items()}
        cpu = {name: statistics.median(cost[1] for cost in of_name) for name, of_name in costs.items()}
        print(f"ratings/s at concurrency {CONCURRENCY}, {LATENCY * 1000:.0f} ms: journal on {speed['on']:.0f}, "
              f"off {speed['off']:.0f}, ratio {speed['on'] / speed['off']:.2f}")  # fmt: skip
        print(f"CPU a rating: journal on {cpu['on']:.0f} us, off {cpu['off']:.0f} us, "
              f"the journal's {cpu['on'] - cpu['off']:.0f} us, ratio {cpu['on'] / cpu['off']:.2f}")  # fmt: skip
        print(f"CPU a rating noted twice, {CONCURRENCY} waiting: journal {cpu['shared']:.0f} us, plain table "
              f"by hand {cpu['hand']:.0f} us, ratio {cpu['shared'] / cpu['hand']:.2f}")  # fmt: skip
        print(f"steps/s made durable: {CONCURRENCY} waiting share commits {speed['shared']:.0f}, one commit each "
              f"{speed['each']:.0f}, ratio {speed['shared'] / speed['each']:.1f}")  # fmt: skip
        ratings = anyio.run(reviewed, new("reviewed"))
        print(f"the file after {ratings} ratings: {Path(new('reviewed')).stat().st_size / ratings:.0f} bytes each")
        for size in SIZES:
            opening, finding, one = anyio.run(grown, new(f"grown{size}"), size)
            reservation = anyio.run(reserved, new(f"pace{size}"), size)
            print(f"after {size:>7}: journal opened in {opening:.1f} ms, unfinished found in {finding:.1f} ms, "
                  f"a rating {one:.0f} us of CPU; pacer, a reservation {reservation:.0f} us of CPU")  # fmt: skip


if __name__ == "__main__":
    main()
