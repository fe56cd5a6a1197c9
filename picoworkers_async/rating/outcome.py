"""What became of each rating of a batch, and of the batch."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

import attrs

from ..models import Rating, Task

_KEPT = 100


class OutcomeStatus(enum.Enum):
    """What became of one rating."""

    RATED = "rated"
    """The service took it; if it pays, it has paid."""
    REFUSED = "refused"
    """The service said no; nothing was done. `message` is its reason."""
    FAILED = "failed"
    """It certainly did not take effect: bad input, `decide` raised, or it never reached the service."""
    UNKNOWN = "unknown"
    """It may have taken effect, and reading could not tell. Look before you rate this task again."""


@attrs.frozen
class Outcome:
    """What became of one task of a batch.

    `rating` is None if `decide` gave none that can be used; `task` is None if the rating was made without one.
    `error` is the exception behind a status other than `RATED`. A `replayed` outcome is told from the journal:
    an earlier run came to it.
    """

    rating: Rating | None
    status: OutcomeStatus
    message: str | None = None
    error: Exception | None = None
    task: Task | None = None
    replayed: bool = False


@attrs.frozen
class BatchReport:
    """A batch that ran to its end: counts by status, the bonus it paid in US dollars, the seconds it took.

    `outcomes_by_status` keeps the first 100 outcomes of each status that is not `RATED`, so that a report of
    a million ratings stays small.
    """

    rated: int
    refused: int
    failed: int
    unknown: int
    bonus: Decimal
    elapsed: float
    outcomes_by_status: Mapping[OutcomeStatus, tuple[Outcome, ...]]

    @property
    def total(self) -> int:
        """How many outcomes there were."""
        return self.rated + self.refused + self.failed + self.unknown


class Tally:
    """Adds outcomes up to a report."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(OutcomeStatus, 0)
        self._kept: dict[OutcomeStatus, list[Outcome]] = {
            status: [] for status in OutcomeStatus if status is not OutcomeStatus.RATED
        }
        self._bonus = Decimal(0)

    def add(self, outcome: Outcome) -> None:
        self._counts[outcome.status] += 1
        if outcome.status is OutcomeStatus.RATED:
            if outcome.rating is not None and not outcome.replayed:
                self._bonus += outcome.rating.bonus
        elif len(self._kept[outcome.status]) < _KEPT:
            self._kept[outcome.status].append(outcome)

    def report(self, elapsed: float) -> BatchReport:
        return BatchReport(
            rated=self._counts[OutcomeStatus.RATED],
            refused=self._counts[OutcomeStatus.REFUSED],
            failed=self._counts[OutcomeStatus.FAILED],
            unknown=self._counts[OutcomeStatus.UNKNOWN],
            bonus=self._bonus,
            elapsed=elapsed,
            outcomes_by_status={status: tuple(kept) for status, kept in self._kept.items()},
        )
