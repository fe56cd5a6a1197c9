"""What a journal in PostgreSQL costs beside one in a file, and how soon a standby has it.

Both are durable: `synchronous = FULL`, and `fsync` and `synchronous_commit` on. The server is on this machine, and
they take turns. CPU is that of this program, without the server's.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import psycopg

from picoworkers_async import Journal, JournalBusyError, Rating
from picoworkers_async.journal.postgres_store import PostgresStore
from picoworkers_async.journal.schema import Entry, JournalState
from picoworkers_async.journal.writer import JournalWriter
from tests.support.postgres import Server

ROUNDS = 5
KINDS = {"one at a time": (1, 1, 300), "32 at a time": (32, 1, 3000), "1,000 in a request": (1, 1000, 10_000)}
TAKEOVERS = 10


async def opened(place: str) -> JournalWriter:
    writer = JournalWriter(Journal(place), account="account", edition="sproutgigs")
    await writer.open()
    return writer


async def noted(place: str, waiting: int, together: int, count: int) -> tuple[float, float]:
    """Ratings a second, each noted before and after a request that is none, and microseconds of CPU for each."""
    writer = await opened(place)
    firsts = iter(range(0, count, together))

    async def note() -> None:
        for first in firsts:
            numbers = range(first, first + together)
            ratings = [Rating("job", f"t{number}", "ok", bonus="0.01", revision_number=0) for number in numbers]
            await writer.send([Entry(rating) for rating in ratings])
            await anyio.lowlevel.checkpoint()
            await writer.conclude([(rating, JournalState.RATED, "done") for rating in ratings])

    cpu, started = time.process_time(), time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(waiting):
            group.start_soon(note)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    await writer.aclose()
    return count / seconds, cpu / count * 1e6


async def taken_over(address: str, leave: Callable[[JournalWriter], Awaitable[None]]) -> float:
    """Seconds from when a writer is gone to when another one has the journal, asking all the time."""
    first, second = await opened(address), JournalWriter(Journal(address), account="account", edition="sproutgigs")
    await leave(first)
    started = time.perf_counter()
    while True:
        try:
            await second.open()
            break
        except JournalBusyError:
            second = JournalWriter(Journal(address), account="account", edition="sproutgigs")
    seconds = time.perf_counter() - started
    await second.aclose()
    await first.aclose()
    return seconds


async def cut(writer: JournalWriter) -> None:
    """As a program that is killed: its connection is gone, and nothing was said."""
    store = writer._store
    assert isinstance(store, PostgresStore)
    assert store._session is not None
    psycopg.pq.PGconn.finish(store._session.connection.pgconn)


async def main() -> None:
    server = Server(fsync="on", full_page_writes="on", shared_buffers="128MB", autovacuum="on")
    try:
        server.start()
        with tempfile.TemporaryDirectory() as folder:
            for kind, (waiting, together, count) in KINDS.items():
                found: dict[str, list[tuple[float, float]]] = {"a file": [], "PostgreSQL": []}
                for number in range(ROUNDS):
                    name = f"j{waiting}_{together}_{number}"
                    found["a file"].append(await noted(str(Path(folder) / name), waiting, together, count))
                    address = f"{server.url('postgres')}?journal={name}"
                    found["PostgreSQL"].append(await noted(address, waiting, together, count))
                rates = {place: statistics.median(rate for rate, _ in runs) for place, runs in found.items()}
                costs = {place: statistics.median(cost for _, cost in runs) for place, runs in found.items()}
                for place, rate in rates.items():
                    ratio = f"{rate / rates['a file']:.2f} times a file's"
                    print(f"{kind}, {place}: {rate:,.0f} ratings/s ({ratio}), {costs[place]:.0f} us of CPU each")
        address = f"{server.url('postgres')}?journal=takeover"
        for what, leave in (("closed", JournalWriter.aclose), ("killed", cut)):
            take = partial(taken_over, address, leave)
            seconds = [await take() for _ in range(TAKEOVERS)]
            milliseconds = statistics.median(seconds) * 1000
            print(f"takeover from one that was {what}: {milliseconds:.0f} ms; a standby looks once a second")
    finally:
        server.remove()


if __name__ == "__main__":
    anyio.run(main)
