"""Ratings that wait for a request of their job."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

from .pending import PendingRating

_REQUESTS_WAITING = 4

MOST_WAITING = 50_000
"""The most ratings that wait: requests of 50 for each of 1,000 jobs. At 490 bytes each, 25 MB without tasks."""


class JobQueue:
    """The ratings of one job that wait. `under_way` counts its requests, `deciding` its tasks being decided.

    While it is `held`, by this many, nothing is sent: its listing is being read, and must hold still.
    """

    __slots__ = ("deciding", "groups", "held", "job_id", "ratings", "under_way")

    def __init__(self, job_id: str) -> None:
        self.job_id: str = job_id
        self.under_way: int = 0
        self.deciding: int = 0
        self.held: int = 0
        self.ratings: deque[PendingRating] = deque()
        # Few at any time: an empty list is a tenth of an empty deque, and there may be many jobs.
        self.groups: list[list[PendingRating]] = []

    @property
    def idle(self) -> bool:
        """Whether nothing of the job is left here."""
        return not (self.ratings or self.groups or self.under_way or self.deciding or self.held)

    @property
    def may_send_part(self) -> bool:
        """Whether a smaller request could leave, if nothing is going to fill it."""
        return bool(self.ratings) and not (self.under_way or self.deciding or self.held)


class LargestFirst:
    """Jobs by how many of their ratings wait, up to a full request; among equals, the first to get there."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._by_size: dict[int, OrderedDict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._sizes)

    def set(self, job_id: str, size: int) -> None:
        """This many of the job wait; 0 removes it."""
        before = self._sizes.get(job_id, 0)
        if size == before:
            return
        if before:
            del self._by_size[before][job_id]
            if not self._by_size[before]:
                del self._by_size[before]
        if size:
            self._sizes[job_id] = size
            self._by_size.setdefault(size, OrderedDict())[job_id] = None
        else:
            del self._sizes[job_id]

    def largest(self) -> str | None:
        """The job with the most waiting ratings."""
        return next(iter(self._by_size[max(self._by_size)])) if self._by_size else None


class RatingQueue:
    """The ratings of a batch that wait, by job. Every operation takes as long for many jobs as for one.

    `at_once` is how many ratings of a job fit in a request. A group is a request's worth that must be sent by
    itself.
    """

    def __init__(self, at_once: int, concurrency: int) -> None:
        self.at_once = at_once
        self.waiting: int = 0
        self._deciding = 0
        self._enough = _REQUESTS_WAITING * max(at_once, concurrency)
        self._jobs: dict[str, JobQueue] = {}
        # How many full requests each job has; the job whose turn it is stands first.
        self._ready: OrderedDict[str, int] = OrderedDict()
        self._full = 0
        # What may leave without room for more, and what may while there is room.
        self._unheld, self._parts = LargestFirst(), LargestFirst()

    @property
    def most_waiting(self) -> int:
        """How many ratings should wait: a few requests, or as many as fill one of each job, at most 50,000.

        While many decisions are awaited it is a few requests: there is time to send smaller ones.
        """
        if self.at_once == 1 or self._deciding >= self._enough:
            return self._enough
        return max(self._enough, min(self.at_once * len(self._jobs), MOST_WAITING))

    @property
    def has_room(self) -> bool:
        """Whether more ratings should be taken in."""
        return self.waiting < self.most_waiting

    @property
    def is_crowded(self) -> bool:
        """Whether no more tasks are taken in, since ratings and decisions on their way have every place.

        Decisions count for half of the places at most: while there are more of them, what is lacking is decisions,
        and requests can be filled.
        """
        most = self.most_waiting
        return self.waiting + min(self._deciding, most // 2) >= most

    @property
    def full(self) -> int:
        """How many requests could leave full now. While it is crowded, the largest may leave as it is."""
        if self._full or not self.is_crowded:
            return self._full
        return int(len(self._unheld) > 0)

    def parts(self) -> int:
        """How many jobs there are of which a smaller request could leave, if nothing is going to fill it."""
        return len(self._parts)

    def job(self, job_id: str) -> JobQueue:
        """The queue of a job."""
        queue = self._jobs.get(job_id)
        if queue is None:
            queue = self._jobs[job_id] = JobQueue(job_id)
        return queue

    def put(self, pending: PendingRating) -> None:
        """Add a rating."""
        job = self.job(pending.rating.job_id)
        job.ratings.append(pending)
        self.waiting += 1
        self._recount(job)

    def put_back(self, pendings: Sequence[PendingRating]) -> None:
        """Return ratings that were not sent: they are the next."""
        for pending in reversed(pendings):
            job = self.job(pending.rating.job_id)
            job.ratings.appendleft(pending)
            self.waiting += 1
            self._recount(job)

    def put_group(self, pendings: list[PendingRating]) -> None:
        """Add ratings of a job that are to be sent together, and with no others."""
        job = self.job(pendings[0].rating.job_id)
        job.groups.append(pendings)
        self.waiting += len(pendings)
        self._recount(job)

    def take(self, *, part: bool) -> list[PendingRating]:
        """What the next request should carry: a group, a full request, or with `part` what is left of a job."""
        job_id = next(iter(self._ready), None)
        if job_id is None and self.is_crowded:
            job_id = self._unheld.largest()
        elif job_id is None and part:
            job_id = self._parts.largest()
        if job_id is None:
            return []
        job = self._jobs[job_id]
        taken = job.groups.pop(0) if job.groups else self._take_from(job)
        self.waiting -= len(taken)
        job.under_way += 1
        # The others have their turn first.
        self._full -= self._ready.pop(job_id, 0)
        self._recount(job)
        return taken

    def ended(self, job_id: str) -> None:
        """A request of the job has ended."""
        job = self._jobs[job_id]
        job.under_way -= 1
        if self.at_once > 1:
            self._recount(job)
        self.forget_if_idle(job)

    def begin_deciding(self, job_id: str) -> None:
        """A task of the job is being decided, until `end_deciding`: its rating may fill a request."""
        job = self.job(job_id)
        job.deciding += 1
        self._deciding += 1
        self._recount(job)

    def end_deciding(self, job_id: str) -> None:
        """The task was decided, and its rating is in the queue if it has one."""
        job = self._jobs[job_id]
        job.deciding -= 1
        self._deciding -= 1
        self._recount(job)
        self.forget_if_idle(job)

    def hold(self, job: JobQueue) -> None:
        """Send nothing of this job, until `release`."""
        job.held += 1
        self._recount(job)

    def release(self, job: JobQueue) -> None:
        """Resume a job that was held."""
        job.held -= 1
        self._recount(job)
        self.forget_if_idle(job)

    def forget_if_idle(self, job: JobQueue) -> None:
        """Drop the queue of a job of which nothing is left."""
        if job.idle and self._jobs.get(job.job_id) is job:
            del self._jobs[job.job_id]

    def _take_from(self, job: JobQueue) -> list[PendingRating]:
        """Up to a full request, no task twice; the others keep their order."""
        if self.at_once == 1:
            return [job.ratings.popleft()]
        taken: dict[str, PendingRating] = {}
        skipped: list[PendingRating] = []
        while job.ratings and len(taken) < self.at_once:
            pending = job.ratings.popleft()
            if taken.setdefault(pending.rating.task_id, pending) is not pending:
                skipped.append(pending)
        job.ratings.extendleft(reversed(skipped))
        return list(taken.values())

    def _recount(self, job: JobQueue) -> None:
        """Bring the counts up to date after a change of the job's queue."""
        job_id, size = job.job_id, len(job.ratings)
        now = 0 if job.held else size // self.at_once + len(job.groups)
        before = self._ready.get(job_id, 0)
        if now != before:
            self._full += now - before
            if now:
                self._ready[job_id] = now
            else:
                del self._ready[job_id]
        if self.at_once == 1:
            # There is nothing smaller than a full request.
            return
        part = min(size, self.at_once)
        self._unheld.set(job_id, 0 if job.held else part)
        self._parts.set(job_id, part if job.may_send_part else 0)
