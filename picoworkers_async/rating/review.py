"""Reviewing: walk what is waiting to be rated, ask `decide` about each task once, and rate."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .. import answers
from ..errors import CallError
from ..models import Page, Rating, Task
from .engine import Engine
from .look import backwards
from .outcome import Outcome, OutcomeStatus

Decide = Callable[[Task], Rating | Awaitable[Rating | None] | None]

logger = logging.getLogger("picoworkers_async")

_QUIET_LOOKS = 12
_FAILED_LOOKS = 6
_LOOK_BITS = 32


class Decided:
    """Which tasks were met, in which revision, and in which look at the listing each was last seen.

    One dictionary entry a task that is listed: about 150 bytes. Tasks that a complete look no longer shows
    are forgotten.
    """

    def __init__(self) -> None:
        self._marks: dict[str, int] = {}
        self._look = 0
        self._counted_from = 1
        self._counted = 0

    def begin_look(self, *, count_anew: bool) -> None:
        """Start another look; the count of different tasks goes on from the looks before, or starts anew."""
        self._look += 1
        if count_anew:
            self._counted_from, self._counted = self._look, 0

    def meet(self, task: Task) -> bool:
        """Note that the task is listed. Whether it is new: an unknown id, or a higher revision."""
        mark = self._marks.get(task.id)
        revision = task.revision_number
        if mark is not None:
            known, seen_in = mark >> _LOOK_BITS, mark & ((1 << _LOOK_BITS) - 1)
            if seen_in < self._counted_from:
                self._counted += 1
            self._marks[task.id] = max(known, revision) << _LOOK_BITS | self._look
            return revision > known
        self._marks[task.id] = revision << _LOOK_BITS | self._look
        self._counted += 1
        return True

    def has_seen(self, total: int) -> bool:
        """Whether as many different tasks were seen as the listing holds."""
        return self._counted >= total

    def forget_the_gone(self) -> None:
        """After a complete look: drop what it no longer showed."""
        mask = (1 << _LOOK_BITS) - 1
        self._marks = {name: mark for name, mark in self._marks.items() if mark & mask >= self._counted_from}


class Review:
    """The feed of a review: looks at the listing again and again until a whole look shows nothing undecided."""

    def __init__(self, decide: Decide, job_id: str | None, follow: float | None) -> None:
        self._decide = decide
        self._job_id = job_id
        self._follow = follow
        self._decided = Decided()
        self._fresh = 0

    async def __call__(self, engine: Engine) -> None:
        send, receive = anyio.create_memory_object_stream[Task](engine.concurrency)
        async with receive, anyio.create_task_group() as group, send:
            for _ in range(engine.concurrency):
                group.start_soon(self._decide_all, engine, receive)
            await self._walk(engine, send)

    async def _walk(self, engine: Engine, tasks: MemoryObjectSendStream[Task]) -> None:
        async def on_page(page: Page[Task]) -> None:
            fresh = [task for task in page.items if self._decided.meet(task)]
            for task in await engine.undecided(fresh):
                self._fresh += 1
                engine.opened()
                await tasks.send(task)

        fetch = partial(engine.page, self._job_id)
        quiet = failures = 0
        while True:
            self._decided.begin_look(count_anew=quiet == 0)
            self._fresh = 0
            try:
                total = await backwards(fetch, on_page, ahead=engine.concurrency)
            except CallError as error:
                failures += 1
                if failures == _FAILED_LOOKS or not answers.may_retry(error, costs_money=False):
                    raise
                logger.warning("a look at the listing failed, and is tried again: %s", error)
                quiet = 0
                await anyio.sleep(engine.pause(failures))
                continue
            await engine.idle()
            failures = 0
            quiet = 0 if self._fresh else quiet + 1
            whole = quiet > 0 and self._decided.has_seen(total)
            if not whole and quiet < _QUIET_LOOKS:
                continue
            if whole:
                self._decided.forget_the_gone()
            else:
                logger.warning("the listing keeps changing: %d looks in a row found nothing undecided", quiet)
            if self._follow is None:
                return
            await anyio.sleep(self._follow)
            quiet = 0

    async def _decide_all(self, engine: Engine, tasks: MemoryObjectReceiveStream[Task]) -> None:
        async for task in tasks:
            await self._decide_one(engine, task)

    async def _decide_one(self, engine: Engine, task: Task) -> None:
        try:
            decision = self._decide(task)
            if inspect.isawaitable(decision):
                decision = await decision
            problem = _decision_problem(task, decision)
        except Exception as error:
            message = f"decide raised {type(error).__name__}: {error}"
            await engine.finish(Outcome(None, OutcomeStatus.FAILED, message, error, task))
            return
        if problem is not None:
            given = decision if isinstance(decision, Rating) else None
            await engine.finish(Outcome(given, OutcomeStatus.FAILED, str(problem), problem, task))
        elif decision is None:
            engine.closed()
        else:
            await engine.put(decision, task)
            engine.closed()


def _decision_problem(task: Task, decision: object) -> Exception | None:
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
    return None
