"""Ratings whose answer was lost: when to sweep for them, and what the sweeps prove."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence

from ..effects import Judgement, Look, Sighting, judge, sign_of_rating
from .pending import PendingRating

_LONGEST_PAUSE_SECONDS = 600.0

UNREADABLE_FOR_SECONDS = 86400.0
"""This long after a rating's answer was lost, a listing that cannot be read is given up."""

MOST_TIMES_UNKNOWN = 5
"""How often the answer to one rating may be lost, outages aside, before it is no longer sent."""


class Schedule:
    """Jobs by the time at which something is due for each: of however many, the earliest is found at once."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}
        # Entries that another of their job has replaced are left, until they are the earliest.
        self._entries: list[tuple[float, str]] = []

    def set(self, job_id: str, time: float | None) -> None:
        """It is due for this job at this time; or, with None, never."""
        if time is None:
            del self._times[job_id]
        elif self._times.get(job_id) != time:
            self._times[job_id] = time
            heapq.heappush(self._entries, (time, job_id))

    def first(self) -> tuple[float, str | None]:
        """The earliest time, and its job; never, and None, if there is none."""
        while self._entries:
            time, job_id = self._entries[0]
            if self._times.get(job_id) == time:
                return time, job_id
            heapq.heappop(self._entries)
        return math.inf, None


class ParkedRatings:
    """The ratings of one job that await a sweep, by when that is due, and when it is overdue."""

    def __init__(self) -> None:
        # By a number that each gets anew whenever it comes; what is overdue may be gone, but for the first.
        self._parked: dict[int, PendingRating] = {}
        self._due: list[tuple[float, int]] = []
        self._overdue: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._parked)

    @property
    def due_at(self) -> float | None:
        """When it is due for the first of them."""
        return self._due[0][0] if self._due else None

    @property
    def overdue_at(self) -> float | None:
        """When it is overdue for the first of them."""
        return self._overdue[0][0] if self._overdue else None

    def add(self, pending: PendingRating, number: int, overdue_at: float) -> None:
        self._parked[number] = pending
        heapq.heappush(self._due, (pending.look_at, number))
        heapq.heappush(self._overdue, (overdue_at, number))

    def take(self, most: int | None) -> list[PendingRating]:
        """Those for which it is due first, up to this many."""
        if most is None or most >= len(self._due):
            taken = [self._parked[number] for _, number in sorted(self._due)]
            self._parked, self._due, self._overdue = {}, [], []
            return taken
        taken = [self._parked.pop(heapq.heappop(self._due)[1]) for _ in range(most)]
        while self._overdue and self._overdue[0][1] not in self._parked:
            heapq.heappop(self._overdue)
        return taken

    def all(self) -> Iterable[PendingRating]:
        return self._parked.values()


class Reconciler:
    """Keeps the ratings of unknown fate, by job, until sweeps of the listings have settled them.

    A first sweep may show at once that a rating took effect; it is made when there is nothing better to do.
    Otherwise it waits until `settle_after` seconds have passed, when it is overdue. All parked ratings of a job
    share a sweep. A listing that cannot be read is given up `unreadable_for` seconds after a rating was lost;
    infinity is never.
    """

    def __init__(
        self,
        *,
        settle_after: float,
        at_once: int | None,
        unreadable_for: float = UNREADABLE_FOR_SECONDS,
    ) -> None:
        self._settle_after = settle_after
        self._at_once = at_once
        self._unreadable_for = unreadable_for
        self._jobs: dict[str, ParkedRatings] = {}
        self._size = 0
        self._last_number = 0
        self._due, self._overdue = Schedule(), Schedule()

    def __len__(self) -> int:
        return self._size

    def park(self, pending: PendingRating, ended_at: float) -> None:
        """Take over a rating whose answer was lost, by a request that ended, or was given up, at this time."""
        pending.times_unknown += 1
        pending.ended_at = pending.look_at = ended_at
        pending.looks, pending.unread = (), 0
        self._add(pending)

    def due(self, now: float) -> bool:
        """Whether a sweep could tell something now."""
        return self._due.first()[0] <= now

    def overdue(self, now: float) -> bool:
        """Whether a sweep should not be put off any longer."""
        return self._overdue.first()[0] <= now

    def next_change(self, now: float) -> float | None:
        """When `due` or `overdue` changes by time alone, if it does."""
        times = self._due.first()[0], self._overdue.first()[0]
        return min((time for time in times if now < time < math.inf), default=None)

    def take(self, now: float) -> list[PendingRating]:
        """Ratings of one job to look for now, those that wait longest first; empty if there are none."""
        due_at, job_id = self._due.first()
        if job_id is None or due_at > now:
            return []
        job = self._jobs[job_id]
        taken = job.take(self._at_once)
        self._size -= len(taken)
        self._reschedule(job_id, job)
        if not job:
            del self._jobs[job_id]
        return taken

    def give_back(self, pendings: Iterable[PendingRating]) -> None:
        """These were swept for, and are not settled yet."""
        for pending in pendings:
            self._add(pending)

    def put_off(self, pendings: Sequence[PendingRating], began: float, *, certain: bool, away: bool) -> bool:
        """The listing could not be read. Have these swept for later; False if that is no longer of use.

        `certain` says that the service answered, and would again. `away` says that it answers nothing: they are
        swept for as soon as it does. Otherwise pauses grow to ten minutes.
        """
        if certain or began - min(pending.ended_at for pending in pendings) > self._unreadable_for:
            return False
        for pending in pendings:
            if not away:
                pending.unread += 1
                pause = max(1.0, self._settle_after) * 2.0 ** min(pending.unread - 1, 16)
                pending.look_at = began + min(pause, _LONGEST_PAUSE_SECONDS)
        self.give_back(pendings)
        return True

    def drain(self) -> list[PendingRating]:
        """Everything that is left, when no more sweeps will be made."""
        everything = [pending for job in self._jobs.values() for pending in job.all()]
        self._jobs.clear()
        self._size = 0
        self._due, self._overdue = Schedule(), Schedule()
        return everything

    def weigh(
        self, pendings: Sequence[PendingRating], seen: Mapping[str, Sighting], began: float
    ) -> list[tuple[PendingRating, Judgement]]:
        """What each rating's sweeps prove, with this one, which began at this time."""
        judgements = []
        for pending in pendings:
            sighting = seen.get(pending.rating.task_id, _NOTHING)
            found = sign_of_rating(
                pending.rating, sighting, known_revision=pending.known_revision, refused=pending.refused
            )
            pending.known_revision = max(pending.known_revision, sighting.revision)
            pending.looks = (*pending.looks, Look(began, found))
            judgement = judge(pending.looks, ended_at=pending.ended_at, settle_after=self._settle_after)
            pending.look_at = judgement.look_at
            judgements.append((pending, judgement))
        return judgements

    def _add(self, pending: PendingRating) -> None:
        self._last_number += 1
        self._size += 1
        job_id = pending.rating.job_id
        job = self._jobs.get(job_id)
        if job is None:
            job = self._jobs[job_id] = ParkedRatings()
        job.add(pending, self._last_number, max(pending.look_at, pending.ended_at + self._settle_after))
        self._reschedule(job_id, job)

    def _reschedule(self, job_id: str, job: ParkedRatings) -> None:
        self._due.set(job_id, job.due_at)
        self._overdue.set(job_id, job.overdue_at)


_NOTHING = Sighting(complete=False)


def is_given_up(pending: PendingRating) -> bool:
    """Whether the answer to a rating was lost so often that it is no longer sent; outages do not count."""
    return pending.times_unknown - pending.times_away >= MOST_TIMES_UNKNOWN
