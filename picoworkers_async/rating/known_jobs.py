"""The jobs that `decide` is given: each read once, however many ask, and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import count
from typing import NamedTuple

import anyio

from ..errors import AuthenticationError, CallError, RefusedError
from ..models import Job
from ..retry import RetryPolicy
from .watch import ServiceWatch

KEPT_SECONDS = 300.0
"""How long a job that was read is given to `decide` before it is read again."""

TTR_KEPT_SECONDS = 3600.0
"""How long the days to rate that were read are taken to be unchanged."""

MOST_KEPT = 1000
"""How many jobs are kept; beyond that, the one that was read first is forgotten."""

_TRIES = 3
"""After this many failures in a row, check whether the service answers another call."""


class _Read(NamedTuple):
    job: Job
    at: float


class UnreadableJobError(Exception):
    """The service answers, but not for this job; `str` says how."""


class KnownJobs:
    """Jobs by their ids. A service that does not answer is waited for; what it refuses is raised."""

    def __init__(
        self,
        read: Callable[[str], Awaitable[Job]],
        probe: Callable[[], Awaitable[object]],
        retry: RetryPolicy,
        watch: ServiceWatch,
    ) -> None:
        self._read = read
        self._probe = probe
        self._retry = retry
        self._watch = watch
        self._jobs: OrderedDict[str, _Read] = OrderedDict()
        self._ttrs: dict[str, tuple[int, float]] = {}
        self._reading: dict[str, anyio.Event] = {}

    def now(self, job_id: str) -> Job | None:
        """The job, if it was read recently."""
        known = self._jobs.get(job_id)
        if known is None or anyio.current_time() - known.at > KEPT_SECONDS:
            return None
        return known.job

    def ttr_of(self, job_id: str) -> int | None:
        """The days to rate of a job that was read in the last hour; None for any other."""
        ttr, at = self._ttrs.get(job_id, (None, 0.0))
        return None if anyio.current_time() - at > TTR_KEPT_SECONDS else ttr

    async def get(self, job_id: str) -> Job:
        """The job; several who ask at once share one read.

        Raises `RefusedError` for a job that does not exist, `UnreadableJobError` for one that cannot be read while
        the service answers other calls, `AuthenticationError`, and what keeps the service from
        answering when there is no patience left.
        """
        while (job := self.now(job_id)) is None:
            under_way = self._reading.get(job_id)
            if under_way is not None:
                await under_way.wait()
                continue
            ended = self._reading[job_id] = anyio.Event()
            try:
                await self._read_one(job_id)
            finally:
                del self._reading[job_id]
                ended.set()
        return job

    async def _answers_others(self) -> bool:
        """Whether the service answers at all: then one job that cannot be read is no outage."""
        try:
            await self._probe()
        except AuthenticationError:
            raise
        except CallError:
            return False
        self._watch.answered()
        return True

    async def _read_one(self, job_id: str) -> None:
        began = anyio.current_time()
        for tries in count(1):
            await self._watch.turn()
            try:
                with self._watch.trying():
                    job = await self._read(job_id)
            except (AuthenticationError, RefusedError):
                self._watch.answered()
                raise
            except CallError as error:
                if self._watch.at_no_api(error):
                    raise
                patient = anyio.current_time() - began < self._watch.patience
                asks_others = tries % _TRIES == 0
                if asks_others and await self._answers_others():
                    raise UnreadableJobError(str(error)) from None
                # One job that cannot be read is no outage, until the service does not answer others either.
                if asks_others or self._watch.away:
                    patient = self._watch.met(error) and patient
                if not patient:
                    raise
                await anyio.sleep(self._retry.pause(tries))
                continue
            self._watch.answered()
            break
        self._jobs[job_id] = _Read(job, anyio.current_time())
        self._jobs.move_to_end(job_id)
        if job.ttr is not None:
            self._ttrs[job_id] = job.ttr, anyio.current_time()
        if len(self._jobs) > MOST_KEPT:
            self._jobs.popitem(last=False)
