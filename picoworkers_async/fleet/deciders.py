"""The function that decides elsewhere: how it runs, and what is made of what it gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
import attrs

from ..classify import in_words
from ..models import Job, Task
from ..rating.asking import AnyDecide, Decision, decide_problems, takes_job, usable
from ..rating.raised import Failed
from .engine import check, lease_problems, whole_problems
from .messages import NotDecided

CONCURRENCY = 10
LEASE_SECONDS = 60.0
_MOST_AT_ONCE = 1000
_MARK = "_picoworkers_deciding"

AnyDecider = TypeVar("AnyDecider", bound=AnyDecide)


@attrs.frozen
class Deciding:
    """How many decisions a process makes at a time, and after how many silent seconds others take them over."""

    concurrency: int = CONCURRENCY
    lease: float = LEASE_SECONDS


def decider(*, concurrency: int = CONCURRENCY, lease: float = LEASE_SECONDS) -> Callable[[AnyDecider], AnyDecider]:
    """Says of a function of (task) or (task, job) how `picoworkers decide` and `run_decider` run it.

    It decides `concurrency` tasks at a time: awaited if it is async, else each in a thread. A process that was
    silent for `lease` seconds, 1 or more, has its tasks decided elsewhere. The function itself stays as it is, for
    tests, and for `review` without a fleet. Raises `InvalidRequestError` for what cannot be asked, or be so.
    """
    deciding = deciding_of(concurrency, lease)

    def mark(function: AnyDecider) -> AnyDecider:
        check("decider", decide_problems(function, threads=False))
        setattr(function, _MARK, deciding)
        return function

    return mark


def deciding_of(concurrency: int, lease: float) -> Deciding:
    """Raises `InvalidRequestError` for numbers out of range."""
    check("decider", whole_problems("concurrency", concurrency, _MOST_AT_ONCE) + lease_problems(lease))
    return Deciding(concurrency, lease)


def marked(function: object) -> Deciding:
    """What `decider` said of this function; the defaults if it said nothing."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Deciding) else Deciding()


class Caller:
    """Calls the function: an async one is awaited, a plain one runs in a thread."""

    def __init__(self, function: AnyDecide, concurrency: int) -> None:
        check("run_decider", decide_problems(function, threads=False))
        self._function: Callable[..., object] = function
        self._limiter: anyio.CapacityLimiter | None = None
        self._concurrency = concurrency
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(type(function), "__call__", None)  # noqa: B004
        )
        self.takes_job: bool = takes_job(function)

    async def decide(self, task: Task, job: Job | None) -> Decision | NotDecided:
        """What it decides; what is no decision on this task is not decided. Raises what the function does."""
        if self.takes_job and job is None:
            return NotDecided("the decider takes (task, job), and no job came: review by `fleet.decide_with_job`")
        call = partial(self._function, task, job) if self.takes_job else partial(self._function, task)
        if self._is_async:
            given = call()
        else:
            if self._limiter is None:
                self._limiter = anyio.CapacityLimiter(self._concurrency)
            given = await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        if inspect.isawaitable(given):
            given = await given
        decision = usable(task, given)
        return NotDecided(decision.message) if isinstance(decision, Failed) else decision


def after_error(error: Exception, tried: int, tries: int) -> NotDecided | None:
    """What becomes of a task whose decider raised this in its `tried`-th try; None: it is tried again."""
    if tried < tries:
        return None
    return NotDecided(f"tried {_times(tried)}; the last raised {in_words(error)}")


def before_try(tried: int, tries: int) -> NotDecided | None:
    """Whether a task has had all its tries before this one, whose process ended in each or was stopped."""
    if tried <= tries:
        return None
    return NotDecided(f"tried {_times(tries)}; in the last its process ended, or was stopped beyond its lease")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
