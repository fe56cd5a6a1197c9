"""Reviewing: walk what is waiting to be rated, ask `decide` about each task once, and rate."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from functools import partial

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .. import classify
from ..errors import CallError
from ..listings.sweep import backwards
from ..models import Page, Rating, Task
from .decided import Decided
from .engine import Engine
from .outcome import Outcome, OutcomeStatus

Decide = Callable[[Task], Rating | Awaitable[Rating | None] | None]

logger = logging.getLogger("picoworkers_async")

_QUIET_LOOKS = 12
_FAILED_LOOKS = 6
_REMEMBERED = 100_000


class Review:
    """The feed of a review: looks at the listing again and again until a whole look shows nothing undecided.

    With `tasks` it meets those instead, and beside them looks at the listing if it is to `follow` it.
    """

    def __init__(
        self,
        decide: Decide,
        job_id: str | None,
        follow: float | None,
        tasks: AsyncIterable[Task] | Iterable[Task] | None,
    ) -> None:
        given: object = tasks
        if given is not None and not isinstance(given, Iterable | AsyncIterable):
            raise TypeError(f"tasks must be an iterable or async iterable of Task, not {type(given).__name__}")
        self._decide = decide
        self._job_id = job_id
        self._follow = follow
        self._tasks = tasks
        # Without looks at the listing, nothing says which tasks are gone and can be forgotten.
        self._decided = Decided(None if tasks is None or follow is not None else _REMEMBERED)
        self._fresh = 0

    async def __call__(self, engine: Engine) -> None:
        send, receive = anyio.create_memory_object_stream[Task](engine.concurrency)
        async with receive, anyio.create_task_group() as deciding, send:
            for _ in range(engine.concurrency):
                deciding.start_soon(self._decide_all, engine, receive)
            async with anyio.create_task_group() as meeting:
                if self._tasks is not None:
                    meeting.start_soon(self._take, engine, send, self._tasks)
                if self._tasks is None or self._follow is not None:
                    meeting.start_soon(self._walk, engine, send)

    async def _take(
        self, engine: Engine, decide: MemoryObjectSendStream[Task], tasks: AsyncIterable[Task] | Iterable[Task]
    ) -> None:
        """Meet the tasks that were given, whatever is listed."""
        if isinstance(tasks, AsyncIterable):
            async for task in tasks:
                await self._meet(engine, decide, [task])
        else:
            for task in tasks:
                await self._meet(engine, decide, [task])

    async def _meet(self, engine: Engine, decide: MemoryObjectSendStream[Task], tasks: Sequence[Task]) -> None:
        for task in tasks:
            if not isinstance(task, Task):
                raise TypeError(f"tasks must give Task objects, not {type(task).__name__}: {task!r:.80}")
        of_job = [task for task in tasks if self._job_id in (None, task.job_id)]
        for task in await engine.desk.undecided([task for task in of_job if self._decided.meet(task)]):
            self._fresh += 1
            engine.desk.opened()
            await decide.send(task)

    async def _walk(self, engine: Engine, decide: MemoryObjectSendStream[Task]) -> None:
        async def on_page(page: Page[Task]) -> None:
            await self._meet(engine, decide, page.items)

        fetch = partial(engine.page, self._job_id)
        quiet = failures = 0
        while True:
            self._decided.begin_look(count_anew=quiet == 0)
            self._fresh = 0
            try:
                total = await backwards(fetch, on_page, ahead=engine.concurrency)
            except CallError as error:
                failures += 1
                if failures == _FAILED_LOOKS or not classify.may_retry(error, costs_money=False):
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
            await engine.desk.finish(Outcome(None, OutcomeStatus.FAILED, message, error, task))
            return
        if problem is not None:
            given = decision if isinstance(decision, Rating) else None
            await engine.desk.finish(Outcome(given, OutcomeStatus.FAILED, str(problem), problem, task))
        elif decision is None:
            engine.desk.closed()
        else:
            await engine.put(decision, task)
            engine.desk.closed()


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
