"""The one gate that every call of an account goes through: concurrency, pace, and the pause after a 429."""

from __future__ import annotations

import math
from collections.abc import Hashable

import anyio
import anyio.lowlevel
import attrs

from ..errors import InvalidRequestError, Problem
from . import pace as paces
from .queue import FairQueue, Priority

# The event loop's timers may fire up to this much late; the rest is waited out in short turns.
_TIMER_SLACK = 0.0015
_FAST_PACE = 0.1


@attrs.define(eq=False)
class _Caller:
    """One caller waiting at the gate. Its event says: you may go, or it is yours to lead the others."""

    priority: Priority
    group: Hashable
    event: anyio.Event = attrs.field(factory=anyio.Event)
    slot: float | None = None


class Throttle:
    """Keeps all callers of one account within its limits. Share one object between all clients of the account.

    `max_concurrency` is how many requests may be under way at once, `requests_per_second` the pace (None: no
    pace), `cooldown` the seconds everybody stays silent after a 429 that names no time of its own. Callers are
    served by priority, then fairly between batches, then first come, first served; one that gives up while
    waiting gives its place back at once. After a pause one request goes ahead alone; the rest follow when it
    was answered.

    Raises `InvalidRequestError` for a limit that is not a positive, finite number. Source: the 2022 document
    names no limit; the later one allows one request a second and asks for 10 s of silence after a 429.
    """

    def __init__(
        self,
        max_concurrency: int = 8,
        requests_per_second: float | None = None,
        cooldown: float = 10.0,
    ) -> None:
        problems = _limit_problems(max_concurrency, requests_per_second, cooldown)
        if problems:
            raise InvalidRequestError("Throttle", problems)
        self.max_concurrency = max_concurrency
        self.requests_per_second = requests_per_second
        self.cooldown = cooldown
        self._pace = paces.Pace(interval=1 / requests_per_second if requests_per_second else 0.0)
        self._queue: FairQueue[_Caller] = FairQueue()
        self._leader: _Caller | None = None
        self._changed: anyio.Event | None = None
        self._in_flight = 0
        self._probing = False
        self._rate_limited = 0

    def __repr__(self) -> str:
        return (
            f"Throttle(max_concurrency={self.max_concurrency}, "
            f"requests_per_second={self.requests_per_second}, cooldown={self.cooldown})"
        )

    async def acquire(self, priority: Priority = Priority.INTERACTIVE, group: Hashable = None) -> float:
        """Wait for permission to send one request; gives the time of its slot. Each needs one `release`."""
        if self._open_now():
            self._in_flight += 1
            return 0.0
        caller = _Caller(priority, group)
        self._queue.push(caller, priority, group)
        try:
            if self._leader is None:
                self._leader = caller
            else:
                await caller.event.wait()
            if caller.slot is None:
                return await self._lead(caller)
            return caller.slot
        except BaseException:
            if caller.slot is None:
                self._queue.remove(caller, priority, group)
            else:
                self.release(unused=caller.slot)
            raise
        finally:
            if self._leader is caller:
                self._hand_over()

    def release(self, *, unused: float | None = None) -> None:
        """The request is over; or it was never sent, and its slot, `unused`, is free for the next caller."""
        self._in_flight -= 1
        if unused is not None:
            self._pace = paces.give_back(self._pace, unused)
        self._notify()

    def departed(self) -> float:
        """The request is leaving now, and the next keeps its distance from this moment. Gives the time."""
        now = anyio.current_time()
        if self._pace.interval:
            self._pace = paces.departed(self._pace, now)
        return now

    def answered(self, departed_at: float) -> None:
        """A request was answered without a 429: if it left after the pause, the others may follow."""
        if self._probing and departed_at >= self._pace.silent_until:
            self._probing = False
            self._notify()

    def too_many(self, retry_after: float | None = None) -> float:
        """A 429 came: everybody waits `retry_after` seconds, or the cooldown. Gives the seconds to wait."""
        seconds = self.cooldown if retry_after is None else retry_after
        self._rate_limited += 1
        self._pace = paces.silence(self._pace, anyio.current_time(), seconds)
        self._probing = True
        self._notify()
        return seconds

    def _open_now(self) -> bool:
        """Whether a caller may pass at once, with nobody before it and nothing to wait for."""
        return (
            not self._queue
            and self._pace.interval == 0.0
            and self._in_flight < self.max_concurrency
            and not self._probing
        )

    async def _lead(self, me: _Caller) -> float:
        """Wait for each slot on behalf of everybody, and give it to whose turn it is, until it was mine."""
        while me.slot is None:
            room = 1 if self._probing else self.max_concurrency
            if self._in_flight >= room:
                await self._change_or(math.inf)
                continue
            now = anyio.current_time()
            wait = max(self._pace.next_slot, self._pace.silent_until) - now
            if wait > 0:
                await self._change_or(wait)
                continue
            caller = self._queue.pop()
            self._pace, caller.slot = paces.reserve(self._pace, now)
            self._in_flight += 1
            caller.event.set()
        return me.slot

    async def _change_or(self, seconds: float) -> None:
        """Wait until something changed, for `seconds` at most; at a fast pace more exactly than timers can."""
        slack = _TIMER_SLACK if 0.0 < self._pace.interval < _FAST_PACE else 0.0
        if seconds < slack:
            await anyio.lowlevel.checkpoint()
            return
        self._changed = anyio.Event()
        with anyio.move_on_after(seconds - slack):
            await self._changed.wait()

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed.set()

    def _hand_over(self) -> None:
        """The leader goes; the next in line, if there is one, leads from here."""
        self._leader = None
        if self._queue:
            self._leader = self._queue.peek()
            self._leader.event.set()


def _limit_problems(max_concurrency: int, requests_per_second: float | None, cooldown: float) -> list[Problem]:
    problems = []
    if isinstance(max_concurrency, bool) or not isinstance(max_concurrency, int) or max_concurrency < 1:
        problems.append(Problem("max_concurrency", max_concurrency, "a whole number, at least 1"))
    if requests_per_second is not None and not _positive(requests_per_second):
        problems.append(
            Problem("requests_per_second", requests_per_second, "a finite number above 0, or None for no pace")
        )
    if not _positive(cooldown) and cooldown != 0:
        problems.append(Problem("cooldown", cooldown, "a finite number of seconds, 0 or more"))
    return problems


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
