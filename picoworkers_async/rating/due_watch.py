"""Telling of tasks that are due soon: their jobs are read for it, each once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from ..clock import event_loop_clock
from ..errors import AuthenticationError, CallError, InvalidRequestError
from ..events import TaskDue
from ..models import Task
from ..observing import Observers, logger
from .due import Due, DueTasks, due_at
from .known_jobs import KnownJobs, UnreadableJobError
from .signal import Signal

_LONGEST_WAIT_SECONDS = 600.0
"""The time of day is looked at so often: the clock of the loop may stand still while a machine sleeps."""


class DueWatch:
    """Follows the tasks of a review that are not rated, and tells of each that is due `within` so many seconds.

    A task whose job cannot be read, or has no days to rate, is not followed; there is a warning for each such job.
    """

    def __init__(self, within: float, jobs: KnownJobs, observers: Observers) -> None:
        self._due = DueTasks(within)
        self._jobs = jobs
        self._observers = observers
        self._clock = event_loop_clock()
        self._new: deque[Task] = deque()
        self._more = Signal()
        self._told_unknown: set[str] = set()

    @property
    def soonest(self) -> datetime | None:
        """When the first of them is due, in UTC."""
        at = self._due.soonest()
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def met(self, tasks: Iterable[Task]) -> None:
        """These are listed, and were not met before in their revision."""
        self._new.extend(task for task in tasks if task.finished_at is not None and task.job_id is not None)
        self._more.wake()

    def rated(self, task_id: str) -> None:
        """A task was rated."""
        self._due.drop(task_id)

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Tasks that are not listed any more are not followed."""
        self._due.forget(is_listed)

    async def run(self) -> None:
        """Read jobs and tell, until cancelled."""
        while True:
            while self._new:
                await self._follow(self._new.popleft())
            now = time.time()
            for due in self._due.newly_due(now):
                rate_by = datetime.fromtimestamp(due.at, UTC)
                self._observers.tell(
                    TaskDue(job_id=due.job_id, task_id=due.task_id, revision_number=due.revision, rate_by=rate_by)
                )
            next_at = self._due.next_at()
            seconds = _LONGEST_WAIT_SECONDS if next_at is None else min(_LONGEST_WAIT_SECONDS, next_at - now)
            await self._more.wait(self._clock() + max(0.0, seconds))

    async def _follow(self, task: Task) -> None:
        job_id = task.job_id or ""
        ttr = self._jobs.ttr_of(job_id)
        if ttr is None:
            try:
                ttr = (await self._jobs.get(job_id)).ttr
            except AuthenticationError:
                raise
            except (CallError, InvalidRequestError, UnreadableJobError) as error:
                self._cannot_follow(job_id, str(error))
                return
        if ttr is None:
            self._cannot_follow(job_id, "it has no days to rate")
            return
        self._due.add(Due(due_at(task, ttr), task.id, task.revision_number, job_id))

    def _cannot_follow(self, job_id: str, why: str) -> None:
        if job_id not in self._told_unknown:
            self._told_unknown.add(job_id)
            logger.warning("when tasks of job %s are due is not known, and not told: %s", job_id, why)
