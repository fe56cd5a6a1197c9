"""Ask `decide`: of (task) or (task, job), at once, awaited, or in a thread."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from types import CoroutineType
from typing import Any

import anyio
import attrs
from anyio.abc import TaskGroup

from ..classify import in_words
from ..errors import InvalidRequestError
from ..models import Job, Rating, Task
from ..problems import Problem, ProblemCode
from .later import Later
from .raised import Failed, cancellations, failure_of
from .threads import DecidingThreads, too_long

Decision = Rating | Later | None
Decide = Callable[[Task], Decision | Awaitable[Decision]]
DecideWithJob = Callable[[Task, Job], Decision | Awaitable[Decision]]
AnyDecide = Decide | DecideWithJob


class Asker:
    """Knows how to ask this `decide`. `at_once` is how many decisions are awaited, or threads run, at a time.

    `timeout` is how many seconds a decision that is awaited, or made in a thread, may take. Raises
    `InvalidRequestError` for a `decide` that takes neither (task) nor (task, job), and for an async one with
    `threads`.
    """

    def __init__(self, decide: AnyDecide, *, threads: bool, timeout: float | None, at_once: int) -> None:
        problems = decide_problems(decide, threads=threads)
        if problems:
            raise InvalidRequestError("review", problems)
        self._decide: Callable[..., Any] = decide
        self._timeout = timeout
        self.takes_job: bool = takes_job(decide)
        self.threads = threads
        self.at_once = at_once
        self._threads: DecidingThreads | None = None

    def begin(self, group: TaskGroup) -> None:
        """Start threads, if any are needed, in this group."""
        if self.threads:
            self._threads = DecidingThreads(self.at_once, self._timeout, group)

    async def ask(self, task: Task, job: Job | None) -> tuple[object, Awaitable[object] | None]:
        """What `decide` returns at once, `Failed` if its task fails by it; otherwise what has to be awaited.

        Raises what `failure_of` does.
        """
        before = cancellations()
        answer, raised, waits = None, None, False
        try:
            answer = self._call(task, job)
            waits = inspect.isawaitable(answer)
        except BaseException as error:
            raised = error
        if raised is None and cancellations() == before:
            return (None, answer) if waits else (answer, None)  # type: ignore[return-value]
        close(answer)
        return await failure_of(raised, before), None

    async def decision(self, task: Task, job: Job | None, awaitable: Awaitable[object] | None) -> object:
        """The decision of `decide`; `Failed` if its task fails by it. `awaitable` is what it returned, if asked.

        Raises what `failure_of` does.
        """
        before = cancellations()
        raised = None
        try:
            decision = await self._awaited(task, job, awaitable)
        except BaseException as error:
            raised = error
        if raised is None and cancellations() == before:
            return decision
        return await failure_of(raised, before)

    def _call(self, task: Task, job: Job | None) -> object:
        return self._decide(task, job) if self.takes_job else self._decide(task)

    async def _awaited(self, task: Task, job: Job | None, awaitable: Awaitable[object] | None) -> object:
        if awaitable is None:
            threads = self._threads
            asked = partial(self._call, task, job)
            answer = asked() if threads is None else await threads.run(asked)
            if not inspect.isawaitable(answer):
                return answer
            awaitable = answer
        with anyio.move_on_after(self._timeout):
            return await awaitable
        raise too_long(self._timeout)


def close(answer: object) -> None:
    """Give up an awaitable that nobody is going to await."""
    if type(answer) is CoroutineType:
        answer.close()


def usable(task: Task, decision: object) -> Decision | Failed:
    """The decision, a rating with the task's revision; or why it cannot be used for this task."""
    try:
        problem = _problem_of(task, decision)
        given = decision if isinstance(decision, Rating) else None
        if problem is None and given is not None and given.revision_number is None:
            return attrs.evolve(given, revision_number=task.revision_number)
    except Exception as error:
        # What compares itself, or tells its name, only by raising.
        problem, given = TypeError(f"what decide returned for task {task.id} raised {in_words(error)}"), None
    return decision if problem is None else Failed(str(problem), problem, given)  # type: ignore[return-value]


def _problem_of(task: Task, decision: object) -> Exception | None:
    if decision is None or isinstance(decision, Later):
        return None
    if not isinstance(decision, Rating):
        kind = type(decision).__name__
        return TypeError(f"decide returned {kind} for task {task.id}; it must return a Rating, Later or None")
    if decision.task_id != task.id or (task.job_id and decision.job_id != task.job_id):
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


def decide_problems(decide: object, *, threads: bool) -> list[Problem]:
    """What keeps this from being a usable `decide`."""
    wanted = "a function of (task) or (task, job)"
    if not callable(decide):
        return [Problem("decide", decide, wanted, ProblemCode.TYPE)]
    if threads and (inspect.iscoroutinefunction(decide) or inspect.iscoroutinefunction(type(decide).__call__)):
        return [
            Problem(
                "threads",
                threads,
                "a plain function: an async decide is awaited, and needs no thread",
                ProblemCode.CONFLICT,
            )
        ]
    signature = _signature(decide)
    if signature is None or _can_take(signature, 1) or _can_take(signature, 2):
        return []
    return [Problem("decide", f"{getattr(decide, '__name__', decide)}{signature}", wanted, ProblemCode.TYPE)]


def takes_job(decide: Callable[..., object]) -> bool:
    """Whether `decide` needs the job besides the task; one without a signature is assumed to take (task)."""
    signature = _signature(decide)
    return signature is not None and not _can_take(signature, 1)


def _signature(decide: Callable[..., object]) -> inspect.Signature | None:
    try:
        return inspect.signature(decide)
    except (TypeError, ValueError):
        return None


def _can_take(signature: inspect.Signature, number: int) -> bool:
    try:
        signature.bind(*range(number))
    except TypeError:
        return False
    return True
