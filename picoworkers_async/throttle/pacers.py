"""One pace for several processes: what a shared pacer does, and what happens while its store is lost."""

from __future__ import annotations

import logging
from typing import Protocol

import anyio
import attrs

from ..errors import PicoworkersError
from . import pace as paces

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

    `sharers` is how many clients used the store in the last minute, `epoch` a name that changes when the store
    has lost its state, `margin` what was added to the interval.
    """

    wait: float
    slot: float
    until: float
    sharers: int
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


class SharedPace:
    """A pacer as the gate uses it. While the store is lost, a share of the limit that is safe for all."""

    def __init__(self, pacer: Pacer, interval: float) -> None:
        self._pacer = pacer
        self._interval = interval
        self._sharers = 1
        self._epoch: str | None = None
        self._private: paces.Pace | None = None
        self._asked_at = 0.0
        self.margin = paces.LEAST_MARGIN

    async def reserve(self) -> tuple[float, Reservation | None]:
        """The time to send, by the event loop's clock, and the reservation if it is the store's."""
        now = anyio.current_time()
        if self._private is not None and now - self._asked_at < _TRY_AGAIN:
            return self._reserve_privately(now), None
        try:
            reservation = await self._pacer.reserve(self._interval)
            if self._private is not None or self._epoch not in (None, reservation.epoch):
                # Others may not have noticed yet that the store is back: nobody sends until they have.
                await self._pacer.pause(_PAUSE_AFTER_LOSS, widen=False)
                self._epoch, self._private = reservation.epoch, None
                logger.warning("the pacer's store is back, perhaps without its state; everybody waits a moment")
                reservation = await self._pacer.reserve(self._interval)
        except PacerLost as lost:
            self._lose(lost, now)
            return self._reserve_privately(now), None
        self._sharers, self._epoch, self.margin = reservation.sharers, reservation.epoch, reservation.margin
        return anyio.current_time() + reservation.wait, reservation

    async def silent_for(self) -> float:
        """How long to wait although the slot has come, because somebody was told 429 meanwhile."""
        if self._private is not None:
            return self._private.silent_until - anyio.current_time()
        try:
            return await self._pacer.silent_for()
        except PacerLost as lost:
            self._lose(lost, anyio.current_time())
            return self._interval * self._shares()

    async def give_back(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            try:
                await self._pacer.give_back(reservation)
            except PacerLost as lost:
                self._lose(lost, anyio.current_time())

    async def too_many(self, seconds: float) -> None:
        """A 429 came to this client; everybody who shares the store is silent."""
        now = anyio.current_time()
        if self._private is not None:
            self._private = paces.too_many(self._private, now, seconds)
        try:
            await self._pacer.pause(seconds, widen=True)
        except PacerLost as lost:
            self._lose(lost, now)

    def _shares(self) -> int:
        return max(2, self._sharers)

    def _lose(self, lost: PacerLost, now: float) -> None:
        self._asked_at = now
        if self._private is None:
            logger.warning("the pacer's store is lost (%s); going on with 1/%d of the limit", lost, self._shares())
            interval = self._interval * self._shares()
            self._private = paces.Pace(interval=interval, next_slot=now + interval)

    def _reserve_privately(self, now: float) -> float:
        assert self._private is not None  # noqa: S101
        self._private, slot = paces.reserve(self._private, now)
        return slot
