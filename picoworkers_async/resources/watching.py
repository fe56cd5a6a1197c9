"""Watch one job: what changed in it since the last read."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

import anyio
import attrs

from .. import rules
from ..errors import (
    AuthenticationError,
    CallError,
    ClientStateError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
)
from ..events import OutageBegan, OutageEnded
from ..models import Job, JobStatus, JobUpdate
from ..outage import Outage, is_failure
from ..problems import Problem, ProblemCode
from ..retry import RetryPolicy
from ..session import Session
from ..settings import interval_problems

ENDED = frozenset({JobStatus.FINISHED, JobStatus.DECLINED})
"""A job stays in one of these unless somebody restarts it."""


_LISTEN_AGAIN_SECONDS = 5.0


class ChangeOfJob(Protocol):
    """What is used of a change that the service reports: which job to read. The rest is read from the service."""

    @property
    def job_id(self) -> str: ...


def changed_fields(before: Job, after: Job) -> tuple[str, ...]:
    """The names of the attributes in which two reads of a job differ."""
    names = (field.name for field in attrs.fields(Job))
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def has_ended(job: Job) -> bool:
    """Whether the job's status no longer changes by itself."""
    return job.status in ENDED


def pause_after(error: CallError, failures: int, *, every: float, retry: RetryPolicy) -> float:
    """How many seconds after a failed read the next one is due, unless an outage says otherwise.

    A 429 is waited out at the gate. A refusal may be how the service says that it is being repaired.
    """
    if isinstance(error, RateLimitedError):
        return 0.0
    return min(every, retry.pause(failures)) if is_failure(error) else every


class JobWatch:
    """The changes of one job: an async iterator of `JobUpdate`, and with `changes` an async context manager too.

    The first item is the job as it is; each further one is a read that found a change. Reads are `every` seconds
    (60) apart, and have a batch's place at the gate. What changed and changed back between two reads is not
    seen. The iterator ends after the item that shows the job finished or declined, even if tasks of it still
    wait to be rated. To watch a job that was restarted, call `watch` again.

    With `changes` (from `async with receiver.job_changes() as changes`), each change of this job has it read at
    once. Nothing else in a change is believed, and changes of other jobs are skipped. When `changes` ends, the
    reads go on. What it raises is raised here, and it is asked again 5 seconds later, so you may go on
    iterating. If it fails again, that is raised only if a change has come meanwhile.

    A service that cannot be reached, or does not answer as documented, is waited for without end, with pauses
    that grow to a minute. So is one that refuses, except on the first read.

    Raises `NotFoundError` for a job that is not there, or no longer there; `AuthenticationError`; and
    `InvalidRequestError` for an id that is empty or a path, an `every` that is not above 0, and `changes` that
    are no async iterable.
    """

    def __init__(
        self,
        session: Session,
        read: Callable[[str], Awaitable[Job]],
        job_id: str,
        *,
        every: float,
        changes: AsyncIterable[ChangeOfJob] | None,
    ) -> None:
        problems = rules.check_job_id(job_id) + interval_problems("every", every)
        if changes is not None and not hasattr(changes, "__aiter__"):
            limit = "an async iterable, such as receiver.job_changes()"
            problems.append(Problem("changes", changes, limit, ProblemCode.TYPE))
        if problems:
            raise InvalidRequestError("jobs.watch", problems)
        self._job_id, self._every, self._changes = job_id, every, changes
        self._read, self._retry, self._observers = read, session.retry, session.observers
        self._outage = Outage(session.retry, math.inf)
        self._failures = 0
        self._job: Job | None = None
        self._next_at = -math.inf
        self._told = anyio.Event()
        self._listening = False
        self._lost: Exception | None = None

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        if self._changes is not None:
            self._group.start_soon(self._listen, self._changes)
        self._listening = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening = False
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JobUpdate:
        if self._changes is not None and not self._listening:
            raise ClientStateError(
                "iterate inside the block: `async with pico.jobs.watch(..., changes=...) as watch`"
            )
        before = self._job
        if before is not None and has_ended(before):
            raise StopAsyncIteration
        while True:
            await self._until_due()
            after = await self._look()
            if after is None:
                continue
            self._job = after
            if before is None:
                return JobUpdate(None, after)
            changed = changed_fields(before, after)
            if changed:
                return JobUpdate(before, after, changed)

    async def _listen(self, changes: AsyncIterable[ChangeOfJob]) -> None:
        fails = False
        while True:
            try:
                async for change in changes:
                    fails = False
                    if change.job_id == self._job_id:
                        self._told.set()
            except Exception as error:
                if not fails:
                    fails = True
                    self._lost = error
                    self._told.set()
                await anyio.sleep(_LISTEN_AGAIN_SECONDS)
            else:
                return

    async def _until_due(self) -> None:
        """Wait until a read is due: by time or, unless there is an outage, by a change that was reported."""
        if self._outage.lasts:
            await anyio.sleep_until(self._next_at)
        with anyio.move_on_after(max(0.0, self._next_at - anyio.current_time())):
            await self._told.wait()
        lost, self._lost = self._lost, None
        if lost is not None:
            raise lost
        if self._told.is_set():
            self._told = anyio.Event()

    async def _look(self) -> Job | None:
        """The job; None if it could not be read, and is to be read again when that is due."""
        began = anyio.current_time()
        try:
            job = await self._read(self._job_id)
        except (AuthenticationError, NotFoundError):
            raise
        except CallError as error:
            if isinstance(error, RefusedError) and self._job is None:
                raise
            self._failed(error)
            return None
        self._failures = 0
        self._next_at = began + self._every
        lasted = self._outage.worked(anyio.current_time())
        if lasted is not None:
            self._observers.tell(OutageEnded(seconds=lasted))
        return job

    def _failed(self, error: CallError) -> None:
        now = anyio.current_time()
        self._failures += 1
        self._next_at = now + pause_after(error, self._failures, every=self._every, retry=self._retry)
        if is_failure(error):
            if self._outage.failed(now):
                self._observers.tell(OutageBegan(error=str(error)))
            if self._outage.lasts:
                self._next_at = self._outage.next_try_at
