"""How well a limit is kept: ours beside aiolimiter, pyrate-limiter and throttled-py, in one run.

The service is simulated: it counts arrivals, allows so many in any second, and after one too many answers 429 for
a second. A request takes half its latency to arrive; latencies jitter by 10%, of which the way there has a
hundredth. Each limiter is driven at full load by callers enough for the rate, while a lone interactive call asks
for a permission every half second. Printed: the share of the permitted requests used, the 429s, and the wait of
the interactive call in intervals (median).
"""

from __future__ import annotations

import random
import statistics
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from aiolimiter import AsyncLimiter
from pyrate_limiter import Duration, Limiter, Rate
from throttled.asyncio import RateLimiterType, Throttled, per_sec

from picoworkers_async import Priority, Throttle
from picoworkers_async.sandbox.limiter import Limiter as Service

RATES = (1, 10, 50, 200)
LATENCIES = (0.005, 0.05, 0.5)
COOLDOWN = 1.0

Permission = Callable[[bool], AbstractAsyncContextManager[Callable[[bool], None]]]


def ours(rate: int, callers: int) -> Permission:
    throttle = Throttle(callers + 2, float(rate), cooldown=COOLDOWN)

    @asynccontextmanager
    async def permission(interactive: bool) -> AsyncIterator[Callable[[bool], None]]:
        await throttle.acquire(Priority.INTERACTIVE if interactive else Priority.BATCH)
        refused: list[bool] = []
        departed_at = throttle.departed()
        try:
            yield refused.append
        finally:
            throttle.release()
        if refused == [True]:
            await throttle.too_many()
        else:
            throttle.answered(departed_at)

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


async def measure(make: Callable[[int, int], Permission], rate: int, latency: float) -> tuple[float, int, float]:
    callers = max(4, int(rate * latency * 1.5) + 2)
    permission, service, rng = make(rate, callers), Service(float(rate), COOLDOWN), random.Random(1)
    seconds = 8.0 if rate == 1 else 4.0
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


def main() -> None:
    print(f"{'rate':>5} {'latency':>8}  " + "  ".join(f"{way.__name__:>22}" for way in WAYS))
    print(f"{'':>14}  " + "  ".join(f"{'share  429s  wait':>22}" for _ in WAYS))
    for rate in RATES:
        for latency in LATENCIES:
            cells = []
            for way in WAYS:
                share, refused, wait = anyio.run(measure, way, rate, latency)
                cells.append(f"{share:9.3f} {refused:5d} {wait:6.2f}")
            print(f"{rate:5d} {latency * 1000:6.0f} ms  " + "  ".join(cells), flush=True)


WAYS = (ours, aiolimiter, pyrate, throttled)

if __name__ == "__main__":
    main()
