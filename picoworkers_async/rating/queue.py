"""Ratings that wait for a request of their job."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from .pending import PendingRating

_REQUESTS_WAITING = 4


class JobQueue:
    """The ratings of one job that wait. `under_way` counts its requests, `deciding` its tasks being decided.

    While it is `held`, by so many, nothing is sent: its listing is being read, and must hold still.
    """

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.under_way = 0
        self.deciding = 0
        self.held = 0
        self.ratings: deque[PendingRating] = deque()
        self.groups: deque[list[PendingRating]] = deque()

    @property
    def idle(self) -> bool:
        """Whether nothing of the job is left here."""
        return not (self.ratings or self.groups or self.under_way or self.deciding or self.held)


class RatingQueue:
    """The ratings of a batch that wait, by job.

    `at_once` is how many ratings of a job fit in a request. A group is a request's worth that must be sent by
    itself.
    """

    def __init__(self, at_once: int, concurrency: int) -> None:
        self.at_once = at_once
        self.waiting = 0
        self.most_waiting = _REQUESTS_WAITING * max(at_once, concurrency)
        self._jobs: dict[str, JobQueue] = {}
        # How many full requests each job has; the job whose turn it is stands first.
        self._ready: dict[str, int] = {}
        self._full = 0

    @property
    def has_room(self) -> bool:
        """Whether more ratings should be taken in."""
        return self.waiting < self.most_waiting

    @property
    def full(self) -> int:
        """How many requests could leave full now. Without room for more, the largest may leave as it is."""
        if self._full or self.has_room:
            return self._full
        return int(any(map(self._part, self._jobs.values())))

    def parts(self) -> int:
        """How many jobs there are of which a smaller request could leave, if nothing is going to fill it."""
        return sum(map(self._has_part, self._jobs.values()))

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
        if len(job.ratings) % self.at_once == 0:
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
        """What the next request should carry: a group, a full request, or with `part` what there is of a job."""
        job = self._jobs[next(iter(self._ready))] if self._ready else None
        if job is None and (part or not self.has_room):
            job = max(self._jobs.values(), key=self._part, default=None)
            if job is not None and not self._part(job):
                job = None
        if job is None:
            return []
        taken = job.groups.popleft() if job.groups else self._take_from(job)
        self.waiting -= len(taken)
        job.under_way += 1
        # The others have their turn first.
        self._full -= self._ready.pop(job.job_id, 0)
        self._recount(job)
        return taken

    def ended(self, job_id: str) -> None:
        """A request of the job has ended."""
        job = self._jobs[job_id]
        job.under_way -= 1
        self.forget_if_idle(job)

    def hold(self, job: JobQueue) -> None:
        """Send nothing of this job, until `release`."""
        job.held += 1
        self._recount(job)

    def release(self, job: JobQueue) -> None:
        """Go on with a job that was held."""
        job.held -= 1
        self._recount(job)
        self.forget_if_idle(job)

    def forget_if_idle(self, job: JobQueue) -> None:
        """Drop the queue of a job that nothing is left of."""
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

    def _has_part(self, job: JobQueue) -> bool:
        return bool(job.ratings) and not (job.under_way or job.deciding or job.held)

    def _part(self, job: JobQueue) -> int:
        """How much a smaller request of the job would carry."""
        may_go = not job.held if not self.has_room else self._has_part(job)
        return len(job.ratings) if may_go else 0

    def _recount(self, job: JobQueue) -> None:
        """Bring the count of full requests up to date after a change of the job's queue."""
        now = 0 if job.held else len(job.ratings) // self.at_once + len(job.groups)
        self._full += now - self._ready.get(job.job_id, 0)
        if now:
            self._ready[job.job_id] = now
        else:
            self._ready.pop(job.job_id, None)
