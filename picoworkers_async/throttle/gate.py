"""The one gate that every call of an account goes through: concurrency, pace, and the pause after a 429."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import anyio
import attrs

from ..errors import InvalidRequestError, Problem
from . import pacing as paces
from .pacers import Pacer, Reservation, SharedPace
from .queue import FairQueue, Priority

# A shared slot that a busy machine missed by more is let go; but not for ever, or nothing would be sent.
_LATE = 0.01
_MOST_MISSES = 5


@attrs.define(eq=False)
class _Caller:
    """One caller waiting at the gate. Its event says: you may go, or it is yours to lead the others."""

    priority: Priority
    group: Hashable
    event: anyio.Event = attrs.field(factory=anyio.Event)
    admitted: bool = False


@attrs.define(eq=False)
class Permit:
    """Leave to send one request. `release` ends it, whatever became of the request."""

    _throttle: Throttle
    _written_at: float | None = None
    _released: bool = False

    async def before_writing(self) -> None:
        """Wait until the request may be written; at once, unless its slot has gone stale. May be called again."""

    def written(self) -> None:
        """The request's head has just been written: the next keeps its distance from this moment."""
        self._written_at = self._throttle.departed()

    def answered(self) -> None:
        """An answer came that is not a 429."""
        if self._written_at is not None:
            self._throttle.answered(self._written_at)

    def release(self) -> None:
        """The request is over."""
        if not self._released:
            self._released = True
            self._throttle.release()


@attrs.frozen
class ThrottleState:
    """A throttle at one moment. Times are in seconds.

    `requests_per_second` is the pace it keeps now, a little below the limit by `margin`, a share of the interval;
    None without a pace. `waiting` counts callers by priority.
    """

    in_flight: int
    waiting: Mapping[Priority, int]
    requests_per_second: float | None
    margin: float
    cooldown_left: float
    rate_limited: int


class Throttle:
    """Keeps all callers of one account within its limits. Share one object between all clients of the account.

    `max_concurrency` is how many requests may be under way at once, `requests_per_second` the pace (None: no
    pace), `cooldown` the seconds everybody stays silent after a 429 that names no time of its own. `pacer` shares
    the pace with other processes (`SqlitePacer`, `RedisPacer`).

    Callers are served by priority, then fairly between batches, then first come, first served; one that gives up
    while waiting gives its place back at once. One place of `max_concurrency`, if it is more than 1, is kept from
    batches, so that an interactive call waits for one interval at most. After a pause one request goes ahead
    alone; the rest follow when it was answered.

    Raises `InvalidRequestError` for a limit that is not a positive, finite number. Source: the 2022 document
    names no limit; the later one allows one request a second and asks for 10 s of silence after a 429.
    """

    def __init__(
        self,
        max_concurrency: int = 8,
        requests_per_second: float | None = None,
        cooldown: float = 10.0,
        pacer: Pacer | None = None,
    ) -> None:
        problems = _limit_problems(max_concurrency, requests_per_second, cooldown)
        if pacer is not None and requests_per_second is None:
            problems.append(Problem("requests_per_second", None, "a rate, for the pacer to share"))
        if problems:
            raise InvalidRequestError("Throttle", problems)
        self.max_concurrency = max_concurrency
        self.requests_per_second = requests_per_second
        self.cooldown = cooldown
        self.pacer = pacer
        interval = 1 / requests_per_second if requests_per_second else 0.0
        self._pace = paces.Pace(interval=interval)
        self._shared = None if pacer is None else SharedPace(pacer, interval)
        self._held: tuple[float, Reservation | None] | None = None
        self._misses = 0
        self._queue: FairQueue[_Caller] = FairQueue()
        self._leader: _Caller | None = None
        self._changed: anyio.Event | None = None
        self._in_flight = 0
        self._probing = False
        self._rate_limited = 0
        self._departed_at = 0.0
        self._least_rtt: float | None = None

    def __repr__(self) -> str:
        return (
            f"Throttle(max_concurrency={self.max_concurrency}, "
            f"requests_per_second={self.requests_per_second}, cooldown={self.cooldown}, pacer={self.pacer})"
        )

    @property
    def batch_concurrency(self) -> int:
        """How many requests of batches may be under way at once: one fewer than all, if that leaves one."""
        return max(1, self.max_concurrency - 1)

    def state(self) -> ThrottleState:
        """How things stand now; to be called where an event loop runs."""
        now = anyio.current_time()
        margin = paces.margin(self._pace, now) if self._shared is None else self._shared.margin
        rate = self.requests_per_second
        return ThrottleState(
            in_flight=self._in_flight,
            waiting={priority: self._queue.waiting(priority) for priority in Priority},
            requests_per_second=None if rate is None else rate / (1.0 + margin),
            margin=0.0 if rate is None else margin,
            cooldown_left=max(0.0, self._pace.silent_until - now),
            rate_limited=self._rate_limited,
        )

    async def acquire(self, priority: Priority = Priority.INTERACTIVE, group: Hashable = None) -> Permit:
        """Wait for permission to send one request. Each permit needs one `release`."""
        if self._open_now(priority):
            self._in_flight += 1
            return Permit(self)
        caller = _Caller(priority, group)
        self._queue.push(caller, priority, group)
        try:
            if self._leader is None:
                self._leader = caller
            else:
                self._notify()
                await caller.event.wait()
            if not caller.admitted:
                await self._lead(caller)
        except BaseException:
            if caller.admitted:
                self.release()
            else:
                self._queue.remove(caller, priority, group)
                await self._give_up_slot()
            raise
        finally:
            if self._leader is caller:
                self._hand_over()
        return Permit(self)

    def release(self) -> None:
        """The request is over."""
        self._in_flight -= 1
        self._notify()

    def departed(self) -> float:
        """The request is leaving now, and the next keeps its distance from this moment. Gives the time."""
        now = anyio.current_time()
        if self._pace.interval and self._shared is None:
            self._pace = paces.departed(self._pace, now)
            self._departed_at = now
        return now

    def answered(self, departed_at: float) -> None:
        """A request was answered without a 429: if it left after the pause, the others may follow."""
        if self._pace.interval and self._shared is None:
            rtt = anyio.current_time() - departed_at
            if departed_at == self._departed_at:
                self._pace = paces.answered(self._pace, departed_at, rtt, self._least_rtt)
            self._least_rtt = rtt if self._least_rtt is None else min(rtt, self._least_rtt)
        if self._probing and departed_at >= self._pace.silent_until:
            self._probing = False
            self._notify()

    async def too_many(self, retry_after: float | None = None) -> float:
        """A 429 came: everybody waits `retry_after` seconds, or the cooldown. Gives the seconds to wait."""
        seconds = self.cooldown if retry_after is None else retry_after
        self._rate_limited += 1
        self._pace = paces.too_many(self._pace, anyio.current_time(), seconds)
        self._probing = True
        self._held = None
        self._notify()
        if self._shared is not None:
            await self._shared.too_many(seconds)
        return seconds

    def _open_now(self, priority: Priority) -> bool:
        """Whether a caller may pass at once, with nobody before it and nothing to wait for."""
        return (
            not self._queue
            and self._pace.interval == 0.0
            and self._in_flight < self._room(priority)
            and not self._probing
        )

    def _room(self, priority: Priority) -> int:
        """How many requests may be under way for a caller of this priority to be let through."""
        if self._probing:
            return 1
        return self.batch_concurrency if priority is Priority.BATCH else self.max_concurrency

    async def _lead(self, me: _Caller) -> None:
        """Wait for each slot on behalf of everybody, and give it to whose turn it is, until it was mine."""
        while not me.admitted:
            if self._in_flight >= self._room(self._queue.peek().priority):
                await self._change_or(math.inf)
                continue
            slot = await self._next_slot()
            wait = max(slot, self._pace.silent_until) - anyio.current_time()
            if wait > 0:
                await self._change_or(wait)
                continue
            if self._held is not None and self._shared is not None:
                silent = await self._shared.silent_for()
                if silent > 0:
                    self._held = (anyio.current_time() + silent, self._held[1])
                    continue
                if self._missed(self._held[0]):
                    self._held = None
                    continue
            self._take_slot()
            caller = self._queue.pop()
            caller.admitted = True
            self._in_flight += 1
            caller.event.set()

    def _missed(self, slot: float) -> bool:
        """Whether a shared slot is so long past that to use it would come too close to the one behind it."""
        late = anyio.current_time() - slot > _LATE
        self._misses = self._misses + 1 if late else 0
        return late and self._misses <= _MOST_MISSES

    async def _next_slot(self) -> float:
        if self._shared is None:
            return self._pace.next_slot
        if self._held is None:
            self._held = await self._shared.reserve()
        return self._held[0]

    def _take_slot(self) -> None:
        self._held = None
        if self._shared is None:
            self._pace, _ = paces.reserve(self._pace, anyio.current_time())

    async def _give_up_slot(self) -> None:
        """Nobody is left to use the slot that was reserved: give it back to the other processes."""
        if self._held is not None and not self._queue and self._shared is not None:
            reservation, self._held = self._held[1], None
            with anyio.CancelScope(shield=True):
                await self._shared.give_back(reservation)

    async def _change_or(self, seconds: float) -> None:
        """Wait until something changed, for `seconds` at most."""
        self._changed = anyio.Event()
        with anyio.move_on_after(seconds):
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
