"""Services whose limit the client is not told, and callers at full load, on virtual time."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import anyio
import attrs

from picoworkers_async import Priority, Throttle


class Limit(Protocol):
    def admit(self, now: float) -> float:
        """Note an arrival: 0 if it may pass, else the seconds after which one may."""


class Window:
    """At most `count` requests in any `seconds`; one too many is refused, and changes nothing."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._arrivals: deque[float] = deque()

    def admit(self, now: float) -> float:
        while self._arrivals and self._arrivals[0] <= now - self._seconds:
            self._arrivals.popleft()
        if len(self._arrivals) >= self._count:
            return self._arrivals[0] + self._seconds - now
        self._arrivals.append(now)
        return 0.0


class NoLimit:
    def admit(self, now: float) -> float:
        return 0.0


@attrs.define
class Changing:
    """One limit until some seconds after the first request, another one from then on."""

    first: Limit
    seconds: float
    second: Limit
    _began: float | None = None

    def admit(self, now: float) -> float:
        self._began = now if self._began is None else self._began
        return (self.first if now - self._began < self.seconds else self.second).admit(now)


@attrs.define
class Stray:
    """No limit, but one 429 some seconds after the first request."""

    seconds: float
    _began: float | None = None
    _refused: bool = False

    def admit(self, now: float) -> float:
        self._began = now if self._began is None else self._began
        if self._refused or now - self._began < self.seconds:
            return 0.0
        self._refused = True
        return 1.0


@attrs.define
class Load:
    """What became of the requests: the times of those let in, how many were refused, and the pauses after that."""

    served: list[float] = attrs.field(factory=list)
    refused: int = 0
    pauses: int = 0

    def share(self, rate: float, *, since: float = 0.0, until: float) -> float:
        """How much of what a rate permits was used, from some seconds after the beginning until others."""
        return sum(since <= at < until for at in self.served) / (until - since) / rate


async def full_load(
    throttle: Throttle, limit: Limit, seconds: float, latency: Sequence[float] = (0.045, 0.055), callers: int = 8
) -> Load:
    """Callers that ask for the next request as soon as one is answered. `latency` is the least and the most."""
    load, rng, began = Load(), random.Random(3), anyio.current_time()

    async def call() -> None:
        with await throttle.acquire(Priority.BATCH) as permit:
            await permit.before_writing()
            permit.written()
            half = rng.uniform(*latency) / 2
            await anyio.sleep(half)
            now = anyio.current_time()
            refused = limit.admit(now) > 0
            await anyio.sleep(half)
            if refused:
                load.refused += 1
                load.pauses += throttle.state().cooldown_left == 0
            else:
                load.served.append(now - began)
                permit.answered()
        if refused:
            await throttle.too_many()

    async def caller() -> None:
        while True:
            await call()

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for _ in range(callers):
                group.start_soon(caller)
    return load
