"""One pace for several processes: what a shared pacer does, and what happens while its store is lost."""

from __future__ import annotations

import logging
import math
import time
from typing import Protocol

import anyio
import attrs

from ..errors import PicoworkersError
from . import pacing as paces

logger = logging.getLogger("picoworkers_async")

_TRY_AGAIN = 5.0
_PAUSE_AFTER_LOSS = 6.0


class PacerError(PicoworkersError):
    """A pacer cannot be used as it was set up: not a database, not writable, a password that is refused."""


class PacerLost(Exception):
    """The store of a pacer does not answer now, but may again."""


@attrs.frozen
class Reservation:
    """A time to send: `wait` seconds from now; `slot`, and the next one, `until`, by the store's own clock.

    `sharers` is how many clients used the store in the last minute, `rank` this one's place among them, from 0;
    `epoch` is a name that changes when the store has lost its state, `margin` what was added to the interval.
    """

    wait: float
    slot: float
    until: float
    sharers: int
    rank: int
    epoch: str
    margin: float


class Pacer(Protocol):
    """Hands out reservations for an account, first come, first served, to all who use the same store.

    Every method raises `PacerLost` if the store does not answer.
    """

    def bind(self, account: str) -> None:
        """Use this account, if none was named before. The name gives no secret away."""

    async def reserve(self, interval: float) -> Reservation:
        """Take the next slot. Raises `PacerError` if the store cannot be used at all."""

    async def silent_for(self) -> float:
        """How many seconds everybody still has to be silent."""

    async def give_back(self, reservation: Reservation) -> None:
        """Return a slot that will not be used, where nobody has taken a later one."""

    async def pause(self, seconds: float, *, widen: bool) -> None:
        """Have everybody be silent for so long; after a 429, with a wider margin."""


def turn(now: float, *, interval: float, sharers: int, rank: int) -> float:
    """The next turn, at or after `now`, of one client among several that only have the time of day in common.

    Each has every so-manieth interval to itself, so that together they keep their distance.
    """
    period = interval * sharers
    phase = interval * rank
    return math.ceil((now - phase) / period) * period + phase


class SharedPace:
    """A pacer as the gate uses it.

    While the store is lost, clients take turns by the time of day, as many as there were in the last minute.
    That keeps the limit as long as their clocks agree to within the margin, and nobody else joins.
    """

    def __init__(self, pacer: Pacer, interval: float) -> None:
        self._pacer = pacer
        self._interval = interval
        self._sharers, self._rank = 2, 0
        self._epoch: str | None = None
        self._lost = False
        self._asked_at = 0.0
        self._not_before = 0.0
        self.margin = paces.LEAST_MARGIN

    async def reserve(self) -> tuple[float, Reservation | None]:
        """The time to send, by the event loop's clock, and the reservation if it is the store's."""
        now = anyio.current_time()
        if self._lost and now - self._asked_at < _TRY_AGAIN:
            return self._take_turn(now), None
        try:
            reservation = await self._pacer.reserve(self._interval)
            if self._lost or self._epoch not in (None, reservation.epoch):
                # Others may not have noticed yet that the store is back: nobody sends until they have.
                await self._pacer.pause(_PAUSE_AFTER_LOSS, widen=False)
                self._lost = False
                logger.warning("the pacer's store is back, perhaps without its state; everybody waits a moment")
                reservation = await self._pacer.reserve(self._interval)
        except PacerLost as lost:
            self._lose(lost, now)
            return self._take_turn(now), None
        self._sharers, self._rank = reservation.sharers, reservation.rank
        self._epoch, self.margin = reservation.epoch, reservation.margin
        return anyio.current_time() + reservation.wait, reservation

    async def silent_for(self) -> float:
        """How long to wait although the slot has come, because somebody was told 429 meanwhile."""
        if self._lost:
            return 0.0
        try:
            return await self._pacer.silent_for()
        except PacerLost as lost:
            now = anyio.current_time()
            self._lose(lost, now)
            return self._take_turn(now) - now

    async def give_back(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            try:
                await self._pacer.give_back(reservation)
            except PacerLost as lost:
                self._lose(lost, anyio.current_time())

    async def too_many(self, seconds: float) -> None:
        """A 429 came to this client; everybody who shares the store is silent."""
        self._not_before = max(self._not_before, anyio.current_time() + seconds)
        try:
            await self._pacer.pause(seconds, widen=True)
        except PacerLost as lost:
            self._lose(lost, anyio.current_time())

    def _lose(self, lost: PacerLost, now: float) -> None:
        self._asked_at = now
        if not self._lost:
            self._lost = True
            # Until then, others may still use what they have reserved.
            self._not_before = max(self._not_before, now + (self._sharers + 1) * self._interval)
            what = "the pacer's store is lost (%s); this client goes on with its turn among %d"
            logger.warning(what, lost, self._sharers)

    def _take_turn(self, now: float) -> float:
        interval = self._interval * (1.0 + self.margin)
        day = time.time() - now
        slot = (
            turn(max(now, self._not_before) + day, interval=interval, sharers=self._sharers, rank=self._rank) - day
        )
        self._not_before = slot + interval / 2
        return slot
