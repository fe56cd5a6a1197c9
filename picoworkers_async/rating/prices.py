"""What jobs pay for a task: read once each, and kept."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal

import anyio

from .. import codec, endpoints
from ..errors import RefusedError
from ..session import Session

MOST_KEPT = 10_000


class Prices:
    """The task value of each job, in US dollars, of the 10,000 jobs asked for last.

    A job's task value does not change, so it is read once. Who asks while it is being read waits for that reading.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: OrderedDict[str, Decimal | None] = OrderedDict()
        self._reading: dict[str, anyio.Event] = {}

    async def of(self, job_id: str) -> Decimal | None:
        """What the job pays for a task; None where the service does not say. Raises what reading it raises."""
        while job_id not in self._known:
            event = self._reading.get(job_id)
            if event is None:
                await self._read(job_id)
            else:
                await event.wait()
        self._known.move_to_end(job_id)
        return self._known[job_id]

    async def _read(self, job_id: str) -> None:
        event = self._reading[job_id] = anyio.Event()
        try:
            job = await self._session.call(endpoints.GET_JOB, codec.read_job, query={"job_id": job_id})
            self._known[job_id] = job.task_value
        except RefusedError:
            self._known[job_id] = None
        finally:
            del self._reading[job_id]
            event.set()
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
