"""Having tasks decided: each once, and those that were put off again; at once where that is possible."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence

import anyio
import anyio.lowlevel
import attrs

from ..classify import in_words
from ..clock import event_loop_clock
from ..errors import InvalidRequestError, RefusedError
from ..journal.schema import JournalState
from ..models import Rating, Task
from .asking import Asker
from .known_jobs import UnreadableJobError
from .later import Later
from .outcomes import Outcome, OutcomeStatus
from .pending import PendingRating
from .put_off import PutOffTasks
from .signal import Signal
from .sources import Parts

logger = logging.getLogger("picoworkers_async")

# Tasks that are decided at once must not keep everybody else from running.
_UNINTERRUPTED = 16
_UNSENT = (JournalState.DECIDED, JournalState.FAILED)


class Decider:
    """Turns tasks that were met into ratings in the queue.

    A decision that the journal has, and that was not sent, is taken as it is: the task is listed in the revision
    that it was made of. `met` counts the tasks; `undecided` are those whose decision is awaited. Tasks that are
    put off, or whose `decide` fails, are kept in `again`, if they are to be asked about again in this run.
    """

    def __init__(self, asker: Asker, again: PutOffTasks | None, parts: Parts) -> None:
        self._asker, self._again = asker, again
        self._jobs = parts.jobs
        self._clock = event_loop_clock()
        self._put_off = 0
        self._queue, self._in_flight = parts.queue, parts.in_flight
        self._changed, self._room = parts.changed, parts.room
        self._awaited: deque[tuple[Task, Awaitable[object] | None]] = deque()
        self._more = Signal()
        self._ended = self._stopped = False
        self.met = 0
        self.undecided = 0

    @property
    def put_off(self) -> int:
        """How many tasks are put off now; where nothing is asked again, how many were."""
        return self._put_off if self._again is None else len(self._again)

    async def run(self) -> None:
        """Await decisions, several at once, until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                for _ in range(self._asker.at_once):
                    group.start_soon(self._await_decisions)
        finally:
            self._ended = True
            for task, awaitable in self._awaited:
                if awaitable is not None:
                    _close(awaitable)
                # What was decided of the job need not wait for these.
                self._queue.end_deciding(task.job_id or "")
                self.undecided -= 1
                self._gave_up()
            self._awaited.clear()

    def stop(self) -> None:
        """Ask about nothing more; `run` is cancelled right after."""
        self._stopped = True

    async def meet(self, tasks: Sequence[Task]) -> int:
        """Have these tasks decided; gives how many of them were not sent before."""
        return await self._meet(tasks, counted=False)

    async def _meet(self, tasks: Sequence[Task], *, counted: bool) -> int:
        known = await self._in_flight.known(tasks)
        accepted: list[PendingRating] = []
        fresh = 0
        for number, task in enumerate(tasks, 1):
            if self._stopped:
                break
            recorded = known.get((task.job_id or "", task.id, task.revision_number))
            if recorded is None:
                fresh += 1
                self.met += not counted
                await self._ask(task, accepted)
            elif recorded.state in _UNSENT:
                fresh += 1
                self.met += not counted
                pending = await self._in_flight.accept(recorded.rating, task)
                if pending is not None:
                    self._queue.put(pending)
            if number % _UNINTERRUPTED == 0:
                await anyio.lowlevel.checkpoint()
        await self._put(accepted)
        return fresh

    async def meet_again(self, tasks: Sequence[Task]) -> None:
        """Have those of these decided that were put off until now."""
        if not self._again:
            return
        now = self._clock()
        due = [task for task in tasks if self._again.take(task, now)]
        if due:
            await self._meet(due, counted=True)

    def forget(self, is_listed: Callable[[str], bool]) -> None:
        """Put-off tasks that are not listed any more are not met again."""
        if self._again:
            self._again.forget(is_listed)

    async def _ask(self, task: Task, accepted: list[PendingRating]) -> None:
        self._in_flight.opened()
        asker = self._asker
        job = self._jobs.now(task.job_id or "") if asker.takes_job else None
        if asker.threads or (asker.takes_job and job is None):
            self._await(task, None)
            return
        try:
            decision = asker.ask(task, job)
        except Exception as error:
            await self._failed(task, error)
            return
        if inspect.isawaitable(decision):
            self._await(task, decision)
            return
        pending = await self._decided(task, decision)
        if pending is not None:
            accepted.append(pending)

    def _await(self, task: Task, awaitable: Awaitable[object] | None) -> None:
        """Have this awaited; without an awaitable, `decide` is asked then."""
        if self._ended:
            if awaitable is not None:
                _close(awaitable)
            self._gave_up()
            return
        self._queue.begin_deciding(task.job_id or "")
        self.undecided += 1
        self._awaited.append((task, awaitable))
        self._more.wake()

    @contextlib.contextmanager
    def _given_up_if_cancelled(self) -> Iterator[None]:
        try:
            yield
        except anyio.get_cancelled_exc_class():
            self._gave_up()
            raise

    def _gave_up(self) -> None:
        """A decision is not awaited any more: it is as if its task had not been met, and the next run meets it."""
        self.met -= 1
        self._in_flight.closed()

    async def _await_decisions(self) -> None:
        while True:
            while not self._awaited:
                await self._more.wait()
            task, awaitable = self._awaited.popleft()
            try:
                pending = await self._outcome_of(task, awaitable)
                # Until it waits in the queue, the job's smaller requests wait for it.
                await self._put([] if pending is None else [pending])
            finally:
                self._queue.end_deciding(task.job_id or "")
                self.undecided -= 1
            self._changed.wake_all()
            self._room.wake_all()

    async def _outcome_of(self, task: Task, awaitable: Awaitable[object] | None) -> PendingRating | None:
        job = None
        if awaitable is None and self._asker.takes_job:
            try:
                with self._given_up_if_cancelled():
                    job = await self._jobs.get(task.job_id or "")
            except (RefusedError, InvalidRequestError, UnreadableJobError) as error:
                await self._fail(task, f"its job cannot be read: {error}", error)
                return None
        try:
            decision = await self._asker.decision(task, job, awaitable)
        except anyio.get_cancelled_exc_class() as cancelled:
            # What `decide` waited for may have been cancelled by somebody else: this task alone fails then.
            with self._given_up_if_cancelled():
                await anyio.lowlevel.checkpoint_if_cancelled()
            failure: BaseException = cancelled
        except Exception as error:
            failure = error
        else:
            return await self._decided(task, decision)
        await self._failed(task, failure)
        return None

    async def _decided(self, task: Task, decision: object) -> PendingRating | None:
        """What follows from a decision; a rating in hand, if it is one."""
        problem = _problem_of(task, decision)
        if problem is not None:
            given = decision if isinstance(decision, Rating) else None
            self._meet_failed(task)
            await self._in_flight.fail(Outcome(given, OutcomeStatus.FAILED, str(problem), problem, task))
            return None
        pending = None
        if isinstance(decision, Later):
            self._put_off += 1
            if self._again is not None:
                self._again.later(task, self._clock(), decision.seconds)
            logger.debug("task %s is put off for %g s: %s", task.id, decision.seconds, decision.reason or "-")
        elif self._again:
            self._again.decided(task)
        if isinstance(decision, Rating):
            if decision.revision_number is None:
                decision = attrs.evolve(decision, revision_number=task.revision_number)
            try:
                pending = await self._in_flight.accept(decision, task)
            finally:
                self._in_flight.closed()
        else:
            self._in_flight.closed()
        return pending

    async def _failed(self, task: Task, error: BaseException) -> None:
        message = f"decide raised {in_words(error)}"
        await self._fail(task, message, error if isinstance(error, Exception) else RuntimeError(message))

    async def _fail(self, task: Task, message: str, error: Exception) -> None:
        self._meet_failed(task)
        await self._in_flight.fail(Outcome(None, OutcomeStatus.FAILED, message, error, task))

    def _meet_failed(self, task: Task) -> None:
        if self._again is not None:
            self._again.failed(task, self._clock())

    async def _put(self, accepted: list[PendingRating]) -> None:
        try:
            await self._in_flight.decided(accepted)
        finally:
            # Cancelled or not: what was accepted is in hand.
            for pending in accepted:
                self._queue.put(pending)
                self._changed.wake()


def _close(awaitable: Awaitable[object]) -> None:
    """Give up a decision that nobody is going to await."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


def _problem_of(task: Task, decision: object) -> Exception | None:
    """Why a decision cannot be used for the task it was asked about, if it cannot."""
    if decision is None or isinstance(decision, Later):
        return None
    if not isinstance(decision, Rating):
        kind = type(decision).__name__
        return TypeError(f"decide returned {kind} for task {task.id}; it must return a Rating, Later or None")
    if decision.task_id != task.id or (task.job_id is not None and decision.job_id != task.job_id):
        return ValueError(
            f"decide was asked about task {task.id} of job {task.job_id} and returned a rating of "
            f"task {decision.task_id} of job {decision.job_id}"
        )
    if decision.revision_number not in (None, task.revision_number):
        return ValueError(
            f"decide was asked about revision {task.revision_number} of task {task.id} and returned a rating of "
            f"revision {decision.revision_number}"
        )
    return None
