"""What the client has read of jobs and balances: a lost answer is settled against it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from .models import Balances, Job

_MOST_JOBS = 10_000


class Baseline:
    """The last word on each job's positions and on the balance, forgotten when a call may have changed it.

    Holds the latest 10,000 jobs. Other programs on the account change things unseen; `settlement` says so.
    """

    def __init__(self) -> None:
        self._positions: OrderedDict[str, int | None] = OrderedDict()
        self._spendable: Decimal | None = None

    def saw_jobs(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._note(job.id, job.num_tasks)

    def saw_balances(self, balances: Balances) -> None:
        self._spendable = balances.spendable

    def posted(self, job_id: str | None) -> None:
        """A job was posted: should another be of unknown fate, it is not this one."""
        if job_id is not None:
            self._note(job_id, None)

    def before(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What is known before a call with this body is sent."""
        return {
            "job_ids": frozenset(self._positions) if "job_id" not in body else frozenset(),
            "num_tasks": self._positions.get(body.get("job_id", "")),
            "spendable": self._spendable,
        }

    def money_moved(self, body: Mapping[str, Any]) -> None:
        """A call moved money, or may have: what it can have changed is known no longer."""
        self._spendable = None
        if body.get("job_id") in self._positions and "positions" in body:
            self._positions[body["job_id"]] = None

    def _note(self, job_id: str, positions: int | None) -> None:
        self._positions[job_id] = positions
        self._positions.move_to_end(job_id)
        if len(self._positions) > _MOST_JOBS:
            self._positions.popitem(last=False)
