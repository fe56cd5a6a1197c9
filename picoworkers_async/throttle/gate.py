"""The one gate that every call of an account goes through: concurrency, pace, and the cooldown after a 429."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Hashable, Mapping
from weakref import WeakSet

import anyio
import attrs

from ..errors import InvalidRequestError
from . import pacing as paces
from .bound import WaitBound
from .departures import Departures, Permit
from .limits import limit_problems
from .lines import Caller, Line, Lines, Next
from .loops import Loops, Wait
from .pacers import Pacer
from .queue import Priority

logger: logging.Logger = logging.getLogger("picoworkers_async")


@attrs.frozen
class ThrottleState:
    """A throttle at one moment. Times are in seconds.

    `requests_per_second` is the pace it keeps now: the limit divided by 1 + `margin`, such as 9.80 for a limit
    of 10 with a margin of 0.02, so that requests which the network brings closer together still keep to the
    limit. If no limit was given, it is the pace learned from 429s (`margin` is 0 then); None without a pace.
    `waiting` counts callers by priority.
    """

    in_flight: int
    waiting: Mapping[Priority, int]
    requests_per_second: float | None
    margin: float
    cooldown_left: float
    rate_limited: int


class Throttle:
    """Keeps all callers of one account within its limits. Share one between all clients of the account.

    The clients may be in several threads and event loops; in a forked child it begins with nothing in flight.

    `max_concurrency` is how many requests may be in flight at once. `requests_per_second` is the pace.
    `cooldown` is how many seconds everybody stays silent after a 429: never less; more if the 429 asks for more,
    up to an hour. `pacer` shares the pace with other processes (`SqlitePacer`, `RedisPacer`).

    Without `requests_per_second` there is no pace until a 429 comes; batches only begin with three requests at
    once, and get one more after every eight answers. From then on this object learns a pace, which is not shared
    with other processes. It stays a little below the rate that was refused, tries a higher one every few
    minutes, later every hour, and is forgotten if there proves to be no limit. A cooldown that is too short is
    then doubled, up to 5 minutes.

    Callers are served by priority, then fairly between batches, then first come, first served. A caller that
    gives up while waiting gives its place back at once. One place of `max_concurrency`, if it is more than 1, is
    kept from batches, so that an interactive call waits for one interval at most. After a cooldown one request
    goes ahead alone; the rest follow once it was answered.

    Raises `InvalidRequestError` for a limit that is not a positive, finite number, and for what is no pacer.
    Source: the API document of 2022 names no limit; that of 2024 allows one request a second and asks for 10 s
    of silence after a 429.
    """

    def __init__(
        self,
        max_concurrency: int = 8,
        requests_per_second: float | None = None,
        cooldown: float = 10.0,
        pacer: Pacer | None = None,
    ) -> None:
        problems = limit_problems(max_concurrency, requests_per_second, cooldown, pacer)
        if problems:
            raise InvalidRequestError("Throttle", problems, sends=False)
        self.max_concurrency = max_concurrency
        self.requests_per_second = requests_per_second
        self.cooldown = cooldown
        self.pacer = pacer
        interval = 1 / requests_per_second if requests_per_second else 0.0
        self._departures = Departures(interval, pacer, Loops())
        self._shared = self._departures.shared
        self._lines = Lines(self._departures, self._room)
        self._rate_limited = 0
        _throttles.add(self)

    def __repr__(self) -> str:
        return (
            f"Throttle(max_concurrency={self.max_concurrency}, "
            f"requests_per_second={self.requests_per_second}, cooldown={self.cooldown}, pacer={self.pacer})"
        )

    @property
    def batch_concurrency(self) -> int:
        """How many requests of batches may be in flight at once: one fewer than all, if that leaves one."""
        return max(1, self.max_concurrency - 1)

    @property
    def permitted_rate(self) -> float | None:
        """Requests per second: as given, else as learned from 429s; None without a pace."""
        if self.requests_per_second is not None:
            return self.requests_per_second
        learning = self._departures.learning
        rate = math.inf if learning is None else learning.learned.rate
        return None if math.isinf(rate) else rate

    def state(self) -> ThrottleState:
        """The throttle's state now; may be called from any thread."""
        departures = self._departures
        with departures.loops.lock:
            now = departures.loops.now()
            pace = departures.pace
            margin = paces.margin(pace, now) if self._shared is None else self._shared.margin
            rate = self.permitted_rate
            if self.requests_per_second is None:
                margin = 0.0
            return ThrottleState(
                in_flight=departures.in_flight,
                waiting={priority: self._lines.waiting(priority) for priority in Priority},
                requests_per_second=None if rate is None else rate / (1.0 + margin),
                margin=margin,
                cooldown_left=max(0.0, pace.silent_until - now),
                rate_limited=self._rate_limited,
            )

    def admit_now(self, priority: Priority = Priority.INTERACTIVE) -> Permit | None:
        """Permission to send one request, as from `acquire`, if there is nothing to wait for."""
        departures = self._departures
        loops = departures.loops
        with loops.lock:
            if (
                departures.pace.interval
                or departures.probing
                or departures.in_flight >= self._room(priority)
                or self._lines
            ):
                return None
            return departures.admit(loops.here(), None)

    async def acquire(
        self,
        priority: Priority = Priority.INTERACTIVE,
        group: Hashable = None,
        bound: WaitBound | None = None,
    ) -> Permit:
        """Wait for permission to send one request; no longer than `bound`, if given, allows.

        The permit says when the request may be written (`before_writing`). Report to it when it was written
        (`written`), answered (`answered`), and over (`release`, or the end of a `with` block). Raises
        `GateTimeoutError` if the bound is used up: the place, and the slot of a pacer, are given back.
        """
        permit = self.admit_now(priority)
        if bound is None:
            return permit or await self._wait(priority, group)
        if permit is None:
            with bound.counting(lambda: self._departures.why_waiting(self._room(priority))):
                permit = await self._wait(priority, group)
        permit.bound = bound
        return permit

    async def too_many(self, retry_after: float | None = None) -> float:
        """A 429 came: everybody waits. Returns how many seconds.

        They are `retry_after`, but at least the cooldown, and at most an hour: a longer one is logged.
        """
        seconds = paces.pause_seconds(retry_after, self.cooldown)
        if retry_after is not None and retry_after > seconds:
            logger.warning("HTTP 429 asks for a pause of %g s; it is cut to %g s", retry_after, seconds)
        with self._departures.loops.lock:
            self._rate_limited += 1
            self._lines.forget_slots()
            seconds = self._departures.silence(seconds)
        if self._shared is not None:
            await self._shared.too_many(seconds)
        return seconds

    def _room(self, priority: Priority) -> float:
        """How many requests may be in flight for a caller of this priority to be admitted."""
        if self._departures.probing:
            return 1
        if priority is Priority.BATCH:
            return min(self.batch_concurrency, self._departures.batches_at_once)
        return self.max_concurrency

    async def _wait(self, priority: Priority, group: Hashable) -> Permit:
        """Wait in this loop's line, and lead it if nobody does."""
        lines, lock = self._lines, self._departures.loops.lock
        with lock:
            line, caller, place = lines.join(priority, group)
        try:
            if line.leader is not caller:
                await caller.event.wait()
            if caller.permit is None:
                return await self._lead(line, caller)
            return caller.permit
        except BaseException as error:
            with lock:
                if caller.permit is not None:
                    caller.permit.release()
                else:
                    lines.leave(line, place)
            if not isinstance(error, GeneratorExit):
                # With its loop closed, nothing of this can wait any more.
                await self._give_up_slot(line)
            raise
        finally:
            with lock:
                if line.leader is caller:
                    line.hand_over()

    async def _lead(self, line: Line, me: Caller) -> Permit:
        """Wait for each slot on behalf of everybody in the line, and give it to the next, until it is mine."""
        while me.permit is None:
            with self._departures.loops.lock:
                step = self._lines.step(line)
            if isinstance(step, Wait):
                await step.over()
            elif step is Next.RESERVE_SLOT and self._shared is not None:
                line.slot = await self._shared.reserve()
        return me.permit

    async def _give_up_slot(self, line: Line) -> None:
        """Nobody is left to use the slot that was reserved: give it back to the other processes."""
        if line.slot is not None and not line.queue and self._shared is not None:
            slot, line.slot = line.slot, None
            with anyio.CancelScope(shield=True):
                await self._shared.give_back(slot)

    def _begin_in_child(self) -> None:
        self._departures.forget()
        self._lines.forget()


def _begin_in_child() -> None:
    for throttle in tuple(_throttles):
        throttle._begin_in_child()


_throttles: WeakSet[Throttle] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
