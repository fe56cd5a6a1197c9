"""One pace for several processes, as one process sees it: its pacer, and what happens while the store is lost."""

from __future__ import annotations

import logging
import math
from time import time as time_of_day
from typing import NamedTuple

from . import pacing as paces
from .loops import Loops
from .pacers import Departure, Pacer, PacerLost, Reservation

logger: logging.Logger = logging.getLogger("picoworkers_async")

_TRY_AGAIN_AFTER_SECONDS = 5.0
_PAUSE_AFTER_LOSS_SECONDS = 6.0


class SharedSlot(NamedTuple):
    """A slot by the clock of all loops, and its reservation if it is the store's."""

    at: float
    reservation: Reservation | None = None


class Ticket(NamedTuple):
    """The answer to a request that asked to leave. Times are of the clock of all loops.

    The request may be written from `at` until `fresh_until`. If that is over, or never was, it asks again, at
    `at` or later, with this ticket.
    """

    at: float
    fresh_until: float
    departure: Departure | None = None

    def allows(self, now: float) -> bool:
        return self.at <= now <= self.fresh_until


def turn(now: float, *, interval: float, sharers: int, rank: int) -> float:
    """The next turn, at or after `now`, of one client among several that share only the time of day.

    Time is cut into rounds of one interval for each sharer; the client of rank 0 has the first of a round.
    """
    period = interval * sharers
    phase = interval * rank
    return math.ceil((now - phase) / period) * period + phase


class SharedPace:
    """A pacer as the gate uses it.

    While the store is lost, clients take turns by the time of day, as many as there were in the last minute.
    That keeps the limit as long as their clocks agree to within the margin, and nobody else joins.
    """

    def __init__(self, pacer: Pacer, interval: float, loops: Loops) -> None:
        self._pacer = pacer
        self._loops = loops
        self._interval = interval
        self._sharers, self._rank = 2, 0
        self._epoch: str | None = None
        self._lost = False
        self._asked_at = 0.0
        self._not_before = 0.0
        self._least_trip: float | None = None
        self.margin: float = paces.LEAST_MARGIN

    async def reserve(self) -> SharedSlot:
        """Take the next slot."""
        now = self._loops.now()
        if self._lost and now - self._asked_at < _TRY_AGAIN_AFTER_SECONDS:
            return SharedSlot(self._take_turn(now))
        try:
            reservation = await self._pacer.reserve(self._interval)
            if self._lost or self._epoch not in (None, reservation.epoch):
                await self._store_began_anew()
                reservation = await self._pacer.reserve(self._interval)
        except PacerLost as lost:
            self._lose(lost, now)
            return SharedSlot(self._take_turn(now))
        self._sharers, self._rank = reservation.sharers, reservation.rank
        self._epoch, self.margin = reservation.epoch, reservation.margin
        return SharedSlot(self._loops.now() + reservation.wait, reservation)

    async def depart(self, slot: SharedSlot, ticket: Ticket | None) -> Ticket:
        """Ask to leave, right before the request is written, with the previous ticket."""
        now = self._loops.now()
        if self._lost:
            return self._turn_ticket(slot, ticket, now)
        held = None if ticket is None else ticket.departure
        try:
            departure = await self._pacer.depart(self._interval, held)
            if self._epoch not in (None, departure.epoch):
                await self._store_began_anew()
                departure = await self._pacer.depart(self._interval, None)
        except PacerLost as lost:
            self._lose(lost, now)
            return self._turn_ticket(None, None, now)
        self._epoch = departure.epoch
        return self._ticket(departure, asked_at=now)

    async def give_back(self, slot: SharedSlot) -> None:
        """Return a slot that will not be used."""
        if slot.reservation is not None:
            try:
                await self._pacer.give_back(slot.reservation)
            except PacerLost as lost:
                self._lose(lost, self._loops.now())

    async def too_many(self, seconds: float) -> None:
        """A 429 came to this client; everybody who shares the store is silent."""
        with self._loops.lock:
            self._not_before = max(self._not_before, self._loops.now() + seconds)
        try:
            await self._pacer.pause(seconds, widen=True)
        except PacerLost as lost:
            self._lose(lost, self._loops.now())

    def _ticket(self, departure: Departure, *, asked_at: float) -> Ticket:
        """The ticket for an answer of the store, which was right at some moment since it was asked."""
        now = self._loops.now()
        if departure.wait > 0:
            return Ticket(now + departure.wait, -math.inf, departure)
        # Of a store that is far away every answer is old. One that is older than others, by more than the margin
        # allows for, came to a program that was busy.
        usual = self._least_trip or 0.0
        trip = now - asked_at
        self._least_trip = trip if self._least_trip is None else min(trip, self._least_trip)
        return Ticket(asked_at, asked_at + usual + paces.STALE_AFTER_SECONDS, departure)

    async def _store_began_anew(self) -> None:
        """The store is another one, and others may not have noticed yet: nobody sends until they have."""
        await self._pacer.pause(_PAUSE_AFTER_LOSS_SECONDS, widen=False)
        self._lost, self._epoch = False, None
        logger.warning("the pacer's store is back, perhaps without its state; all calls wait a moment")

    def _lose(self, lost: PacerLost, now: float) -> None:
        self._asked_at = now
        if not self._lost:
            self._lost = True
            with self._loops.lock:
                # Until then, others may still use what they have reserved.
                self._not_before = max(self._not_before, now + (self._sharers + 1) * self._interval)
            what = "the pacer's store is lost (%s); until it is back, %d clients take turns"
            logger.warning(what, lost, self._sharers)

    def _turn_ticket(self, slot: SharedSlot | None, ticket: Ticket | None, now: float) -> Ticket:
        """The turn that was taken, if it can be kept; else another."""
        if ticket is not None and ticket.departure is None and now <= ticket.fresh_until:
            return ticket
        kept = ticket is None and slot is not None and slot.reservation is None
        at = slot.at if slot is not None and kept else self._take_turn(now)
        if now > at + paces.STALE_AFTER_SECONDS:
            at = self._take_turn(now)
        return Ticket(at, at + paces.STALE_AFTER_SECONDS)

    def _take_turn(self, now: float) -> float:
        interval = self._interval * (1.0 + self.margin)
        day = time_of_day() - now
        with self._loops.lock:
            earliest = max(now, self._not_before) + day
            slot = turn(earliest, interval=interval, sharers=self._sharers, rank=self._rank) - day
            self._not_before = slot + interval / 2
        return slot
