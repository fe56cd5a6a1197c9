"""Ratings whose answer was lost: when to look for them, and what the looks prove."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ..effects import Judgement, Look, Sighting, judge, sign_of_rating
from .pending import PendingRating

_UNREADABLE_FOR_SECONDS = 86400.0
_LONGEST_PAUSE_SECONDS = 600.0

MOST_TIMES_UNKNOWN = 5
"""How often the answer to one rating may be lost before it is sent no more."""


class Reconciler:
    """Keeps the ratings of unknown fate, by job, until looks at the listings have settled them.

    A first look may tell at once that a rating took effect; whoever has nothing better to do makes it. Without
    that it waits until `settle_after` seconds have passed, when it is overdue. All that wait of a job share a
    look.
    """

    def __init__(self, *, settle_after: float, has_rated_listing: bool, at_once: int | None) -> None:
        self._settle_after = settle_after
        self._has_rated_listing = has_rated_listing
        self._at_once = at_once
        self._jobs: dict[str, list[PendingRating]] = {}
        # The earliest times at which a look is due, and overdue; None since something changed.
        self._earliest: tuple[float, float] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._jobs.values()))

    def park(self, pending: PendingRating, ended_at: float) -> None:
        """Take over a rating whose answer was lost, by a request that ended, or was given up, at this time."""
        pending.times_unknown += 1
        pending.ended_at = pending.look_at = ended_at
        pending.looks, pending.unread = (), 0
        self._add(pending)

    def due(self, now: float) -> bool:
        """Whether a look could tell something now."""
        return self._earliest_times()[0] <= now

    def overdue(self, now: float) -> bool:
        """Whether a look should not be put off any longer."""
        return self._earliest_times()[1] <= now

    def next_change(self, now: float) -> float | None:
        """When `due` or `overdue` changes by time alone, if it does."""
        return min((time for time in self._earliest_times() if now < time < math.inf), default=None)

    def take(self, now: float) -> list[PendingRating]:
        """Ratings of one job to look for now, those that wait longest first; empty if there are none."""
        for job_id, parked in self._jobs.items():
            if any(one.look_at <= now for one in parked):
                self._earliest = None
                parked.sort(key=lambda one: one.look_at)
                taken = parked[: self._at_once]
                rest = parked[len(taken) :]
                if rest:
                    self._jobs[job_id] = rest
                else:
                    del self._jobs[job_id]
                return taken
        return []

    def give_back(self, pendings: Iterable[PendingRating]) -> None:
        """These were looked for, and are not settled yet."""
        for pending in pendings:
            self._add(pending)

    def put_off(self, pendings: Sequence[PendingRating], began: float, *, certain: bool) -> bool:
        """The listing could not be read. Have these looked for later; False when that is no use any more.

        `certain` says that the service answered, and would again. Otherwise pauses grow to ten minutes, and a day
        after the rating was lost nobody looks any more.
        """
        if certain or began - min(pending.ended_at for pending in pendings) > _UNREADABLE_FOR_SECONDS:
            return False
        for pending in pendings:
            pending.unread += 1
            pause = max(1.0, self._settle_after) * 2.0 ** min(pending.unread - 1, 16)
            pending.look_at = began + min(pause, _LONGEST_PAUSE_SECONDS)
        self.give_back(pendings)
        return True

    def drain(self) -> list[PendingRating]:
        """Everything that is left, when nobody is going to look any more."""
        everything = list(self._all())
        self._jobs.clear()
        self._earliest = None
        return everything

    def weigh(
        self, pendings: Sequence[PendingRating], seen: Mapping[str, Sighting], began: float
    ) -> list[tuple[PendingRating, Judgement]]:
        """What each rating's looks prove, with this one, that began at this time."""
        judgements = []
        for pending in pendings:
            sighting = seen.get(pending.rating.task_id, _NOTHING)
            found = sign_of_rating(
                pending.rating,
                sighting,
                known_revision=pending.known_revision,
                refused=pending.refused,
                has_rated_listing=self._has_rated_listing,
            )
            pending.known_revision = max(pending.known_revision, sighting.revision)
            pending.looks = (*pending.looks, Look(began, found))
            judgement = judge(pending.looks, ended_at=pending.ended_at, settle_after=self._settle_after)
            pending.look_at = judgement.look_at
            judgements.append((pending, judgement))
        return judgements

    def _add(self, pending: PendingRating) -> None:
        self._jobs.setdefault(pending.rating.job_id, []).append(pending)
        self._earliest = None

    def _earliest_times(self) -> tuple[float, float]:
        if self._earliest is None:
            due = min((one.look_at for one in self._all()), default=math.inf)
            overdue = min(map(self._overdue_at, self._all()), default=math.inf)
            self._earliest = due, overdue
        return self._earliest

    def _overdue_at(self, pending: PendingRating) -> float:
        return max(pending.look_at, pending.ended_at + self._settle_after)

    def _all(self) -> Iterable[PendingRating]:
        return (one for parked in self._jobs.values() for one in parked)


_NOTHING = Sighting(complete=False)


def is_given_up(pending: PendingRating) -> bool:
    """Whether the answer to a rating was lost so often that it is sent no more."""
    return pending.times_unknown >= MOST_TIMES_UNKNOWN
