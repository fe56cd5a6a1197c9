"""Asking `decide` about tasks: each once, a plain function at once, an async one several at a time."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import anyio
import anyio.lowlevel
import attrs

from ..classify import in_words
from ..journal.schema import JournalState
from ..models import Rating, Task
from .outcomes import Outcome, OutcomeStatus
from .pending import PendingRating
from .signal import Signal
from .sources import Parts

Decide = Callable[[Task], Rating | Awaitable[Rating | None] | None]

# Tasks that are decided at once must not keep everybody else from running.
_UNINTERRUPTED = 16
_UNSENT = (JournalState.DECIDED, JournalState.FAILED)


class Decider:
    """Turns tasks that were met into ratings in the queue.

    A decision that the journal has, and that was not sent, is taken as it is: the task is listed in the revision
    that it was made of. `met` counts the tasks; `undecided` are those whose decision is awaited.
    """

    def __init__(self, decide: Decide, parts: Parts) -> None:
        self._decide = decide
        self._queue, self._in_flight = parts.queue, parts.in_flight
        self._changed, self._room = parts.changed, parts.room
        self._concurrency = parts.session.throttle.batch_concurrency
        self._awaited: deque[tuple[Task, Awaitable[object]]] = deque()
        self._more = Signal()
        self._ended = self._stopped = False
        self.met = 0
        self.undecided = 0

    async def run(self) -> None:
        """Await decisions, several at once, until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                for _ in range(self._concurrency):
                    group.start_soon(self._await_decisions)
        finally:
            self._ended = True
            for task, awaitable in self._awaited:
                _close(awaitable)
                # What was decided of the job need not wait for these.
                self._queue.end_deciding(task.job_id or "")
                self.undecided -= 1
                self._in_flight.closed()
            self._awaited.clear()

    def stop(self) -> None:
        """Ask about nothing more; `run` is cancelled right after."""
        self._stopped = True

    async def meet(self, tasks: Sequence[Task]) -> int:
        """Have these tasks decided; gives how many of them were not sent before."""
        known = await self._in_flight.known(tasks)
        accepted: list[PendingRating] = []
        fresh = 0
        for number, task in enumerate(tasks, 1):
            if self._stopped:
                break
            recorded = known.get((task.job_id or "", task.id, task.revision_number))
            if recorded is None:
                fresh += 1
                await self._ask(task, accepted)
            elif recorded.state in _UNSENT:
                fresh += 1
                pending = await self._in_flight.accept(recorded.rating, task)
                if pending is not None:
                    self._queue.put(pending)
            if number % _UNINTERRUPTED == 0:
                await anyio.lowlevel.checkpoint()
        self.met += fresh
        await self._put(accepted)
        return fresh

    async def _ask(self, task: Task, accepted: list[PendingRating]) -> None:
        self._in_flight.opened()
        try:
            decision = self._decide(task)
        except Exception as error:
            await self._failed(task, error)
            return
        if inspect.isawaitable(decision):
            if self._ended:
                _close(decision)
                self._in_flight.closed()
                return
            self._queue.begin_deciding(task.job_id or "")
            self.undecided += 1
            self._awaited.append((task, decision))
            self._more.wake()
            return
        pending = await self._decided(task, decision)
        if pending is not None:
            accepted.append(pending)

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

    async def _outcome_of(self, task: Task, awaitable: Awaitable[object]) -> PendingRating | None:
        try:
            return await self._decided(task, await awaitable)
        except anyio.get_cancelled_exc_class() as cancelled:
            # What `decide` waited for may have been cancelled by somebody else: this task alone fails then.
            await anyio.lowlevel.checkpoint_if_cancelled()
            failure: BaseException = cancelled
        except Exception as error:
            failure = error
        await self._failed(task, failure)
        return None

    async def _decided(self, task: Task, decision: object) -> PendingRating | None:
        """What follows from a decision; a rating in hand, if it is one."""
        problem = _problem_of(task, decision)
        if problem is not None:
            given = decision if isinstance(decision, Rating) else None
            await self._in_flight.fail(Outcome(given, OutcomeStatus.FAILED, str(problem), problem, task))
            return None
        pending = None
        if isinstance(decision, Rating):
            if decision.revision_number is None:
                decision = attrs.evolve(decision, revision_number=task.revision_number)
            pending = await self._in_flight.accept(decision, task)
        self._in_flight.closed()
        return pending

    async def _failed(self, task: Task, error: BaseException) -> None:
        message = f"decide raised {in_words(error)}"
        failure = error if isinstance(error, Exception) else RuntimeError(message)
        await self._in_flight.fail(Outcome(None, OutcomeStatus.FAILED, message, failure, task))

    async def _put(self, accepted: list[PendingRating]) -> None:
        await self._in_flight.decided(accepted)
        for pending in accepted:
            self._queue.put(pending)
            self._changed.wake()


def _close(awaitable: Awaitable[object]) -> None:
    """Give up a decision that nobody is going to await."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


def _problem_of(task: Task, decision: object) -> Exception | None:
    """Why a decision cannot be used for the task it was asked about, if it cannot."""
    if decision is None:
        return None
    if not isinstance(decision, Rating):
        kind = type(decision).__name__
        return TypeError(f"decide returned {kind} for task {task.id}; it must return a Rating or None")
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
