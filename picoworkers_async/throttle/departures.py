"""What leaves, and what is under way: each request's way from its permit to its answer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import anyio
import attrs

from . import adaptive
from . import pacing as paces
from .bound import WaitBound
from .pacers import Pacer
from .shared_pace import SharedPace, SharedSlot, Ticket


class Departures:
    """The requests of one account that were let through, and the pace that they keep.

    Whoever was let through may still take a while until it writes, to open a connection or because the program is
    busy. So the distance is kept where it counts: one request at a time is between `before_writing` and `written`,
    and it gets there only when the one before it is far enough away. A slow connection holds up nobody else.

    Without an interval the pace is learned: `learned` is what is known of it. Until a 429 came, `batches_at_once`
    is how many requests of batches may be under way.
    """

    def __init__(self, interval: float, pacer: Pacer | None) -> None:
        self.pace: paces.Pace = paces.Pace(interval=interval)
        self.learned: adaptive.LearnedPace = adaptive.LearnedPace()
        self._answers: deque[float] | None = None if interval else deque(maxlen=adaptive.KNOWN_ANSWERS)
        self.batches_at_once: float = math.inf if interval else adaptive.at_once(0)
        self._answered = 0
        self._time: Callable[[], float] = self._first_time
        self.shared: SharedPace | None = None if pacer is None else SharedPace(pacer, interval)
        self.in_flight: int = 0
        self.probing: bool = False
        self._on_the_wire = 0
        self._leaving: Permit | None = None
        self._latest: Permit | None = None
        self._least_rtt: float | None = None
        self._changed: anyio.Event | None = None

    def admit(self, slot: SharedSlot | None) -> Permit:
        """Let one more through; with its slot, if it comes from a pacer."""
        self.in_flight += 1
        if slot is not None:
            return Permit(self, slot.at, shared=slot)
        if not self.pace.interval:
            return Permit(self, 0.0)
        self.pace, at = paces.reserve(self.pace, anyio.current_time())
        return Permit(self, at, until=self.pace.next_slot)

    def silence(self, seconds: float) -> float:
        """A 429 came: nobody leaves for so long, or longer, and then one alone. Gives the seconds."""
        now = anyio.current_time()
        if self._answers is None:
            self.pace = paces.too_many(self.pace, now, seconds)
        else:
            seconds = self._learn(self._answers, seconds)
            self.pace = paces.silence(self.pace, now, seconds)
        self.probing = True
        self.notify()
        return seconds

    async def change_or(self, seconds: float) -> None:
        """Wait until something changed, for `seconds` at most."""
        if self._changed is None or self._changed.is_set():
            self._changed = anyio.Event()
        with anyio.move_on_after(seconds):
            await self._changed.wait()

    def notify(self) -> None:
        if self._changed is not None:
            self._changed.set()

    def why_waiting(self, room: float) -> str:
        """What a request waits for now, of which `room` may be under way at once."""
        left = self.pace.silent_until - anyio.current_time()
        if left > 0:
            return f"a pause after a 429, {left:.3g} s of which are left"
        if self.probing:
            return "a pause after a 429, after which one request goes ahead alone"
        if self.in_flight >= room:
            return f"all {room:g} places are taken"
        return "the pace"

    async def leave(self, permit: Permit) -> None:
        """Wait until this request may be written, and keep the others from writing meanwhile."""
        if not self.pace.interval and not self.probing:
            return
        while True:
            now = anyio.current_time()
            if self._may_write_now(permit, now):
                return
            if self._must_let_others(permit):
                await self.change_or(math.inf)
                continue
            self._leaving = permit
            try:
                at = await self._due(permit, now)
                now = anyio.current_time()
                at = max(at, self.pace.silent_until)
                if at <= now and (permit.ticket is None or permit.ticket.allows(now)):
                    permit.may_write = True
                    return
            except BaseException:
                self._stop_leaving(permit)
                raise
            self._stop_leaving(permit)
            if at > now:
                await anyio.sleep(at - now)

    def wrote(self, permit: Permit) -> None:
        if permit.written_at is None and not permit.released:
            self._on_the_wire += 1
        if not (self.pace.interval or self.probing or self._leaving):
            # Nobody keeps a distance from it, and no pause has begun: the clock is not asked.
            permit.written_at = -math.inf
            return
        now = anyio.current_time()
        if permit.ticket is None:
            self._departed(permit.due, now)
        elif now > permit.ticket.fresh_until:
            self._departed(now, now)
        permit.written_at = now
        permit.use_up()
        self._latest = permit
        self._stop_leaving(permit)
        if self._answers is not None and self.pace.interval:
            self.learned = adaptive.departed(self.learned, self._time())
            self._keep_learned_pace()

    def answered(self, permit: Permit) -> None:
        if self._answers is not None:
            self._answers.append(self._time())
            if self.batches_at_once != math.inf:
                self._answered += 1
                self.batches_at_once = adaptive.at_once(self._answered)
        if permit.written_at is None:
            self.wrote(permit)
        elif self.pace.interval and self.shared is None:
            rtt = anyio.current_time() - permit.written_at
            if permit is self._latest:
                self.pace = paces.answered(self.pace, permit.written_at, rtt, self._least_rtt)
            self._least_rtt = rtt if self._least_rtt is None else min(rtt, self._least_rtt)
        if self.probing and permit.written_at is not None and permit.written_at >= self.pace.silent_until:
            self.probing = False
            self.notify()

    def end(self, permit: Permit) -> None:
        self.in_flight -= 1
        if permit.written_at is not None:
            self._on_the_wire -= 1
        elif permit.may_write:
            # Some of it may have been written, at any moment until now.
            now = anyio.current_time()
            self._departed(now, now)
        elif permit.until is not None:
            self.pace = paces.give_back(self.pace, permit.due, permit.until)
        self._stop_leaving(permit)
        self.notify()

    def _first_time(self) -> float:
        """The clock is loaded, with asyncio, when it is first asked."""
        from ..clock import loop_time

        self._time = loop_time
        return loop_time()

    def _learn(self, answers: deque[float], seconds: float) -> float:
        """What a 429 teaches, and how long the pause should be."""
        now = self._time()
        self.batches_at_once = math.inf
        before = self.learned
        self.learned = adaptive.refused(before, now, seconds, answers, alone=self.probing)
        self._keep_learned_pace()
        return seconds if self.learned is before else self.learned.pause

    def _keep_learned_pace(self) -> None:
        # The margin is for limits that are known. What was learned is below the limit by itself.
        interval = 1.0 / (self.learned.rate * (1.0 + paces.LEAST_MARGIN))
        if interval != self.pace.interval:
            self.pace = self.pace._replace(interval=interval)

    def _may_write_now(self, permit: Permit, now: float) -> bool:
        """Whether a request that was allowed to write, and has not yet, still is."""
        return (
            self._leaving is permit
            and permit.may_write
            and self.pace.silent_until <= now
            and (permit.ticket is None or permit.ticket.allows(now))
        )

    def _must_let_others(self, permit: Permit) -> bool:
        """Whether another one is just leaving, or is sent ahead after a pause and not answered yet."""
        others = self._on_the_wire - (permit.written_at is not None)
        return self._leaving not in (None, permit) or (self.probing and others > 0)

    async def _due(self, permit: Permit, now: float) -> float:
        """When this request may leave, from what it was given before or from something new."""
        if self.shared is not None and permit.shared is not None:
            permit.ticket = await self.shared.depart(permit.shared, permit.ticket)
            permit.due = permit.ticket.at
            return max(permit.due, self.pace.next_departure)
        if self.pace.interval and permit.due < self.pace.next_departure:
            self.pace, permit.due = paces.reserve(self.pace, now)
            permit.until = self.pace.next_slot
        return permit.due

    def _departed(self, due: float, now: float) -> None:
        if self.pace.interval:
            self.pace = paces.departed(self.pace, due, now)

    def _stop_leaving(self, permit: Permit) -> None:
        if self._leaving is permit:
            self._leaving, permit.may_write = None, False
            self.notify()


@attrs.define(eq=False, repr=False)
class Permit:
    """Permission to send one request. It needs one `release`, whatever becomes of the request.

    `due` is when it should leave, `until` the slot after its own; both may change while it waits. `shared` and
    `ticket` are what a pacer gave. `waited` is how many seconds it was waited for, as far as whoever asked noted
    that. While `may_have_left` is False, certainly nothing of the request was written. `bound` is how long it may
    wait, None for ever.
    """

    _departures: Departures
    due: float
    until: float | None = None
    shared: SharedSlot | None = None
    ticket: Ticket | None = None
    may_write: bool = False
    written_at: float | None = None
    released: bool = False
    waited: float = 0.0
    may_have_left: bool = False
    bound: WaitBound | None = None

    def __enter__(self) -> Permit:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def use_up(self) -> None:
        """What was given for one write is not good for another one."""
        self.ticket = None
        if self.shared is not None:
            self.shared = SharedSlot(-math.inf)

    async def before_writing(self) -> None:
        """Wait until the request may be written; to be called when nothing else is left to wait for.

        Until `written` or `release`, no other request of the account is written, so nothing slow (a connection to
        open) belongs in between. May be called again right before the write: it returns at once unless the program
        was busy meanwhile, or a 429 came. Raises `GateTimeoutError` where its `bound` is used up, unless some
        of the request may have been written before.
        """
        if self.bound is None or self.may_have_left or self.written_at is not None:
            await self._departures.leave(self)
            return
        with self.bound.counting(lambda: self._departures.why_waiting(math.inf)):
            await self._departures.leave(self)

    def written(self) -> None:
        """The request's head has just been written; the next request keeps its distance from this moment."""
        self._departures.wrote(self)

    def answered(self) -> None:
        """An answer other than 429 came: if the request left after the pause, the others may follow."""
        self._departures.answered(self)

    def held_up(self) -> bool:
        """Whether nothing may leave for a while, since a 429 came."""
        departures = self._departures
        return departures.probing and departures.pace.silent_until > anyio.current_time()

    def release(self) -> None:
        """The request is over. May be called more than once."""
        if not self.released:
            self.released = True
            self._departures.end(self)
