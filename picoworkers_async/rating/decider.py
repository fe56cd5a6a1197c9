"""Have tasks decided: each once, and again those that were put off; at once where possible."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import anyio
import anyio.lowlevel

from ..clock import event_loop_clock
from ..errors import InvalidRequestError, RefusedError
from ..journal.schema import UNSENT
from ..models import Rating, Task
from .asking import Asker, close, usable
from .due import SoonestFirst, Waiting
from .known_jobs import UnreadableJobError
from .later import Later
from .outcomes import Outcome, OutcomeStatus
from .pending import PendingRating
from .put_off import LeftRatings, PutOffTasks
from .raised import Failed
from .signal import Signal
from .sources import Parts

logger: logging.Logger = logging.getLogger("picoworkers_async")

# Tasks that are decided at once must not keep everybody else from running.
_UNINTERRUPTED = 16
LEFT_SECONDS = 3600.0
"""After this many seconds a rating is tried again that was left over a limit which no time lifts."""


class Decider:
    """Turns tasks that were met into ratings in the queue.

    A decision that the journal has, and that was not sent, is used as it is: the task is listed in the revision
    for which it was made. `met` counts the tasks. `undecided` are those that are being decided: each stays
    until, in one step, it is decided, put off or given up. Tasks that are put off, or whose decision fails, are
    kept in `again`, if they are to be asked about again in this run. With `when_due`, what is due first is
    decided first.
    """

    def __init__(
        self, asker: Asker, again: PutOffTasks | None, parts: Parts, *, when_due: Callable[[Task], float] | None
    ) -> None:
        self._asker, self._again, self._when_due = asker, again, when_due
        self._left = LeftRatings()
        self._jobs = parts.jobs
        self._hide = parts.session.hide
        self._clock = event_loop_clock()
        self._put_off = 0
        self._queue, self._in_flight = parts.queue, parts.in_flight
        self._changed, self._room = parts.changed, parts.room
        self._awaited: deque[Waiting] | SoonestFirst = deque() if when_due is None else SoonestFirst(when_due)
        self._more = Signal()
        self._ended = self._stopped = False
        self.met: int = 0
        self.undecided: int = 0

    @property
    def put_off(self) -> int:
        """How many tasks are put off now; if nothing is asked again, how many were."""
        return self._put_off if self._again is None else len(self._again)

    async def run(self) -> None:
        """Await decisions, several at once, until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                self._asker.begin(group)
                for _ in range(self._asker.at_once):
                    group.start_soon(self._await_decisions)
        finally:
            self._ended = True
            for task, awaitable in self._awaited:
                close(awaitable)
                # What was decided of the job need not wait for these.
                self._queue.end_deciding(task.job_id)
                self._gave_up()
            self._awaited.clear()

    def stop(self) -> None:
        """Ask about nothing more; `run` is cancelled right after."""
        self._stopped = True

    def begin_look(self) -> None:
        """Another sweep of the listing begins."""
        if self._again is not None:
            self._again.begin_look()

    async def meet(self, tasks: Sequence[Task]) -> int:
        """Have these tasks decided, none of which was met before; returns how many were not sent before."""
        ordered = tasks if self._when_due is None else sorted(tasks, key=self._when_due)
        return await self._meet(ordered, self._begin)

    async def meet_again(self, tasks: Sequence[Task]) -> None:
        """Have those decided that were put off until now, and those sent that exceeded a limit until now."""
        again = self._again
        if again is None:
            return
        now = self._clock()
        for task in tasks if self._left else ():
            rating = None if self._stopped else self._left.take(task, now)
            pending = None if rating is None else await self._in_flight.accept(rating, task)
            if pending is not None:
                self._queue.put(pending)
        due = [task for task in tasks if again.is_due(task, now)] if again else []
        if due:
            await self._meet(due, lambda task: self._begin_again(task, again, now))

    def left(self, pending: PendingRating, until: float | None) -> None:
        """This exceeds a limit that is lifted at this time, in seconds since 1970; None: by something else."""
        if self._again is not None:
            seconds = LEFT_SECONDS if until is None else max(0.0, until - time.time())
            self._left.add(pending.rating, self._clock() + seconds)

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Drop what is kept about tasks that are no longer listed."""
        if self._again:
            self._again.forget(is_listed)
        if self._left:
            self._left.forget(is_listed)

    async def _meet(self, tasks: Sequence[Task], begin: Callable[[Task], bool]) -> int:
        known = await self._in_flight.known(tasks)
        accepted: list[PendingRating] = []
        fresh = 0
        try:
            for number, task in enumerate(tasks, 1):
                if self._stopped:
                    break
                recorded = known.get((task.job_id, task.id, task.revision_number))
                if recorded is None or recorded.state in UNSENT:
                    if not begin(task):
                        continue
                    fresh += 1
                    pending = None
                    if recorded is None:
                        pending = await self._ask(task)
                    elif (noted := await self._accept(task, recorded.rating)) is not None:
                        self._queue.put(noted)
                    if pending is not None:
                        accepted.append(pending)
                if number % _UNINTERRUPTED == 0:
                    await anyio.lowlevel.checkpoint()
        finally:
            await self._put(accepted)
        return fresh

    def _begin(self, task: Task) -> bool:
        self.met += 1
        self.undecided += 1
        self._in_flight.opened()
        return True

    def _begin_again(self, task: Task, again: PutOffTasks, now: float) -> bool:
        if not again.take(task, now):
            return False
        self.undecided += 1
        self._in_flight.opened()
        return True

    async def _ask(self, task: Task) -> PendingRating | None:
        """Have a task decided that was begun; returns its rating, if that is available at once."""
        asker = self._asker
        job = self._jobs.now(task.job_id) if asker.takes_job else None
        if asker.threads or (asker.takes_job and job is None):
            self._await(task, None)
            return None
        try:
            answer, awaitable = await asker.ask(task, job)
        except BaseException:
            self._gave_up()
            raise
        if awaitable is not None:
            self._await(task, awaitable)
            return None
        return await self._decided(task, answer)

    def _await(self, task: Task, awaitable: Awaitable[object] | None) -> None:
        """Have this awaited; without an awaitable, `decide` is asked then."""
        if self._ended:
            close(awaitable)
            self._gave_up()
            return
        self._queue.begin_deciding(task.job_id)
        self._awaited.append((task, awaitable))
        self._more.wake()

    def _gave_up(self) -> None:
        """A decision is no longer awaited: it is as if its task had not been met, and the next run meets it."""
        self.met -= 1
        self.undecided -= 1
        self._in_flight.closed()

    async def _await_decisions(self) -> None:
        while True:
            while not self._awaited:
                await self._more.wait()
            task, awaitable = self._awaited.popleft()
            try:
                try:
                    answer = await self._answer(task, awaitable)
                except BaseException:
                    self._gave_up()
                    raise
                pending = await self._decided(task, answer)
                # Until it waits in the queue, the job's smaller requests wait for it.
                await self._put([] if pending is None else [pending])
            finally:
                self._queue.end_deciding(task.job_id)
            self._changed.wake_all()
            self._room.wake_all()

    async def _answer(self, task: Task, awaitable: Awaitable[object] | None) -> object:
        job = None
        if awaitable is None and self._asker.takes_job:
            try:
                job = await self._jobs.get(task.job_id)
            except (RefusedError, InvalidRequestError, UnreadableJobError) as error:
                return Failed(f"its job cannot be read: {error}", error)
        return await self._asker.decision(task, job, awaitable)

    async def _decided(self, task: Task, answer: object) -> PendingRating | None:
        """What follows from the decision: a rating that is now in flight, if it is one."""
        decision = answer if isinstance(answer, Failed) else usable(task, answer)
        if isinstance(decision, Rating):
            return await self._accept(task, decision)
        if isinstance(decision, Failed):
            self._is_failed(task)
            given, message, error = decision.rating, self._hide(decision.message), decision.error
            await self._in_flight.fail(Outcome(given, OutcomeStatus.FAILED, message, error, task))
            return None
        if decision is None:
            self._is_decided(task)
        else:
            self._is_put_off(task, decision)
        self._in_flight.closed()
        return None

    async def _accept(self, task: Task, rating: Rating) -> PendingRating | None:
        """Accept the rating of a task that was begun; one that breaks a rule or a limit is a failure."""
        try:
            pending = await self._in_flight.check(rating, task)
        except BaseException:
            self._is_decided(task)
            raise
        else:
            if pending is None:
                self._is_failed(task)
                return None
            self._is_decided(task)
            return await self._in_flight.take(pending)
        finally:
            self._in_flight.closed()

    def _is_decided(self, task: Task) -> None:
        self.undecided -= 1
        if self._again:
            self._again.decided(task)

    def _is_failed(self, task: Task) -> None:
        self.undecided -= 1
        if self._again is not None:
            self._again.failed(task, self._clock())

    def _is_put_off(self, task: Task, later: Later) -> None:
        self.undecided -= 1
        self._put_off += 1
        if self._again is not None:
            self._again.later(task, self._clock(), later.seconds)
        logger.debug("task %s is put off for %g s: %s", task.id, later.seconds, later.reason or "-")

    async def _put(self, accepted: list[PendingRating]) -> None:
        try:
            await self._in_flight.decided(accepted)
        finally:
            # Cancelled or not: what was accepted is in hand.
            for pending in accepted:
                self._queue.put(pending)
                self._changed.wake()
