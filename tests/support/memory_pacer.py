"""A pacer in memory, on the event loop's own time, whose store can be lost and come back empty."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import attrs

from picoworkers_async.throttle import pacing as paces
from picoworkers_async.throttle.pacers import Departure, PacerLost, Reservation


@attrs.define(eq=False)
class MemoryStore:
    """What the pacers of several clients have in common."""

    lost: bool = False
    generation: int = 0
    pace: paces.Pace | None = None
    clients: list[MemoryPacer] = attrs.field(factory=list)
    asked: int = 0

    def empty(self) -> None:
        self.generation += 1
        self.pace = None

    def pacer(self) -> MemoryPacer:
        self.clients.append(MemoryPacer(self))
        return self.clients[-1]


@attrs.define(eq=False)
class MemoryPacer:
    """A `Pacer` of a store."""

    store: MemoryStore

    def bind(self, account: str) -> None:
        pass

    async def reserve(self, interval: float) -> Reservation:
        now, pace = await self._begin(interval)
        pace, slot = paces.reserve(pace, now)
        self.store.pace = pace
        rank, sharers = self.store.clients.index(self), len(self.store.clients)
        margin = paces.margin(pace, now)
        return Reservation(slot - now, slot, pace.next_slot, sharers, rank, str(self.store.generation), margin)

    async def depart(self, interval: float, held: Departure | None) -> Departure:
        now, pace = await self._begin(interval)
        epoch = str(self.store.generation)
        at, until = (held.at, held.until) if held is not None and held.epoch == epoch else (None, None)
        self.store.pace, at, until = paces.depart(pace, now, held=at, until=until)
        return Departure(at - now, at, until, epoch)

    async def give_back(self, reservation: Reservation) -> None:
        _, pace = await self._begin(0.0)
        if reservation.epoch == str(self.store.generation):
            self.store.pace = paces.give_back(pace, reservation.slot, reservation.until)

    async def pause(self, seconds: float, *, widen: bool) -> None:
        now, pace = await self._begin(0.0)
        self.store.pace = (paces.too_many if widen else paces.silence)(pace, now, seconds)

    async def _begin(self, interval: float) -> tuple[float, paces.Pace]:
        await anyio.lowlevel.checkpoint()
        self.store.asked += 1
        if self.store.lost:
            raise PacerLost("gone")
        now = anyio.current_time()
        pace = self.store.pace or paces.Pace(
            next_slot=now + interval, next_departure=now + interval, margin_at=now, alone=paces.ALONE_SECONDS
        )
        return now, pace._replace(interval=interval or pace.interval)
