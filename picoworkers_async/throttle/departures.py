"""Requests from their permit to their answer: which may leave now, and which are in flight."""

from __future__ import annotations

import math

import attrs

from . import pacing as paces
from .bound import WaitBound
from .learning import Learning
from .loops import LATE_AFTER_SECONDS, Loop, Loops, Wait
from .pacers import Pacer
from .shared_pace import SharedPace, SharedSlot, Ticket


class Departures:
    """The requests of one account that were admitted, and the pace that they keep.

    A request that was admitted may take a while until it is written, to open a connection or because the program
    is busy. So the distance is kept where it counts: one request at a time is between `before_writing` and
    `written`, and it gets there only when the one before it is far enough away. A slow connection holds up
    nobody else.

    Without an interval the pace is learned: `learning` is what is known of it, and `batches_at_once` how many
    requests of batches may be in flight. Everything that is not a coroutine is one step under the lock of the
    loops.
    """

    def __init__(self, interval: float, pacer: Pacer | None, loops: Loops) -> None:
        self.loops: Loops = loops
        self.pace: paces.Pace = paces.Pace(interval=interval)
        self.learning: Learning | None = None if interval else Learning()
        self.batches_at_once: float = math.inf if self.learning is None else self.learning.batches_at_once
        self.shared: SharedPace | None = None if pacer is None else SharedPace(pacer, interval, loops)
        self.in_flight: int = 0
        self.probing: bool = False
        self._on_the_wire = 0
        self._leaving: Permit | None = None
        self._latest: Permit | None = None
        self._least_rtt: float | None = None

    def admit(self, loop: Loop, slot: SharedSlot | None) -> Permit:
        """Admit one more, in its loop; with its slot, if it comes from a pacer."""
        self.in_flight += 1
        if slot is not None:
            permit = Permit(self, loop, slot.at, shared=slot)
        elif not self.pace.interval:
            permit = Permit(self, loop, 0.0)
        else:
            self.pace, at = paces.reserve(self.pace, loop.now())
            permit = Permit(self, loop, at, until=self.pace.next_slot)
        loop.permits.add(permit)
        return permit

    def silence(self, seconds: float) -> float:
        """A 429 came: nobody leaves for this long, or longer, and then one alone. Returns the seconds."""
        now = self.loops.here().now()
        if self.learning is None:
            self.pace = paces.too_many(self.pace, now, seconds)
        else:
            seconds = self.learning.refused(now, seconds, alone=self.probing)
            self.batches_at_once = math.inf
            self._keep_learned_pace(self.learning)
            self.pace = paces.silence(self.pace, now, seconds)
        self.probing = True
        self.loops.notify()
        return seconds

    def why_waiting(self, room: float) -> str:
        """What a request waits for now, of which `room` may be in flight at once."""
        left = self.pace.silent_until - self.loops.now()
        if left > 0:
            return f"a pause after a 429, {left:.3g} s of which are left"
        if self.probing:
            return "a pause after a 429, after which one request goes ahead alone"
        if self.in_flight >= room:
            return f"all {room:g} places are taken"
        return "the pace"

    async def leave(self, permit: Permit) -> None:
        """Wait until this request may be written, and keep the others from writing meanwhile."""
        while self.pace.interval or self.probing:
            with self.loops.lock:
                step = self._leaving_step(permit)
            if isinstance(step, SharedSlot) and self.shared is not None:
                try:
                    ticket = await self.shared.depart(step, permit.ticket)
                except BaseException:
                    with self.loops.lock:
                        self._stop_leaving(permit)
                    raise
                with self.loops.lock:
                    step = self._with_ticket(permit, ticket)
            if not isinstance(step, Wait):
                return
            await step.over()

    def look_after_others(self, here: Loop) -> None:
        """Make sure that what other loops hold does not make this one wait for ever."""
        self.loops.look_after_others(here)
        leaving = self._leaving
        if leaving is not None and leaving.loop is not here and leaving.loop.silent_for(LATE_AFTER_SECONDS):
            # It may be written at any moment, and nobody knows when.
            now = here.now()
            self._departed(now, now)
            self._stop_leaving(leaving)

    def wrote(self, permit: Permit) -> None:
        if permit.written_at is None and not permit.released:
            self._on_the_wire += 1
        if not (self.pace.interval or self.probing or self._leaving):
            # Nobody keeps a distance from it, and no pause has begun: the clock is not asked.
            permit.written_at = -math.inf
            return
        now = permit.loop.now()
        if permit.ticket is None:
            self._departed(permit.due, now)
        elif now > permit.ticket.fresh_until:
            self._departed(now, now)
        permit.written_at = now
        permit.use_up()
        self._latest = permit
        self._stop_leaving(permit)
        if self.learning is not None and self.pace.interval:
            self.learning.departed(now)
            self._keep_learned_pace(self.learning)

    def answered(self, permit: Permit) -> None:
        if self.learning is not None:
            self.batches_at_once = self.learning.answered(permit.loop.now())
        if permit.written_at is None:
            self.wrote(permit)
        elif self.pace.interval and self.shared is None:
            rtt = permit.loop.now() - permit.written_at
            if permit is self._latest:
                self.pace = paces.answered(self.pace, permit.written_at, rtt, self._least_rtt)
            self._least_rtt = rtt if self._least_rtt is None else min(rtt, self._least_rtt)
        if self.probing and permit.written_at is not None and permit.written_at >= self.pace.silent_until:
            self.probing = False
            self.loops.notify()

    def end(self, permit: Permit) -> None:
        permit.loop.permits.discard(permit)
        self.in_flight -= 1
        if permit.written_at is not None:
            self._on_the_wire -= 1
        elif permit.may_write:
            # Some of it may have been written, at any moment until now.
            now = self.loops.now()
            self._departed(now, now)
        elif permit.until is not None:
            self.pace = paces.give_back(self.pace, permit.due, permit.until)
        self._stop_leaving(permit)
        self.loops.notify()

    def forget(self) -> None:
        """In a child process: nothing of its parent's is in flight here. The pace, and a cooldown, are kept."""
        self.loops.forget()
        self.in_flight = self._on_the_wire = 0
        self._leaving = self._latest = None

    def _keep_learned_pace(self, learning: Learning) -> None:
        if learning.interval != self.pace.interval:
            self.pace = self.pace._replace(interval=learning.interval)

    def _leaving_step(self, permit: Permit) -> Wait | SharedSlot | None:
        """The next step for a request to be written: wait, ask the pacer for its slot, or (None) write."""
        now = permit.loop.now()
        if self._may_write_now(permit, now):
            return None
        if self._must_let_others(permit):
            self.look_after_others(permit.loop)
            if self._must_let_others(permit):
                return self.loops.wait(permit.loop, math.inf)
        self._leaving = permit
        if self.shared is not None and permit.shared is not None:
            return permit.shared
        if self.pace.interval and permit.due < self.pace.next_departure:
            self.pace, permit.due = paces.reserve(self.pace, now)
            permit.until = self.pace.next_slot
        return self._write_at(permit, permit.due)

    def _with_ticket(self, permit: Permit, ticket: Ticket) -> Wait | None:
        """The pacer has answered."""
        permit.ticket, permit.due = ticket, ticket.at
        if self._leaving not in (None, permit):
            # This loop was given up meanwhile, and another one's request is leaving.
            return Wait(0.0)
        return self._write_at(permit, max(permit.due, self.pace.next_departure))

    def _write_at(self, permit: Permit, at: float) -> Wait | None:
        now = permit.loop.now()
        at = max(at, self.pace.silent_until)
        if at <= now and (permit.ticket is None or permit.ticket.allows(now)):
            permit.may_write = True
            return None
        self._stop_leaving(permit)
        return Wait(at - now)

    def _may_write_now(self, permit: Permit, now: float) -> bool:
        """Whether a request that was allowed to write, and has not yet, still may."""
        return (
            self._leaving is permit
            and permit.may_write
            and self.pace.silent_until <= now
            and (permit.ticket is None or permit.ticket.allows(now))
        )

    def _must_let_others(self, permit: Permit) -> bool:
        """Whether another one is leaving now, or was sent ahead after a cooldown and is not answered yet."""
        others = self._on_the_wire - (permit.written_at is not None and not permit.released)
        return self._leaving not in (None, permit) or (self.probing and others > 0)

    def _departed(self, due: float, now: float) -> None:
        if self.pace.interval:
            self.pace = paces.departed(self.pace, due, now)

    def _stop_leaving(self, permit: Permit) -> None:
        if self._leaving is permit:
            self._leaving, permit.may_write = None, False
            self.loops.notify()


@attrs.define(eq=False, repr=False)
class Permit:
    """Permission to send one request. It needs one `release`, whatever becomes of the request.

    `due` is when it should leave, `until` is the slot after its own; both may change while it waits. `shared`
    and `ticket` come from a pacer. `waited` is how many seconds it was waited for, as far as the caller noted
    that. While `may_have_left` is False, certainly nothing of the request was written. `bound` is how long it
    may wait, None for ever.
    """

    _departures: Departures
    loop: Loop
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
        """Use up what was given for one write: it is not valid for another."""
        self.ticket = None
        if self.shared is not None:
            self.shared = SharedSlot(-math.inf)

    async def before_writing(self) -> None:
        """Wait until the request may be written; call it when nothing else is left to wait for.

        Until `written` or `release`, no other request of the account is written, so nothing slow (such as
        opening a connection) belongs in between. It may be called again right before the write: it returns at
        once unless the program was busy meanwhile, or a 429 came. Raises `GateTimeoutError` if its `bound` is
        used up, unless some of the request may have been written before.
        """
        if self.bound is None or self.may_have_left or self.written_at is not None:
            await self._departures.leave(self)
            return
        with self.bound.counting(lambda: self._departures.why_waiting(math.inf)):
            await self._departures.leave(self)

    def written(self) -> None:
        """The request's head has been written; the next request keeps its distance from this moment."""
        with self._departures.loops.lock:
            self._departures.wrote(self)

    def answered(self) -> None:
        """An answer other than 429 came: if the request left after the cooldown, the others may follow."""
        with self._departures.loops.lock:
            self._departures.answered(self)

    def left_at(self) -> float:
        """When it was written, by the clock of its event loop; minus infinity if that is not known."""
        return -math.inf if self.written_at is None else self.loop.by_its_own_clock(self.written_at)

    def held_up(self) -> bool:
        """Whether nothing may leave for a while, because a 429 came."""
        departures = self._departures
        return departures.probing and departures.pace.silent_until > self.loop.now()

    def release(self) -> None:
        """The request is over. May be called more than once."""
        if not self.released:
            with self._departures.loops.lock:
                if not self.released:
                    self.released = True
                    self._departures.end(self)
