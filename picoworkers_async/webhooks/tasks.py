"""From ids that were posted back to their tasks."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio
import anyio.to_thread

from ..editions import Ability
from ..errors import (
    AuthenticationError,
    CallError,
    ClientStateError,
    InvalidRequestError,
    NotFoundError,
    RefusedError,
)
from ..listings.sweep import SweepResult, sweep
from ..models import Page, Task
from ..problems import Problem, ProblemCode
from ..rules import MOST_TASK_IDS
from ..throttle import Priority
from .submitted import Lookup, Submitted

if TYPE_CHECKING:
    from ..client import AsyncPicoworkers

logger: logging.Logger = logging.getLogger("picoworkers_async")

_POLL = 1.0
_AFTER_FAILURE = 5.0


class SubmittedTasks:
    """An async context manager and, inside its block, an endless async iterator of tasks.

    Reads tasks by their ids as they come, those of a job together, at a batch's priority. What fails is
    repeated; so is what the service refuses, with pauses of 5 seconds that grow to 10 minutes, for a day (for a
    job that is not found, half an hour). Tasks that two complete reads do not list, the client's `settle_after`
    apart, are skipped. Wrong credentials raise `AuthenticationError`. Whoever awaits the next task may be
    cancelled: none is lost.
    """

    def __init__(self, submitted: Submitted, pico: AsyncPicoworkers) -> None:
        if not pico.edition.can(Ability.WEBHOOK):
            limit = f"an edition that can {Ability.WEBHOOK.value}"
            problem = Problem("edition", pico.edition.name, limit, ProblemCode.EDITION)
            raise InvalidRequestError("tasks", [problem], sends=False)
        self._submitted = submitted
        self._jobs = pico.with_options(priority=Priority.BATCH).jobs
        self._settle_after = pico._session.settle_after
        self._ready: deque[Task] = deque()
        self._open = False

    async def __aenter__(self) -> Self:
        await anyio.to_thread.run_sync(self._submitted.begin)
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False

    def __aiter__(self) -> AsyncIterator[Task]:
        return self

    async def __anext__(self) -> Task:
        if not self._open:
            raise ClientStateError("iterate inside the block: `async with receiver.tasks(pico) as tasks:`")
        while not self._ready:
            lookup = await anyio.to_thread.run_sync(self._submitted.next_lookup, MOST_TASK_IDS)
            if lookup is None:
                await anyio.sleep(_POLL)
            else:
                await self._look_up(lookup)
        return self._ready.popleft()

    async def _look_up(self, lookup: Lookup) -> None:
        async def fetch(page: int) -> Page[Task]:
            return await self._jobs.get_unrated_tasks(page=page, job_id=lookup.job_id, task_ids=lookup.task_ids)

        try:
            listed = await sweep(fetch)
        except AuthenticationError:
            raise
        except RefusedError as error:
            not_found = isinstance(error, NotFoundError)
            refused = await anyio.to_thread.run_sync(lambda: self._submitted.refused(lookup, not_found=not_found))
            if refused.dropped:
                logger.warning(
                    "%d tasks of job %s are given up: the service refused to list them for too long: %s",
                    refused.dropped,
                    lookup.job_id,
                    error,
                )
            elif refused.first:
                logger.warning(
                    "%d tasks of job %s are looked up again later, for a day at most: %s",
                    len(lookup.task_ids),
                    lookup.job_id,
                    error,
                )
        except CallError as error:
            logger.warning("%d submitted tasks are looked up again later: %s", len(lookup.task_ids), error)
            await anyio.sleep(_AFTER_FAILURE)
        else:
            # The thread hands them over itself: whoever waits for it may be cancelled, and those that are noted as
            # given out would be lost until the next run.
            await anyio.to_thread.run_sync(self._hand_over, lookup, listed)

    def _hand_over(self, lookup: Lookup, listed: SweepResult[Task]) -> None:
        revisions = {task_id: task.revision_number for task_id, task in listed.items.items()}
        fresh = self._submitted.looked_up(
            lookup,
            revisions,
            complete=listed.complete,
            settle_after=self._settle_after,
            wanted=lambda: self._open,
        )
        self._ready.extend(listed.items[task_id] for task_id in fresh)
