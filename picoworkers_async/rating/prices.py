"""What verdicts pay: found out from the jobs, if it has to be known, in this run and for earlier ones."""

from __future__ import annotations

import contextlib

from ..errors import JournalError, RefusedError
from ..journal.writer import JournalWriter
from ..models import Verdict
from .budget import pay_of
from .grace_period import GracePeriod
from .known_jobs import KnownJobs, UnreadableJobError
from .pending import PendingRating


class Prices:
    """Knows what the jobs of a batch pay for a task."""

    def __init__(self, jobs: KnownJobs, grace: GracePeriod) -> None:
        self._jobs, self._grace = jobs, grace

    def note_if_known(self, pending: PendingRating) -> None:
        """Note what the verdict pays, if the job was read recently or nothing need be read for it."""
        rating = pending.rating
        job = self._jobs.now(rating.job_id) if rating.verdict is Verdict.OK else None
        pending.pay = pay_of(rating, None if job is None else job.task_value)

    async def find(self, pending: PendingRating) -> bool:
        """Find out what the verdict pays, if the service says so. False if the batch was left meanwhile."""
        rating = pending.rating
        job = self._jobs.now(rating.job_id)
        if job is None:
            asked = False
            with self._grace.interruptible(), contextlib.suppress(RefusedError, UnreadableJobError):
                try:
                    job = await self._jobs.get(rating.job_id)
                finally:
                    asked = not self._grace.ended
            if not asked:
                return False
        pending.pay = pay_of(rating, None if job is None else job.task_value)
        return True

    async def find_earlier(self, journal: JournalWriter, since: float | None) -> None:
        """Find out what ratings of earlier runs pay, which had no need to know, for those sent since then.

        Raises `JournalError` if the service no longer says it.
        """
        for job_id in await journal.unpriced(since):
            why = "it has no task value"
            value = None
            try:
                value = (await self._jobs.get(job_id)).task_value
            except (RefusedError, UnreadableJobError) as error:
                why = str(error)
            if value is None:
                said = f"limits on pay count earlier ratings of job {job_id}, whose task value is not known"
                raise JournalError(journal.path, f"{said} ({why}); add it with Journal.price()")
            await journal.price(job_id, value)
