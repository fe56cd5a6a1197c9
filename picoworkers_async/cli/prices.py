"""What verdicts pay, found out beside a batch that does not need to know: each job is read once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from decimal import Decimal

import anyio

from ..client import AsyncPicoworkers
from ..errors import PicoworkersError
from ..models import Verdict
from ..models.account import CONTEXT
from ..rating.outcomes import Outcome, OutcomeStatus

MOST_JOBS = 200
"""At most this many jobs are read; more would take requests away from ratings."""

_EVERY_SECONDS = 0.25


class Prices:
    """Counts the tasks that a batch paid for, by job, and reads what those jobs pay."""

    def __init__(self, pico: AsyncPicoworkers) -> None:
        self._pico = pico
        self._paid: Counter[str] = Counter()
        self.values: dict[str, Decimal] = {}
        self._met: set[str] = set()
        self._waiting: deque[str] = deque()

    def add(self, outcome: Outcome) -> None:
        """Count what this run did; what an earlier run did was paid then."""
        rating = outcome.rating
        is_paid = outcome.status is OutcomeStatus.RATED and not outcome.replayed
        if rating is None or not is_paid or rating.verdict is not Verdict.OK:
            return
        self._paid[rating.job_id] += 1
        if rating.job_id not in self._met and len(self._met) < MOST_JOBS:
            self._met.add(rating.job_id)
            self._waiting.append(rating.job_id)

    def pay(self) -> Decimal | None:
        """What was paid for tasks, without bonuses, in US dollars; None until it is known for all."""
        return pay_of(self._paid, self.values)

    async def run(self) -> None:
        """Read the jobs that are met, until cancelled."""
        while True:
            await self.finish()
            await anyio.sleep(_EVERY_SECONDS)

    async def finish(self) -> None:
        """Read those that are left."""
        while self._waiting:
            await self.find(self._waiting[0])
            self._waiting.popleft()

    async def find(self, job_id: str) -> Decimal | None:
        """What this job pays for a task; None if the service does not say."""
        if job_id not in self.values:
            try:
                value = (await self._pico.jobs.get_job(job_id)).task_value
            except PicoworkersError:
                return None
            if value is not None:
                self.values[job_id] = value
        return self.values.get(job_id)


def pay_of(tasks: Mapping[str, int], values: Mapping[str, Decimal]) -> Decimal | None:
    """What these numbers of tasks of each job pay, in US dollars; None unless every job's pay is known."""
    total = Decimal(0)
    for job_id, count in tasks.items():
        if job_id not in values:
            return None
        total = CONTEXT.add(total, CONTEXT.multiply(Decimal(count), values[job_id]))
    return total
