"""How `decide` is asked: of (task) or (task, job), at once, awaited, or in a thread."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from ..errors import InvalidRequestError
from ..models import Job, Rating, Task
from ..problems import Problem, ProblemCode
from .later import Later

Decision = Rating | Later | None
Decide = Callable[[Task], Decision | Awaitable[Decision]]
DecideWithJob = Callable[[Task, Job], Decision | Awaitable[Decision]]
AnyDecide = Decide | DecideWithJob


class Asker:
    """Knows how this `decide` is asked. `at_once` is how many decisions are awaited, or threads run, at a time.

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
        self.takes_job = takes_job(decide)
        self.threads = threads
        self.at_once = at_once

    def ask(self, task: Task, job: Job | None) -> object:
        """What `decide` gives, which may have to be awaited."""
        return self._decide(task, job) if self.takes_job else self._decide(task)

    async def decision(self, task: Task, job: Job | None, awaitable: Awaitable[object] | None) -> object:
        """What `decide` decides; `awaitable` is what it gave, if it was asked. Raises what it raises, in time.

        A thread that takes too long, or is not waited for any more, runs to its end, and what it gives is dropped.
        """
        with anyio.move_on_after(self._timeout):
            if awaitable is None:
                answer = await self._in_thread(task, job) if self.threads else self.ask(task, job)
                if not inspect.isawaitable(answer):
                    return answer
                awaitable = answer
            return await awaitable
        raise TimeoutError(f"it took longer than {self._timeout:g} s")

    async def _in_thread(self, task: Task, job: Job | None) -> object:
        # As many run as there are loops that await decisions: each has a limiter to itself.
        return await anyio.to_thread.run_sync(
            partial(self.ask, task, job), abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
        )


def decide_problems(decide: object, *, threads: bool) -> list[Problem]:
    """What keeps `decide` from being asked."""
    wanted = "a function of (task) or (task, job)"
    if not callable(decide):
        return [Problem("decide", decide, wanted, ProblemCode.TYPE)]
    if threads and (inspect.iscoroutinefunction(decide) or inspect.iscoroutinefunction(type(decide).__call__)):
        return [
            Problem(
                "threads", threads, "a plain decide: an async one is awaited, in no thread", ProblemCode.CONFLICT
            )
        ]
    signature = _signature(decide)
    if signature is None or _can_take(signature, 1) or _can_take(signature, 2):
        return []
    return [Problem("decide", f"{getattr(decide, '__name__', decide)}{signature}", wanted, ProblemCode.TYPE)]


def takes_job(decide: Callable[..., object]) -> bool:
    """Whether `decide` needs the job beside the task; one without a signature is taken to be of (task)."""
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
