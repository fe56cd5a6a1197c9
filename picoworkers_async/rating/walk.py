"""Sweep the listing of unrated tasks again and again, until a whole sweep shows nothing undecided."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import anyio

from ..errors import CallError, RefusedError
from ..events import ListingUnsteady, LookDone
from ..listings.sweep import Sweep
from ..models import Page, Task
from ..outage import may_pass
from .decider import Decider
from .due_watch import DueWatch
from .outcomes import OutcomeStatus
from .pending import Result
from .seen import SeenTasks
from .signal import Signal
from .sources import Parts

logger: logging.Logger = logging.getLogger("picoworkers_async")

_QUIET_LOOKS = 12


class ListingWalk:
    """The sweeps of a review over the listing, of one job or of all.

    The pipeline asks it for pages to read and brings them; tasks that were not met before go to the decider.
    With `follow` it sweeps again at that interval, for ever. `listed` is how many tasks the last sweep found.
    """

    def __init__(
        self,
        job_id: str | None,
        follow: float | None,
        seen: SeenTasks,
        decider: Decider,
        due: DueWatch | None,
        parts: Parts,
    ) -> None:
        self.job_id = job_id
        self._follow = follow
        self._seen, self._decider, self._due = seen, decider, due
        self._queue, self._in_flight, self._changed = parts.queue, parts.in_flight, parts.changed
        session = parts.session
        self._retry, self._settle_after = session.retry, session.settle_after
        self._observers = session.observers
        self._concurrency = session.throttle.batch_concurrency
        self._sweep: Sweep[Task] | None = None
        self._swept = Signal()
        self._stopped = False
        self._meeting = 0
        self._listed: int | None = None
        self._fresh = 0
        self._watch = parts.watch
        self._failures = 0
        self._failing_since = 0.0
        self._read_one = False
        self._not_before = 0.0

    @property
    def filling(self) -> bool:
        """Whether pages are being read, or wait to be."""
        return not self._stopped and self._sweep is not None and (self._meeting > 0 or not self._sweep.done)

    def stop(self) -> None:
        """Nothing more is read, and a page that is in flight is ignored."""
        self._stopped = True

    def standing(self) -> tuple[int | None, int, int | None]:
        """How many tasks are listed, as far as is known, and how many pages and tasks are still to be read."""
        if self._sweep is None:
            return self._listed, 0, 0
        if not self._sweep.total:
            return self._listed, 1, None
        return self._sweep.total, self._sweep.pages_left, self._sweep.items_left

    def next_page_at(self) -> float | None:
        """When a page may be read; None if none is wanted."""
        if self._stopped or self._sweep is None or not self._sweep.wants_page:
            return None
        room = self._queue.waiting + self._decider.undecided < self._queue.most_waiting
        return self._not_before if room else None

    def next_page(self) -> int:
        """The number of the page to read now."""
        number = None if self._sweep is None else self._sweep.next_page()
        if number is None:
            raise AssertionError("unreachable: a page is only asked for when one is wanted")
        return number

    def skip_page(self, number: int) -> None:
        """The page that was handed out is not read now."""
        if self._sweep is not None:
            self._sweep.failed(number)

    async def got_page(self, number: int, page: Page[Task]) -> None:
        """Take in a page that was read."""
        if self._stopped or self._sweep is None:
            return
        self._failures = 0
        self._read_one = True
        self._meeting += 1
        try:
            for ready in self._sweep.got(number, page):
                await self.meet(ready.items)
        finally:
            self._meeting -= 1
        if not self.filling:
            self._swept.wake_all()

    def failed_page(self, error: CallError) -> None:
        """A page could not be read: it is read again after a pause. Raises the error if that is of no use.

        That is so for a refusal of the very first page, such as of a job that does not exist, and for a page
        that could not be read for as long as there is patience, although others could.
        """
        now = anyio.current_time()
        self._failures += 1
        if self._failures == 1:
            self._failing_since = now
        if not may_pass(error, follows=self._watch.follows) or now - self._failing_since >= self._watch.patience:
            raise error
        if isinstance(error, RefusedError) and not self._read_one:
            raise error
        if not self._watch.away:
            logger.info("a page of the listing could not be read, and is tried again: %s", error)
        self._not_before = now + self._retry.pause(self._failures)

    async def meet(self, tasks: Sequence[Task]) -> None:
        """Have those decided that were not met before."""
        for task in tasks:
            if not isinstance(task, Task):
                raise TypeError(f"tasks must give Task objects, not {type(task).__name__}: {task!r:.80}")
        of_job = [task for task in tasks if self.job_id in (None, task.job_id)]
        fresh = [task for task in of_job if self._seen.meet(task)]
        if self._due is not None:
            self._due.met(fresh)
        self._fresh += await self._decider.meet(fresh)
        # Those that were put off are nothing new: the listing need not be read again for them.
        await self._decider.meet_again(of_job)

    def ended(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        """These have ended; a lagging listing may show them for a while."""
        for result, status in ended:
            task_id = result.pending.rating.task_id
            self._seen.ended(task_id)
            # What was refused, or is unknown, may still be due.
            if self._due is not None and status is OutcomeStatus.RATED:
                self._due.rated(task_id)

    async def run(self) -> None:
        """Sweep until a whole sweep shows nothing undecided; with `follow`, for ever."""
        quiet = 0
        total: int | None = None
        while True:
            now = anyio.current_time()
            sweep: Sweep[Task] = Sweep(datetime.now(UTC), self._concurrency)
            self._seen.begin_look(now, count_anew=total is None)
            self._decider.begin_look()
            self._fresh = 0
            self._sweep = sweep
            self._changed.wake_all()
            while self.filling:
                await self._swept.wait()
            self._sweep = None
            self._listed = sweep.total
            self._changed.wake_all()
            self._observers.tell(
                LookDone(
                    job_id=self.job_id,
                    listed=sweep.total,
                    fresh=self._fresh,
                    complete=sweep.complete,
                    seconds=anyio.current_time() - now,
                )
            )
            await self._in_flight.wait_until_only_unknown()
            quiet = 0 if self._fresh else quiet + 1
            if sweep.complete:
                self._seen.forget_the_gone(now - self._settle_after)
                self._decider.forget(self._seen.knows)
                if self._due is not None:
                    self._due.forget(self._seen.knows)
            if quiet == 0:
                total = None
                continue
            # Looks that found different numbers of tasks must not make up for each other.
            same = total in (None, sweep.total)
            whole = sweep.complete or (same and sweep.sound and self._seen.has_seen(sweep.total))
            if not whole and quiet < _QUIET_LOOKS:
                total = sweep.total if same else None
                await anyio.sleep(self._retry.pause(quiet))
                continue
            if not whole:
                self._observers.tell(ListingUnsteady(looks=quiet))
            if self._follow is None:
                return
            await anyio.sleep(self._follow)
            quiet, total = 0, None
