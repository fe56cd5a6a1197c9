"""What a client costs in memory and time: beside a shared http_client, and with connections of its own over TLS.

Each in a process of its own, against the same number of `httpx.AsyncClient`. Goals: less than 50 kB beside a
shared client, and one TLS context for all.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

SHARING, OWN = 200, 50


def resident() -> float:
    """MB that the process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def open_many(make: Callable[[], Any], count: int, *, traced: bool) -> tuple[float, float]:
    """Seconds, and MB by Python's own account or by the operating system's, for so many that are open at once."""
    async with AsyncExitStack() as stack:
        # The first loads what all share.
        await stack.enter_async_context(make())
        gc.collect()
        if traced:
            tracemalloc.start()
        before, started = resident(), time.perf_counter()
        for _ in range(count):
            await stack.enter_async_context(make())
        seconds = time.perf_counter() - started
        gc.collect()
        return seconds, tracemalloc.get_traced_memory()[0] / 1e6 if traced else resident() - before


async def beside_shared(count: int, *, traced: bool) -> tuple[float, float]:
    from picoworkers_async import AsyncPicoworkers

    async with httpx.AsyncClient() as shared:
        make = lambda: AsyncPicoworkers("user_id", "api_secret", http_client=shared)  # noqa: E731
        return await open_many(make, count, traced=traced)


async def own(count: int, *, traced: bool) -> tuple[float, float]:
    from picoworkers_async import AsyncPicoworkers

    return await open_many(lambda: AsyncPicoworkers("user_id", "api_secret"), count, traced=traced)


async def own_lanes(count: int, *, traced: bool) -> tuple[float, float]:
    from picoworkers_async import AsyncPicoworkers

    make = lambda: AsyncPicoworkers("user_id", "api_secret", transport="lanes")  # noqa: E731
    return await open_many(make, count, traced=traced)


async def httpx_clients(count: int, *, traced: bool) -> tuple[float, float]:
    return await open_many(httpx.AsyncClient, count, traced=traced)


WAYS = {way.__name__: way for way in (beside_shared, own, own_lanes, httpx_clients)}


def measured(way: str, count: int) -> tuple[float, float, float]:
    """Seconds, MB resident, and MB that Python allocated, for so many clients."""
    figures = []
    for how in ("plain", "traced"):
        command = [sys.executable, __file__, way, str(count), how]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures += [float(figure) for figure in printed.split()]
    return figures[0], figures[1], figures[3]


def main() -> None:
    if len(sys.argv) > 1:
        way, count, how = sys.argv[1:]
        print(*asyncio.run(WAYS[way](int(count), traced=how == "traced")))
        return
    seconds, process, python = measured("beside_shared", SHARING)
    print(f"a client beside a shared http_client: {python / SHARING * 1e3:.1f} kB allocated, "
          f"{process / SHARING * 1e3:.1f} kB resident, {seconds / SHARING * 1e6:.0f} us   goal 50 kB")  # fmt: skip
    results = {way: measured(way, OWN) for way in ("own", "own_lanes", "httpx_clients")}
    for way, (seconds, process, python) in results.items():
        print(f"{OWN} of {way:14}: {process:6.1f} MB resident, {python:6.1f} MB allocated, {seconds:.3f} s")
    for way in ("own", "own_lanes"):
        ratios = (one / other for one, other in zip(results[way], results["httpx_clients"], strict=True))
        print("{} against httpx.AsyncClient: {:.4f} of the time, {:.3f} of the memory, {:.3f} of what is allocated"
              .format(way, *ratios))  # fmt: skip


if __name__ == "__main__":
    main()
