"""Report tasks that are due soon: their jobs are read for it, each once in an hour at most."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import anyio

from ..clock import event_loop_clock
from ..errors import AuthenticationError, CallError, InvalidRequestError
from ..events import TaskDue
from ..models import Task
from ..observing import Observers, logger
from .due import Due, DueTasks, due_at
from .known_jobs import KnownJobs, UnreadableJobError
from .signal import Signal

_LONGEST_WAIT_SECONDS = 600.0
"""How often the time of day is checked: the loop's clock may stand still while a machine sleeps."""

_READ_AGAIN_SECONDS = 600.0
"""After this many seconds a job is read again that could not be read, or had no days to rate."""

_READERS = 4
"""How many jobs are read at once, so that a slow one does not hold up the others."""


class DueWatch:
    """Follows the tasks of a review that are not rated, and reports each that is due `within` this many seconds.

    While a job cannot be read, or has no days to rate, its tasks are not followed; there is one warning for each
    such job. If its days to rate change later, the new number applies to tasks that are met an hour after.
    """

    def __init__(self, within: float, jobs: KnownJobs, observers: Observers) -> None:
        self._due = DueTasks(within)
        self._jobs = jobs
        self._observers = observers
        self._clock = event_loop_clock()
        # Tasks that are not followed yet, by id: those to be looked at now, and those to be looked at again.
        self._met: dict[str, Task] = {}
        self._new: deque[Task] = deque()
        self._again: deque[tuple[float, Task]] = deque()
        self._more, self._changed = Signal(), Signal()
        self._told_unknown: set[str] = set()

    @property
    def soonest(self) -> datetime | None:
        """When the first of them is due, in UTC."""
        at = self._due.soonest()
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def met(self, tasks: Iterable[Task]) -> None:
        """These are listed, and were not met before in their revision."""
        for task in tasks:
            if task.finished_at is not None and task.job_id:
                self._due.drop(task.id)
                self._met[task.id] = task
                self._new.append(task)
        self._more.wake_all()

    def rated(self, task_id: str) -> None:
        """A task was rated."""
        self._met.pop(task_id, None)
        self._due.drop(task_id)

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Tasks that are no longer listed are not followed."""
        self._due.forget(is_listed)
        for task_id in [task_id for task_id in self._met if not is_listed(task_id)]:
            del self._met[task_id]

    async def run(self) -> None:
        """Read jobs and report, until cancelled."""
        async with anyio.create_task_group() as group:
            for _ in range(_READERS):
                group.start_soon(self._read)
            while True:
                self._look_again()
                now = time.time()
                for due in self._due.newly_due(now):
                    self._tell(due)
                next_at = self._due.next_at()
                seconds = _LONGEST_WAIT_SECONDS if next_at is None else min(_LONGEST_WAIT_SECONDS, next_at - now)
                await self._changed.wait(self._clock() + max(0.0, seconds))

    def _tell(self, due: Due) -> None:
        rate_by = datetime.fromtimestamp(due.at, UTC)
        event = TaskDue(job_id=due.job_id, task_id=due.task_id, revision_number=due.revision, rate_by=rate_by)
        self._observers.tell(event)

    def _look_again(self) -> None:
        now = self._clock()
        while self._again and self._again[0][0] <= now:
            _, task = self._again.popleft()
            if self._met.get(task.id) is task:
                self._new.append(task)
        self._more.wake_all()

    async def _read(self) -> None:
        while True:
            while not self._new:
                await self._more.wait()
            task = self._new.popleft()
            if self._met.get(task.id) is task:
                await self._follow(task, task.job_id)

    async def _follow(self, task: Task, job_id: str) -> None:
        why = "it has no days to rate"
        ttr = self._jobs.ttr_of(job_id)
        if ttr is None:
            try:
                ttr = (await self._jobs.get(job_id)).ttr
            except AuthenticationError:
                raise
            except (CallError, InvalidRequestError, UnreadableJobError) as error:
                why = str(error)
        if self._met.get(task.id) is not task:
            # Rated, or handed in again, meanwhile.
            return
        if ttr is None:
            self._again.append((self._clock() + _READ_AGAIN_SECONDS, task))
            self._cannot_follow(job_id, why)
            return
        del self._met[task.id]
        at = due_at(task, ttr)
        if at != math.inf:
            self._due.add(Due(at, task.id, task.revision_number, job_id))
            self._changed.wake()

    def _cannot_follow(self, job_id: str, why: str) -> None:
        if job_id not in self._told_unknown:
            self._told_unknown.add(job_id)
            logger.warning(
                "no TaskDue for tasks of job %s, since it is not known when they are due: %s", job_id, why
            )
