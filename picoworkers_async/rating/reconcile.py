"""Ratings whose answer was lost: when to look for them, and what the looks prove."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from ..effects import Judgement, Look, Sighting, judge, sign_of_rating
from .pending import PendingRating

_UNREADABLE_FOR_SECONDS = 86400.0
_LONGEST_PAUSE_SECONDS = 600.0

MOST_TIMES_UNKNOWN = 5
"""How often the answer to one rating may be lost before it is sent no more."""


class Schedule:
    """Numbered things by the time at which each is due: however many there are, the earliest is found at once.

    `wanted` holds the numbers that still count; of others an entry may be left, until it is the earliest.
    """

    def __init__(self, wanted: Collection[int]) -> None:
        self._wanted = wanted
        self._entries: list[tuple[float, int]] = []

    def add(self, time: float, number: int) -> None:
        heapq.heappush(self._entries, (time, number))

    def first(self) -> tuple[float, int]:
        """The earliest time, and whose it is. Without any it is never, and nobody's."""
        if not self._wanted:
            self._entries.clear()
        while self._entries:
            if self._entries[0][1] in self._wanted:
                return self._entries[0]
            heapq.heappop(self._entries)
        return math.inf, 0


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
        # By a number that each gets anew whenever it comes; the times of a job's looks are a heap.
        self._parked: dict[int, PendingRating] = {}
        self._last_number = 0
        self._jobs: dict[str, list[tuple[float, int]]] = {}
        self._due, self._overdue = Schedule(self._parked), Schedule(self._parked)

    def __len__(self) -> int:
        return len(self._parked)

    def park(self, pending: PendingRating, ended_at: float) -> None:
        """Take over a rating whose answer was lost, by a request that ended, or was given up, at this time."""
        pending.times_unknown += 1
        pending.ended_at = pending.look_at = ended_at
        pending.looks, pending.unread = (), 0
        self._add(pending)

    def due(self, now: float) -> bool:
        """Whether a look could tell something now."""
        return self._due.first()[0] <= now

    def overdue(self, now: float) -> bool:
        """Whether a look should not be put off any longer."""
        return self._overdue.first()[0] <= now

    def next_change(self, now: float) -> float | None:
        """When `due` or `overdue` changes by time alone, if it does."""
        times = self._due.first()[0], self._overdue.first()[0]
        return min((time for time in times if now < time < math.inf), default=None)

    def take(self, now: float) -> list[PendingRating]:
        """Ratings of one job to look for now, those that wait longest first; empty if there are none."""
        look_at, first = self._due.first()
        if look_at > now or not first:
            return []
        job_id = self._parked[first].rating.job_id
        looks = self._jobs[job_id]
        if self._at_once is None or len(looks) <= self._at_once:
            taken = sorted(self._jobs.pop(job_id))
        else:
            taken = [heapq.heappop(looks) for _ in range(self._at_once)]
        return [self._parked.pop(number) for _, number in taken]

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
        everything = list(self._parked.values())
        self._parked.clear()
        self._jobs.clear()
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
        self._last_number += 1
        number, look_at = self._last_number, pending.look_at
        self._parked[number] = pending
        heapq.heappush(self._jobs.setdefault(pending.rating.job_id, []), (look_at, number))
        self._due.add(look_at, number)
        self._overdue.add(max(look_at, pending.ended_at + self._settle_after), number)


_NOTHING = Sighting(complete=False)


def is_given_up(pending: PendingRating) -> bool:
    """Whether the answer to a rating was lost so often that it is sent no more."""
    return pending.times_unknown >= MOST_TIMES_UNKNOWN
