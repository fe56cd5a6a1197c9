"""A program that keeps the event loop to itself now and then, on virtual time, and callers that write under it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import sniffio
import trio

from picoworkers_async import Throttle
from picoworkers_async.sandbox.limiter import Limiter


def virtual_clock() -> Callable[[], float]:
    """The virtual time of the running loop, to be read from any thread."""
    if sniffio.current_async_library() == "trio":
        return trio.lowlevel.current_clock().current_time
    return asyncio.get_running_loop().time


def block(seconds: float) -> None:
    """What `time.sleep` in a coroutine does: time goes on, and nothing else happens."""
    if sniffio.current_async_library() == "trio":
        trio.lowlevel.current_clock().jump(seconds)  # type: ignore[attr-defined]
    else:
        loop: Any = asyncio.get_running_loop()
        loop._clock.now += seconds


@attrs.define
class Service:
    """A service that counts the requests which arrive, and refuses those over its limit."""

    rate: float
    cooldown: float = 2.0
    arrivals: list[float] = attrs.field(factory=list)
    refused: int = 0

    def __attrs_post_init__(self) -> None:
        self._limiter = Limiter(self.rate, self.cooldown)

    _limiter: Limiter = attrs.field(init=False)

    def arrive(self) -> bool:
        """Whether a request that arrives now is let in."""
        now = anyio.current_time()
        self.arrivals.append(now)
        let_in = self._limiter.admit(now) == 0
        self.refused += not let_in
        return let_in


OPENING = (0.0, 0.0, 0.0, 0.02, 0.25)


async def call_forever(
    throttle: Throttle,
    service: Service,
    rng: random.Random,
    *,
    opening: Sequence[float] = OPENING,
    write_passes: int = 0,
) -> None:
    """Send requests, some on connections to be opened first; a write takes some passes of the loop."""
    while True:
        permit = await throttle.acquire()
        try:
            await anyio.sleep(rng.choice(opening))
            await permit.before_writing()
            for _ in range(write_passes):
                await anyio.lowlevel.checkpoint()
            let_in = service.arrive()
            for _ in range(write_passes):
                await anyio.lowlevel.checkpoint()
            permit.written()
            await anyio.sleep(0.05)
            if let_in:
                permit.answered()
        finally:
            permit.release()
        if not let_in:
            await throttle.too_many()


async def keep_busy(rng: random.Random, longest: float) -> None:
    """Block the loop for 0.2 s to `longest`, at random."""
    while True:
        await anyio.sleep(rng.uniform(0.01, 0.8))
        block(rng.uniform(0.2, longest))
