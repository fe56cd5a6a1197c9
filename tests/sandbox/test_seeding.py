"""What a sandbox is seeded with: tasks of several workers, and tasks whose ratings it refuses."""

from __future__ import annotations

import pytest

from picoworkers_async import AsyncPicoworkers, Edition, OutcomeStatus, Rating
from picoworkers_async.sandbox import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_tasks_come_from_ten_workers_in_turn_unless_one_is_named() -> None:
    sandbox, again = Sandbox(), Sandbox()
    for one in (sandbox, again):
        job_id = one.add_job()
        one.add_tasks(job_id, 7)
        one.add_tasks(job_id, 5)
        one.add_tasks(job_id, 2, worker_id="somebody")
    workers = [task.fields["worker_id"] for task in sandbox.store.tasks.values()]
    assert len(set(workers[:12])) == 10
    assert workers[10:] == [*workers[:2], "somebody", "somebody"]
    assert workers == [task.fields["worker_id"] for task in again.store.tasks.values()]


async def test_a_task_can_be_refused_that_stays_listed_and_be_taken_again(edition: Edition) -> None:
    sandbox = Sandbox(edition=edition)
    first, second = sandbox.add_tasks(sandbox.add_job(), 2)
    sandbox.refuse(first, "Not today.")
    async with AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=sandbox.transport()) as pico:
        report = await pico.review_all(Rating.ok)
        (refused,) = report.outcomes_by_status[OutcomeStatus.REFUSED]
        assert (report.rated, refused.rating.task_id, refused.message) == (1, first, "Not today.")
        assert sandbox.unrated() == [first]
        sandbox.refuse(first, None)
        assert (await pico.review_all(Rating.ok)).rated == 1
    assert {entry.task_id for entry in sandbox.ledger} == {first, second}
