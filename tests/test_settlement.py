"""Single calls of unknown outcome, settled by reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from picoworkers_async import SPROUTGIGS, Effect, OutcomeUnknownError, Rating
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.vectors import DRAFT

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

LOST = Faults(cut_after=1.0)
UNSENT = Faults(cut_before=1.0)


async def lost(sandbox: Sandbox, call, faults: Faults) -> OutcomeUnknownError:
    """The error of a call whose answer is lost, with the service as before afterwards."""
    sandbox.faults = faults
    with pytest.raises(OutcomeUnknownError) as caught:
        await call()
    sandbox.faults = Faults()
    return caught.value


@pytest.mark.parametrize(("faults", "effect"), [(LOST, Effect.TOOK_EFFECT), (UNSENT, Effect.DID_NOT)])
async def test_a_post_is_looked_for_among_the_jobs(connect, faults: Faults, effect: Effect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        before = await pico.jobs.post_job(DRAFT)
        error = await lost(sandbox, lambda: pico.jobs.post_job(DRAFT), faults)
        settlement = await pico.settle(error)
    assert settlement.effect is effect
    assert settlement.job_id != before.job_id
    assert (settlement.job_id is None) is (effect is Effect.DID_NOT)


async def test_an_older_job_alike_that_was_not_known_before_cannot_be_told_apart(connect) -> None:
    sandbox = Sandbox()
    fields = {"title": DRAFT.title, "category_id": DRAFT.category_id, "task_value": DRAFT.task_value}
    sandbox.add_job(**fields, num_tasks=25, created_at="2021-10-25T07:42:35Z")
    async with connect(sandbox) as pico:
        error = await lost(sandbox, lambda: pico.jobs.post_job(DRAFT), UNSENT)
        assert (await pico.settle(error)).effect is Effect.CANNOT_TELL


async def test_several_new_jobs_alike_cannot_be_told_apart(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico, connect(sandbox) as other:
        error = await lost(sandbox, lambda: pico.jobs.post_job(DRAFT), LOST)
        await other.jobs.post_job(DRAFT)
        assert (await pico.settle(error)).effect is Effect.CANNOT_TELL


@pytest.mark.parametrize(("faults", "effect"), [(LOST, Effect.TOOK_EFFECT), (UNSENT, Effect.DID_NOT)])
async def test_positions_are_counted_against_what_was_read_before(connect, faults, effect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(num_tasks=100)
    async with connect(sandbox) as pico:
        await pico.jobs.get_job(job_id)
        settlement = await pico.settle(await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), faults))
        assert settlement.effect is effect
        assert "100 positions" in settlement.reasons[0]


async def test_positions_that_were_never_read_cannot_be_told(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    async with connect(sandbox) as pico:
        unread = await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), LOST)
        assert (await pico.settle(unread)).effect is Effect.CANNOT_TELL
        # The unknown call itself has made what was read before it stale.
        await pico.jobs.get_job(job_id)
        await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), LOST)
        stale = await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), LOST)
        assert (await pico.settle(stale)).effect is Effect.CANNOT_TELL


async def test_positions_that_something_else_changed_too_cannot_be_told(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(num_tasks=100)
    async with connect(sandbox) as pico:
        await pico.jobs.get_job(job_id)
        error = await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), LOST)
        sandbox.store.jobs[job_id].num_tasks += 1
        assert (await pico.settle(error)).effect is Effect.CANNOT_TELL


async def test_a_job_that_is_still_finished_was_not_restarted(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(status="finished", num_tasks=100)
    async with connect(sandbox) as pico:
        unread = await lost(sandbox, lambda: pico.jobs.restart_job(job_id, 5), UNSENT)
        assert (await pico.settle(unread)).effect is Effect.CANNOT_TELL
        # Until then it might still take effect, and what is read would prove nothing of a later call.
        await anyio.sleep(30)
        await pico.jobs.get_job(job_id)
        error = await lost(sandbox, lambda: pico.jobs.restart_job(job_id, 5), UNSENT)
        assert (await pico.settle(error)).effect is Effect.DID_NOT
        await pico.jobs.get_job(job_id)
        error = await lost(sandbox, lambda: pico.jobs.restart_job(job_id, 5), LOST)
        assert (await pico.settle(error)).effect is Effect.TOOK_EFFECT


@pytest.mark.parametrize(("faults", "effect"), [(LOST, Effect.TOOK_EFFECT), (UNSENT, Effect.CANNOT_TELL)])
async def test_a_deposit_shows_in_the_balance_or_proves_nothing(connect, faults, effect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        await pico.users.get_balances()
        settlement = await pico.settle(await lost(sandbox, lambda: pico.wallet.deposit(1000), faults))
        assert settlement.effect is effect
        unread = await lost(sandbox, lambda: pico.wallet.deposit(1000), LOST)
        await lost(sandbox, lambda: pico.wallet.deposit(1000), LOST)
        assert (await pico.settle(unread)).effect is not Effect.DID_NOT


@pytest.mark.parametrize(
    ("verdict", "faults", "effect"),
    [
        ("ok", LOST, Effect.TOOK_EFFECT),
        ("ok", UNSENT, Effect.DID_NOT),
        ("revise", LOST, Effect.TOOK_EFFECT),
        ("revise", UNSENT, Effect.CANNOT_TELL),
    ],
)
async def test_a_rating_is_looked_for_among_the_unrated(connect, verdict, faults, effect) -> None:
    sandbox = Sandbox(page_size=3)
    job_id = sandbox.add_job()
    task_id = sandbox.add_tasks(job_id, 10)[4]
    rating = Rating(job_id, task_id, verdict, comment="which?")
    async with connect(sandbox) as pico:
        error = await lost(sandbox, lambda: pico.jobs.rate_single_task(rating), faults)
        assert (await pico.settle(error)).effect is effect


async def test_when_all_goes_well_it_costs_no_request(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    async with connect(sandbox) as pico:
        await pico.jobs.add_positions(job_id, 1)
        await pico.wallet.deposit(1000)
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    ("fault", "effect"),
    [("cut_after", Effect.TOOK_EFFECT), ("cut_before", Effect.DID_NOT), ("cut_midway", Effect.CANNOT_TELL)],
)
async def test_ratings_sent_together_are_settled_together(connect, fault: str, effect: Effect) -> None:
    sandbox = Sandbox(edition=SPROUTGIGS)
    job_id = sandbox.add_job()
    ratings = [Rating(job_id, task_id, "ok") for task_id in sandbox.add_tasks(job_id, 4)]
    async with connect(sandbox) as pico:
        error = await lost(sandbox, lambda: pico.jobs.rate_multiple_tasks(ratings), Faults(**{fault: 1.0}))
        settlement = await pico.settle(error)
    assert settlement.effect is effect
    assert settlement.reasons[0].startswith("2 of 4" if fault == "cut_midway" else "4 of 4")


async def test_positions_read_from_a_replica_that_lags_are_no_baseline(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(num_tasks=10)
    sandbox.read_lag = 2.0
    async with connect(sandbox) as pico:
        await pico.jobs.get_job(job_id)
        await pico.jobs.add_positions(job_id, 5)
        await pico.jobs.get_job(job_id)
        error = await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), UNSENT)
        assert (await pico.settle(error)).effect is Effect.CANNOT_TELL


async def test_positions_read_while_some_are_added_are_no_baseline(connect) -> None:
    sandbox = Sandbox(latency=1.0)
    job_id = sandbox.add_job(num_tasks=10)
    async with connect(sandbox) as pico:
        async with anyio.create_task_group() as group:
            group.start_soon(pico.jobs.get_job, job_id)
            await anyio.sleep(0.8)
            sandbox.latency = 0.1
            group.start_soon(pico.jobs.add_positions, job_id, 5)
        error = await lost(sandbox, lambda: pico.jobs.add_positions(job_id, 5), UNSENT)
        assert (await pico.settle(error)).effect is Effect.CANNOT_TELL


async def test_of_two_posts_alike_neither_gets_the_job_of_the_other(connect) -> None:
    sandbox = Sandbox()
    async with connect(sandbox) as pico:
        first = await lost(sandbox, lambda: pico.jobs.post_job(DRAFT), UNSENT)
        second = await lost(sandbox, lambda: pico.jobs.post_job(DRAFT), LOST)
        assert (await pico.settle(first)).effect is Effect.CANNOT_TELL
        assert (await pico.settle(second)).effect is Effect.CANNOT_TELL


async def test_a_job_alike_that_was_made_a_minute_before_is_not_taken_for_the_one_posted(connect) -> None:
    sandbox = Sandbox()
    fields = {"title": DRAFT.title, "category_id": DRAFT.category_id, "task_value": DRAFT.task_value}
    made = datetime.now(UTC) - timedelta(seconds=60)
    sandbox.add_job(**fields, num_tasks=25, created_at=made.strftime("%Y-%m-%dT%H:%M:%SZ"))
    async with connect(sandbox) as pico:
        error = await lost(sandbox, lambda: pico.jobs.post_job(DRAFT), UNSENT)
        assert (await pico.settle(error)).effect is Effect.CANNOT_TELL
