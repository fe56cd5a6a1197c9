"""The interface of a pacer that several processes share, and the plain values that it returns."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..errors import Fate, PicoworkersError


class PacerError(PicoworkersError):
    """A pacer cannot be used as it was set up: not a database, not writable, a password that is refused."""

    fate = Fate.NOT_PROCESSED
    _paragraph = "pacererror"


class PacerLost(Exception):
    """The store of a pacer does not answer now, but may again."""


class Reservation(NamedTuple):
    """A slot: `wait` seconds from now; `slot`, and the next one, `until`, by the store's own clock.

    `sharers` is how many clients used the store in the last minute, and `rank` this one's place among them, from
    0. `epoch` is a name that changes when the store has lost its state. `margin` is what was added to the
    interval.
    """

    wait: float
    slot: float
    until: float
    sharers: int
    rank: int
    epoch: str
    margin: float


class Departure(NamedTuple):
    """Permission to leave in `wait` seconds; 0 or less means now.

    `at`, and the next departure, `until`, are by the store's own clock; they are the same while nothing is kept
    for this request. `epoch` is as in `Reservation`.
    """

    wait: float
    at: float
    until: float
    epoch: str


class Pacer(Protocol):
    """Hands out slots and departures for an account, first come, first served, to all who use the same store.

    A throttle calls it in each event loop that uses it, also from several threads at once. Every method raises
    `PacerLost` if the store does not answer.
    """

    def bind(self, account: str) -> None:
        """Use this account, if none was named before. The name does not reveal a secret."""

    async def reserve(self, interval: float) -> Reservation:
        """Take the next slot. Raises `PacerError` if the store cannot be used at all."""

    async def give_back(self, reservation: Reservation) -> None:
        """Return a slot that will not be used, if nobody has taken a later one."""

    async def depart(self, interval: float, held: Departure | None) -> Departure:
        """Ask, right before a request is written, whether it may leave.

        If it must wait, it asks again when the time has come, with the answer of before. A request that was let
        down once has the next departure kept for it.
        """

    async def pause(self, seconds: float, *, widen: bool) -> None:
        """Silence everybody for this long; after a 429, with a wider margin."""
