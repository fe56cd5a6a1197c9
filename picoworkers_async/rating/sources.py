"""The sources of a batch's ratings: the interface, and ratings that the caller gives."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from operator import length_hint
from typing import NamedTuple, Protocol

import anyio.lowlevel

from ..models import Rating
from ..session import Session
from .in_flight import InFlight
from .known_jobs import KnownJobs
from .outcomes import OutcomeStatus
from .pending import PendingRating, Result
from .progress import Standing
from .queue import RatingQueue
from .raised import failure_of_input
from .signal import Signal
from .watch import ServiceWatch

# Ratings that need not wait must not keep everybody else from running.
_UNINTERRUPTED = 64


class Parts(NamedTuple):
    """What a source shares with the pipeline."""

    session: Session
    queue: RatingQueue
    in_flight: InFlight
    changed: Signal
    room: Signal
    watch: ServiceWatch
    jobs: KnownJobs


class Source(Protocol):
    """What the pipeline asks of a source of ratings.

    `quiet` says that the outcome of a rating that an earlier run sent is reported only once it is asked for
    again.
    """

    quiet: bool

    @property
    def exhausted(self) -> bool:
        """Whether nothing more will come."""

    @property
    def live(self) -> bool:
        """Whether more may come from outside, at any time."""

    @property
    def arrived(self) -> int:
        """How many have come so far."""

    async def run(self) -> None:
        """Do whatever has to wait for others."""

    async def fill(self) -> None:
        """Bring what is available at once, as long as it is needed."""

    def stop(self) -> None:
        """Give nothing more; `run` is cancelled right after."""

    def standing(self) -> Standing:
        """How far it is."""

    def ended(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        """These ratings came to their end."""

    def left(self, pending: PendingRating, until: float | None) -> None:
        """This is left, over a limit that is lifted at this time, in seconds since 1970; None: not by time."""


class GivenRatings:
    """The source of `rate`: an iterable, of which no more is taken than is needed, or an async iterable."""

    quiet = True

    def __init__(self, ratings: Iterable[Rating] | AsyncIterable[Rating], parts: Parts) -> None:
        self._queue, self._in_flight = parts.queue, parts.in_flight
        self._changed, self._room = parts.changed, parts.room
        self._later = ratings if isinstance(ratings, AsyncIterable) else None
        self._now = None if isinstance(ratings, AsyncIterable) else iter(ratings)
        self.arrived: int = 0

    @property
    def exhausted(self) -> bool:
        return self._now is None and self._later is None

    @property
    def live(self) -> bool:
        return self._later is not None

    async def run(self) -> None:
        try:
            await self._take()
        except Exception:
            raise
        except BaseException as error:
            raise await failure_of_input(error, "ratings") from error

    async def _take(self) -> None:
        if self._later is None:
            return
        async for rating in self._later:
            self.arrived += 1
            pending = await self._in_flight.accept(rating)
            if pending is not None:
                self._queue.put(pending)
            self._changed.wake()
            if self.arrived % _UNINTERRUPTED == 0:
                await anyio.lowlevel.checkpoint()
            while not self._queue.has_room:
                await self._room.wait()
        self._later = None

    async def fill(self) -> None:
        while self._now is not None and not self._queue.full:
            try:
                rating = next(self._now)
            except StopIteration:
                self._now = None
                return
            except Exception:
                raise
            except BaseException as error:
                raise await failure_of_input(error, "ratings") from error
            self.arrived += 1
            pending = await self._in_flight.accept(rating)
            if pending is not None:
                self._queue.put(pending)
            if self.arrived % _UNINTERRUPTED == 0:
                await anyio.lowlevel.checkpoint()

    def stop(self) -> None:
        self._now = self._later = None

    def standing(self) -> Standing:
        to_come = None if self._later is not None else 0 if self._now is None else length_hint(self._now, -1)
        return Standing(met=self.arrived, to_come=None if to_come == -1 else to_come)

    def ended(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        """Nothing is remembered of them."""

    def left(self, pending: PendingRating, until: float | None) -> None:
        """It is left to the next batch."""


def given_ratings(
    ratings: Iterable[Rating] | AsyncIterable[Rating],
) -> Callable[[Parts], tuple[GivenRatings, None]]:
    """Makes the source of given ratings."""
    return lambda parts: (GivenRatings(ratings, parts), None)
