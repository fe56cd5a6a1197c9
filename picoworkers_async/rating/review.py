"""The source of a review: tasks that are listed, or given, each decided once."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Callable, Iterable, Sequence

import anyio
import anyio.lowlevel

from ..models import Task
from .asking import AnyDecide, Asker
from .decider import Decider
from .due import due_at
from .due_watch import DueWatch
from .options import ReviewOptions
from .outcomes import OutcomeStatus
from .pending import PendingRating, Result
from .progress import Standing
from .put_off import PutOffTasks
from .raised import failure_of_input
from .seen import SeenTasks
from .sources import Parts
from .walk import ListingWalk

logger: logging.Logger = logging.getLogger("picoworkers_async")

# Tasks that need not wait must not keep everybody else from running.
_UNINTERRUPTED = 16

REMEMBERED = 100_000
"""How many given tasks are remembered, without sweeps of the listing that would show which are gone."""


class ReviewedTasks:
    """The tasks of the listing, those that the caller gives, or both."""

    quiet = False

    def __init__(
        self,
        tasks: AsyncIterable[Task] | Iterable[Task] | None,
        *,
        walk: ListingWalk,
        walks: bool,
        decider: Decider,
        due: DueWatch | None,
        parts: Parts,
    ) -> None:
        self._tasks = tasks
        self._due = due
        self._walk = walk
        self._walks = walks
        self._decider = decider
        self._queue, self._changed, self._room = parts.queue, parts.changed, parts.room
        self._taken = 0
        self.exhausted: bool = False

    @property
    def live(self) -> bool:
        """Whether somebody outside may give more tasks."""
        return self._tasks is not None

    @property
    def arrived(self) -> int:
        return self._decider.met

    async def run(self) -> None:
        async with anyio.create_task_group() as deciding:
            deciding.start_soon(self._decider.run)
            if self._due is not None:
                deciding.start_soon(self._due.run)
            async with anyio.create_task_group() as meeting:
                if self._tasks is not None:
                    meeting.start_soon(self._take_all, self._tasks)
                if self._walks:
                    meeting.start_soon(self._walk.run)
            self.exhausted = True
            self._changed.wake_all()
            if self._decider.put_off:
                logger.info("%d tasks were put off, and are left for the next review", self._decider.put_off)
            # Decisions may still be awaited; whoever runs this ends it when nothing is left in hand.

    async def fill(self) -> None:
        """Nothing is available at once: pages are read, and decisions awaited."""

    def stop(self) -> None:
        self.exhausted = True
        self._walk.stop()
        self._decider.stop()

    def standing(self) -> Standing:
        listed, pages_left, tasks_left = self._walk.standing()
        decider = self._decider
        return Standing(
            met=decider.met,
            listed=listed,
            deciding=decider.undecided,
            put_off=decider.put_off,
            pages_left=pages_left,
            to_come=None if self._tasks is not None and not self.exhausted else tasks_left,
            soonest_due=None if self._due is None else self._due.soonest,
        )

    def ended(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        self._walk.ended(ended)

    def left(self, pending: PendingRating, until: float | None) -> None:
        self._decider.left(pending, until)

    async def _take_all(self, tasks: AsyncIterable[Task] | Iterable[Task]) -> None:
        try:
            await self._take(tasks)
        except Exception:
            raise
        except BaseException as error:
            raise await failure_of_input(error, "tasks") from error

    async def _take(self, tasks: AsyncIterable[Task] | Iterable[Task]) -> None:
        """Meet the tasks that were given, whatever is listed."""
        if isinstance(tasks, AsyncIterable):
            async for task in tasks:
                await self._one(task)
        else:
            for task in tasks:
                await self._one(task)
        self._tasks = None

    async def _one(self, task: Task) -> None:
        await self._walk.meet([task])
        self._taken += 1
        if self._taken % _UNINTERRUPTED == 0:
            await anyio.lowlevel.checkpoint()
        while not self._queue.has_room or self._decider.undecided >= self._queue.most_waiting:
            await self._room.wait()


def review_source(
    decide: AnyDecide, options: ReviewOptions
) -> Callable[[Parts], tuple[ReviewedTasks, ListingWalk]]:
    """Makes the source of a review, and its walk over the listing.

    Raises `InvalidRequestError` for an unusable `decide`.
    """
    walks = options.tasks is None or options.follow is not None
    asker = Asker(decide, threads=options.threads, timeout=options.decide_timeout, at_once=options.deciding)

    def make(parts: Parts) -> tuple[ReviewedTasks, ListingWalk]:
        again = None if options.follow is None else PutOffTasks(options.retry_failed)
        within, jobs = options.due_within, parts.jobs
        due = None if within is None else DueWatch(within, jobs, parts.session.observers)
        when_due = (lambda task: due_at(task, jobs.ttr_of(task.job_id))) if options.due_first else None
        decider = Decider(asker, again, parts, when_due=when_due)
        # Without looks at the listing, nothing says which tasks are gone and can be forgotten.
        seen = SeenTasks(None if walks else REMEMBERED)
        walk = ListingWalk(options.job_id, options.follow, seen, decider, due, parts)
        return ReviewedTasks(options.tasks, walk=walk, walks=walks, decider=decider, due=due, parts=parts), walk

    return make
