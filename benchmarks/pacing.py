"""How well a limit is kept: ours beside aiolimiter, pyrate-limiter and throttled-py, in one run.

The service is simulated: it counts arrivals, allows so many in any second, and after one too many answers 429 for
a second. A request takes half its latency to arrive; latencies jitter by 10%, of which the way there has a
hundredth. Each limiter is driven at full load by callers enough for the rate, while a lone interactive call asks
for a permission every half second. Printed: the share of the permitted requests used, the 429s, and the wait of
the interactive call in intervals (median).

`--seconds 60` takes a minute for each row, `--ours` leaves the others out.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from aiolimiter import AsyncLimiter
from pyrate_limiter import Duration, Limiter, Rate
from throttled.asyncio import RateLimiterType, Throttled, per_sec

from picoworkers_async import Priority, Throttle
from picoworkers_async.sandbox.limiter import Limiter as Service

RATES = (1, 10, 50, 200)
SLOW = 10
LATENCIES = (0.005, 0.05, 0.5)
COOLDOWN = 1.0

Permission = Callable[[bool], AbstractAsyncContextManager[Callable[[bool], None]]]


def ours(rate: int, callers: int) -> Permission:
    throttle = Throttle(callers + 2, float(rate), cooldown=COOLDOWN)

    @asynccontextmanager
    async def permission(interactive: bool) -> AsyncIterator[Callable[[bool], None]]:
        permit = await throttle.acquire(Priority.INTERACTIVE if interactive else Priority.BATCH)
        refused: list[bool] = []
        try:
            await permit.before_writing()
            permit.written()
            yield refused.append
            if refused == [False]:
                permit.answered()
        finally:
            permit.release()
        if refused == [True]:
            await throttle.too_many()

    return permission


def plain(wait: Callable[[], object]) -> Permission:
    """A limiter that only knows how to wait."""

    @asynccontextmanager
    async def permission(interactive: bool) -> AsyncIterator[Callable[[bool], None]]:
        await wait()  # type: ignore[misc]
        yield lambda refused: None

    return permission


def aiolimiter(rate: int, callers: int) -> Permission:
    return plain(AsyncLimiter(rate, 1.0).acquire)


def pyrate(rate: int, callers: int) -> Permission:
    limiter = Limiter(Rate(rate, Duration.SECOND))
    return plain(lambda: limiter.try_acquire_async("account"))


def throttled(rate: int, callers: int) -> Permission:
    limiter = Throttled(key="account", using=RateLimiterType.GCRA.value, quota=per_sec(rate, burst=1), timeout=30)
    return plain(limiter.limit)


Make = Callable[[int, int], Permission]
Row = tuple[float, int, float]


async def measure(make: Make, rate: int, latency: float, seconds: float) -> Row:
    callers = max(4, int(rate * latency * 1.5) + 2)
    permission, service, rng = make(rate, callers), Service(float(rate), COOLDOWN), random.Random(1)
    served: list[float] = []
    refusals = 0
    waits: list[float] = []
    start = anyio.current_time()

    async def call(interactive: bool) -> None:
        nonlocal refusals
        asked = anyio.current_time()
        async with permission(interactive) as report:
            if interactive:
                waits.append(anyio.current_time() - asked)
            jitter = rng.uniform(0.9, 1.1)
            await anyio.sleep(latency / 2 * (1 + (jitter - 1) / 100))
            now = anyio.current_time()
            refused = service.admit(now) > 0
            if refused:
                refusals += 1
            else:
                served.append(now)
            await anyio.sleep(latency / 2 * jitter)
            report(refused)

    async def batch() -> None:
        while anyio.current_time() - start < seconds:
            await call(False)

    async def interactive() -> None:
        while anyio.current_time() - start < seconds:
            await anyio.sleep(0.5)
            await call(True)

    with anyio.move_on_after(seconds + 4):
        async with anyio.create_task_group() as group:
            for _ in range(callers):
                group.start_soon(batch)
            group.start_soon(interactive)
    # Callers stop asking after so many seconds; what arrives later is no longer full load.
    loaded = [at for at in served if at <= start + seconds]
    span = max(loaded[-1] - loaded[0], 1e-9) if len(loaded) > 1 else seconds
    return (len(loaded) - 1) / span / rate, refusals, statistics.median(waits or [0.0]) * rate


async def measure_together(ways: Sequence[Make], rate: int, seconds: float) -> dict[tuple[Make, float], Row]:
    """All at once: at a slow rate they do not disturb each other."""
    rows = {}

    async def one(way: Make, latency: float) -> None:
        rows[way, latency] = await measure(way, rate, latency, seconds)

    async with anyio.create_task_group() as group:
        for way in ways:
            for latency in LATENCIES:
                group.start_soon(one, way, latency)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, help="for each row (default: 20, and 4 at fast rates)")
    parser.add_argument("--ours", action="store_true", help="leave the others out")
    arguments = parser.parse_args()
    ways = (ours,) if arguments.ours else (ours, aiolimiter, pyrate, throttled)
    print(f"{'rate':>5} {'latency':>8}  " + "  ".join(f"{way.__name__:>22}" for way in ways))
    print(f"{'':>14}  " + "  ".join(f"{'share  429s  wait':>22}" for _ in ways))
    for rate in RATES:
        seconds = arguments.seconds or (20.0 if rate <= SLOW else 4.0)
        together = anyio.run(measure_together, ways, rate, seconds) if rate <= SLOW else {}
        for latency in LATENCIES:
            cells = []
            for way in ways:
                row = together.get((way, latency)) or anyio.run(measure, way, rate, latency, seconds)
                cells.append("{:9.3f} {:5d} {:6.2f}".format(*row))
            print(f"{rate:5d} {latency * 1000:6.0f} ms  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
