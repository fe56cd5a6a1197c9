"""The side that decides: takes tasks from the broker, until it is told to stop."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import anyio.lowlevel
from streaq import StreaqRetry, Worker

from ..models import Task
from ..rating.asking import AnyDecide
from .deciders import Caller, after_error, before_try, deciding_of, marked
from .engine import KEPT_SECONDS, broker_problems, check, make_engine
from .failures import DeciderError, broker_error
from .messages import FUNCTION, NotDecided, OtherVersionError, Question, read_question, write_decision

logger: logging.Logger = logging.getLogger("picoworkers_async")

GRACE_SECONDS = 30
"""How long tasks in hand may take at the end, before they are given back."""
LONGEST_PAUSE_SECONDS = 5.0
_SLACK_SECONDS = 10.0
_RETRY_SECONDS = 1


async def run_decider(
    function: AnyDecide,
    url: str,
    *,
    name: str = "picoworkers",
    concurrency: int | None = None,
    lease: float | None = None,
) -> None:
    """Decide tasks of the coordinators whose `Fleet` has this `name`, until SIGTERM or SIGINT.

    Then no task is taken any more, and those in hand are finished within 30 s, or given back. `concurrency` and
    `lease` go before what `decider` says of the function. To be run in the main thread, on asyncio or trio. Raises
    `InvalidRequestError` for what is out of range, `BrokerError` if the broker is not there at the start or ever
    refuses, and `DeciderError` if the coordinator has another version of this library: its task is given back.
    While the broker is away later, the function waits for it.
    """
    said = marked(function)
    deciding = deciding_of(
        said.concurrency if concurrency is None else concurrency, said.lease if lease is None else lease
    )
    check("run_decider", broker_problems(url, name))
    caller = Caller(function, deciding.concurrency)
    pause, was_connected, told = 0.1, False, False
    while True:
        # An engine blocks for a lease while nothing is to be done, and the broker says nothing meanwhile.
        engine = make_engine(
            url,
            name,
            timeout=deciding.lease + _SLACK_SECONDS,
            idle_timeout=deciding.lease,
            concurrency=deciding.concurrency,
            grace_period=GRACE_SECONDS,
        )
        # What is fetched ahead would wait here for a slow decision, while others have nothing to do.
        engine.prefetch = deciding.concurrency
        work = _Work(engine, caller, name)
        try:
            await work.run()
        except Exception as error:
            lost = broker_error(error, url)
            if lost is None:
                raise
            if lost.refused or not (was_connected or work.connected):
                raise lost from None
            if not told:
                logger.warning("decider of %s: %s; waiting for it", name, lost)
            told = True
        else:
            return
        if work.connected:
            pause, was_connected, told = 0.1, True, False
        await anyio.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)


class _Work:
    """One connection of a decider."""

    def __init__(self, engine: Worker[Any], caller: Caller, name: str) -> None:
        self._engine, self._caller, self._name = engine, caller, name
        self._scope = anyio.CancelScope()
        self._misfit: OtherVersionError | None = None
        self._registered = engine.task(name=FUNCTION, max_tries=None, silent=True, timeout=None, ttl=KEPT_SECONDS)(
            self._decide
        )
        self.connected = False

    async def run(self) -> None:
        """Decide until a signal ends it. Raises what the broker does, and `DeciderError`."""
        with self._scope:
            try:
                async with anyio.create_task_group() as group:
                    await group.start(self._engine.run_async)
                    self.connected = True
                    logger.info("decider of %s: ready", self._name)
            except BaseException:
                # A connection that is cancelled raises errors of its own beside it.
                await anyio.lowlevel.checkpoint_if_cancelled()
                raise
        if self._misfit is not None:
            raise DeciderError(str(self._misfit))

    async def _decide(self, message: object) -> dict[str, Any]:
        tried = self._registered.context.tries
        try:
            question = read_question(message, self._name)
        except OtherVersionError as error:
            # This process can decide nothing: another one may.
            self._misfit = error
            self._scope.cancel()
            raise StreaqRetry(delay=_RETRY_SECONDS) from None
        except ValueError as error:
            return write_decision(NotDecided(str(error)))
        return write_decision(await self._decided(question, tried))

    async def _decided(self, question: Question, tried: int) -> Any:
        ended = before_try(tried, question.tries)
        if ended is not None:
            return ended
        task: Task = question.task
        try:
            return await self._caller.decide(task, question.job)
        except Exception as error:
            logger.warning("decider of %s: task %s, try %d", self._name, task.id, tried, exc_info=True)
            ended = after_error(error, tried, question.tries)
            if ended is None:
                raise StreaqRetry(delay=_RETRY_SECONDS) from None
            return ended
