"""The side that asks: an ordinary `decide`, whose answers come from other machines."""

from __future__ import annotations

import logging
import math
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.lowlevel
import attrs
from anyio.abc import TaskGroup
from streaq import Worker

from ..clock import event_loop_clock
from ..errors import ClientStateError
from ..models import Job, Task
from ..rating.asking import Decision
from ..rating.signal import Signal
from .engine import ask, broker_problems, channels_of, check, look, make_engine, whole_problems
from .failures import BrokerError, DeciderError, broker_error, place
from .messages import NotDecided, Question, question_id, read_answer
from .waiting import FleetCounts, Questions

logger: logging.Logger = logging.getLogger("picoworkers_async")

ANSWER_SECONDS = 5.0
"""How long the broker may take to answer before the connection is made anew."""
LOOK_SECONDS = 2.0
"""How often all that is out is looked for in the broker: what was told while nobody heard it, and what is lost."""
LONGEST_PAUSE_SECONDS = 5.0
MOST_TRIES = 100
_AT_ONCE = 50


@attrs.define(eq=False)
class _Opening:
    """Whether the first connection was tried, and why it cannot be had."""

    told: anyio.Event
    refusal: BrokerError | None = None


class Fleet:
    """Has tasks decided by the deciders of `name` on other machines: `pico.review(fleet.decide, deciding=500)`.

    `url` is that of a Redis (7 or newer) or Valkey server, such as `redis://:password@host:6379/0`; `rediss://`
    for TLS. One `name` serves one account. A task is given up after `tries` deciders raised, or ended, over it.

    An async context manager, entered before the client is: `BrokerError` is raised if the broker is not there or
    refuses. While it is away later, decisions wait, and what it lost is asked again; `decide_timeout` of the
    review ends a wait. Works on asyncio and trio. Raises `InvalidRequestError` for an address or a name that is
    none. Whoever can write to the broker can decide.
    """

    def __init__(self, url: str, *, name: str = "picoworkers", tries: int = 3) -> None:
        check("Fleet", broker_problems(url, name) + whole_problems("tries", tries, MOST_TRIES))
        self._url, self._name, self._tries = url, name, tries
        self._questions = Questions()
        self._changed = Signal()
        self._group: TaskGroup | None = None
        self._told_of_outage = False

    def __repr__(self) -> str:
        return f"Fleet({place(self._url)!r}, name={self._name!r})"

    async def __aenter__(self) -> Self:
        if self._group is not None:
            raise ClientStateError("a Fleet can be entered once at a time")
        opening = _Opening(anyio.Event())
        group = anyio.create_task_group()
        await group.__aenter__()
        group.start_soon(self._run, opening)
        try:
            await opening.told.wait()
        except BaseException as error:
            group.cancel_scope.cancel()
            if not await group.__aexit__(type(error), error, error.__traceback__):
                raise
        if opening.refusal is not None:
            await group.__aexit__(None, None, None)
            raise opening.refusal
        self._group = group
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        group, self._group = self._group, None
        assert group is not None  # noqa: S101
        self._questions.give_up(ClientStateError("the Fleet was left while it was asked"))
        group.cancel_scope.cancel()
        if isinstance(error, anyio.get_cancelled_exc_class()):
            return await group.__aexit__(kind, error, traceback)
        # What the block raised stays what it is: the group would wrap it.
        await group.__aexit__(None, None, None)
        return None

    async def decide(self, task: Task) -> Decision:
        """What a decider of (task) decides. Raises `DeciderError` if none can, and `ClientStateError` outside."""
        return await self._decide(task, None)

    async def decide_with_job(self, task: Task, job: Job) -> Decision:
        """What a decider of (task) or (task, job) decides; the job is sent with each task. Raises as `decide`."""
        return await self._decide(task, job)

    def counts(self) -> FleetCounts:
        """What is out, and what became of the tasks so far."""
        return self._questions.counts()

    async def _decide(self, task: Task, job: Job | None) -> Decision:
        if self._group is None:
            raise ClientStateError("a Fleet decides inside its `async with` block only")
        name = question_id(task)
        waiting = self._questions.begin(name, Question(task, job, self._tries))
        try:
            self._changed.wake()
            await waiting.ended.wait()
        finally:
            self._questions.end(name, waiting)
        match waiting.answer:
            case ClientStateError() as error:
                raise error
            case NotDecided(message):
                raise DeciderError(message)
            case decision:
                return decision

    async def _run(self, opening: _Opening) -> None:
        """Stay connected. That the first connection cannot be had is told to who waits for it."""
        pause = 0.1
        while True:
            began = event_loop_clock()()
            try:
                await self._connection(opening)
            except BaseException as error:
                # A connection that is cancelled raises errors of its own beside it.
                await anyio.lowlevel.checkpoint_if_cancelled()
                lost = broker_error(error, self._url)
                if lost is None:
                    raise
                if not opening.told.is_set():
                    opening.refusal = lost
                    opening.told.set()
                    return
                if not self._told_of_outage:
                    self._told_of_outage = True
                    logger.warning("fleet %s: %s; decisions wait for it", self._name, lost)
            lasted = event_loop_clock()() - began
            pause = 0.1 if lasted > LONGEST_PAUSE_SECONDS else min(LONGEST_PAUSE_SECONDS, 2 * pause)
            await anyio.sleep(pause)

    async def _connection(self, opening: _Opening) -> None:
        """One connection, until it is lost."""
        with anyio.fail_after(3 * ANSWER_SECONDS) as scope:
            async with (
                make_engine(self._url, self._name, timeout=ANSWER_SECONDS) as engine,
                engine.redis.pubsub(
                    patterns=[f"{channels_of(self._name)}*"],
                    ignore_subscribe_messages=True,
                    subscription_timeout=ANSWER_SECONDS,
                ) as answers,
            ):
                scope.deadline = math.inf
                opening.told.set()
                async with anyio.create_task_group() as group:
                    group.start_soon(self._listen, answers)
                    group.start_soon(self._keep_asking, engine)

    async def _listen(self, answers: Any) -> None:
        prefix = len(channels_of(self._name))
        async for message in answers:
            self._questions.arrived(message["channel"][prefix:], read_answer(message["data"]))
            self._changed.wake()

    async def _keep_asking(self, engine: Worker[Any]) -> None:
        questions, now = self._questions, event_loop_clock()
        questions.look_again(questions.out)
        next_look = now() + LOOK_SECONDS
        while True:
            if not questions.unasked and not questions.used:
                with anyio.move_on_after(next_look - now()):
                    await self._changed.wait()
            if now() >= next_look:
                questions.look_again(questions.out)
                next_look = now() + LOOK_SECONDS
            with anyio.fail_after(ANSWER_SECONDS):
                await self._ask_some(engine)

    async def _ask_some(self, engine: Worker[Any]) -> None:
        questions = self._questions
        names, used = list(questions.unasked)[:_AT_ONCE], list(questions.used)
        found = await look(engine, names, used)
        for name in used:
            del questions.used[name]
        missing = {}
        for name in names:
            questions.unasked.pop(name, None)
            if questions.found(name, found[name].answer, is_there=found[name].is_there):
                missing[name] = questions.out[name].question
        if missing:
            await ask(engine, missing, self._name)
            questions.asked(missing)
        if self._told_of_outage:
            self._told_of_outage = False
            logger.info("fleet %s: the broker is back", self._name)
