"""A rating on its way, the result of its request, and the next step: a pure decision."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import NamedTuple

import attrs

from .. import classify
from ..effects import Look
from ..errors import CallError, Fate, RefusedError
from ..journal.schema import Entry, Key, key_of
from ..models import Rating, Task
from .budget import Reservation


@attrs.define(eq=False, repr=False)
class PendingRating:
    """One rating on its way.

    `times_unknown` is how often its answer was lost, `times_away` how often of that the service was away.
    `refused` says that the service refused a repeat, which may only mean that the first request had taken
    effect. `grouped` says that it is sent only together with the same others. `noted` says that the journal has
    it as sent; a `quiet` one has its outcome in the journal only. `ended_at` is when the last request of unknown
    fate ended, `looks` what sweeps showed since, `look_at` when the next sweep can tell more, `unread` how often
    the listing could not be read. `pay` is what its verdict pays, in US dollars; None if that is not known.
    `reservation` is the money reserved for it.
    """

    rating: Rating
    task: Task | None = None
    times_unknown: int = 0
    times_away: int = 0
    refused: bool = False
    grouped: bool = False
    noted: bool = False
    quiet: bool = False
    ended_at: float = 0.0
    known_revision: int = 0
    looks: tuple[Look, ...] = ()
    look_at: float = 0.0
    unread: int = 0
    pay: Decimal | None = None
    reservation: Reservation | None = None

    @property
    def key(self) -> Key:
        """The key of the piece of work."""
        return key_of(self.rating)

    @property
    def entry(self) -> Entry:
        """What the journal notes about it."""
        worker_id = self.rating.worker_id if self.task is None else self.task.worker_id
        return Entry(self.rating, worker_id, self.pay, None if self.reservation is None else self.reservation.at)


class Result(NamedTuple):
    """The result of a request for one rating: no error is an acknowledgement."""

    pending: PendingRating
    message: str | None = None
    error: CallError | None = None


class NextStep(enum.Enum):
    """What happens to a rating whose request has ended."""

    RATED = "it took effect"
    REFUSED = "the service said no"
    FAILED = "it certainly did not take effect, and is not sent again"
    SEND_AGAIN = "it certainly did not take effect, and is sent again"
    RECONCILE = "its fate is unknown: look"


def next_step(error: CallError | None, *, times_unknown: int) -> NextStep:
    """Decide by the error of the last request, if there was one.

    `times_unknown` is how often its answer was lost before: a repeat that is refused may only mean that the
    first request had worked after all. What never arrived is sent again, however often: the patience of the
    batch ends that, not the rating.
    """
    if error is None:
        return NextStep.RATED
    if error.fate is Fate.UNKNOWN:
        return NextStep.RECONCILE
    if isinstance(error, RefusedError):
        return NextStep.RECONCILE if times_unknown else NextStep.REFUSED
    return NextStep.SEND_AGAIN if classify.may_retry(error, costs_money=True) else NextStep.FAILED
