"""A sandbox with tasks that wait to be rated."""

from __future__ import annotations

from typing import Any

from picoworkers_async import Rating
from picoworkers_async.sandbox import Sandbox

RATING_CALLS = {"rate_single_task", "rate_multiple_tasks"}
"""The endpoints that rate, by the names that faults know them by."""


def seeded(tasks: int, jobs: int = 1, **options: Any) -> tuple[Sandbox, list[Rating]]:
    """A sandbox with so many tasks over some jobs, and for each a rating that pays it with a bonus of $0.10."""
    sandbox = Sandbox(balance=10**6, **options)
    ratings = []
    for _ in range(jobs):
        job_id = sandbox.add_job(num_tasks=10**6)
        ids = sandbox.add_tasks(job_id, tasks // jobs)
        ratings += [Rating(job_id, name, "ok", bonus="0.10", revision_number=0) for name in ids]
    return sandbox, ratings
