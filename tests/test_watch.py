"""Watching one job: what changed, when it is looked at, and what a watch waits for."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import anyio
import attrs
import httpx
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    AuthenticationError,
    ClientStateError,
    InvalidRequestError,
    JobUpdate,
    NotFoundError,
    RefusedError,
    Throttle,
    events,
)
from picoworkers_async.models import Job, JobStatus
from picoworkers_async.resources.watching import changed_fields, has_ended
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.transport.package import package_of
from tests.support.away import WAYS, AwayTransport

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


@attrs.frozen
class Told:
    """What a postback tells of a job."""

    job_id: str
    status: str = "finished"


class Changes:
    """Changes that come at these times."""

    def __init__(self, *times: float, job_id: str, error: Exception | None = None) -> None:
        self.times, self.job_id, self.error = times, job_id, error

    async def __aiter__(self) -> AsyncIterator[Told]:
        for time in self.times:
            await anyio.sleep_until(time)
            yield Told(self.job_id)
        if self.error is not None:
            raise self.error


class Refusing(httpx.AsyncBaseTransport):
    """Refuses the next so many requests, as a service that is being repaired."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner, self.refuses = inner, 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.refuses:
            self.refuses -= 1
            answer = {"ok": False, "message": "maintenance"}
            return package_of(request, "Request").Response(200, json=answer, request=request)
        return await self.inner.handle_async_request(request)


def looks(sandbox: Sandbox) -> list[float]:
    return [request.time for request in sandbox.requests if request.path.endswith("get-job.php")]


async def test_the_first_item_is_the_job_as_it_is_and_each_further_one_a_change(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(num_tasks=10)
    async with connect(sandbox) as pico, anyio.create_task_group() as group:

        async def employer() -> None:
            await anyio.sleep(90)
            await pico.jobs.add_positions(job_id, 5)
            await anyio.sleep(600)
            await pico.jobs.pause_job(job_id)
            await anyio.sleep(60)
            await pico.jobs.stop_job(job_id)

        group.start_soon(employer)
        updates = [update async for update in pico.jobs.watch(job_id)]
    assert [update.changed for update in updates] == [(), ("num_tasks",), ("status",), ("status",)]
    assert updates[0].before is None
    assert [update.before for update in updates[1:]] == [update.after for update in updates[:-1]]
    assert [update.after.num_tasks for update in updates] == [10, 15, 15, 15]
    assert updates[-1].after.status == JobStatus.FINISHED


async def test_a_job_that_has_ended_is_one_item(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(status="finished")
    async with connect(sandbox) as pico:
        (only,) = [update async for update in pico.jobs.watch(job_id)]
    assert only == JobUpdate(None, only.after)
    assert len(sandbox.requests) == 1


async def test_looks_are_as_far_apart_as_was_asked_for(connect) -> None:
    sandbox = Sandbox(latency=2.0)
    job_id = sandbox.add_job()
    async with connect(sandbox) as pico:
        with anyio.move_on_after(95):
            async for _ in pico.jobs.watch(job_id, every=30):
                pass
    times = looks(sandbox)
    assert [round(time - times[0]) for time in times] == [0, 30, 60, 90]


async def test_a_change_of_the_job_that_is_told_of_has_it_looked_at_at_once(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    now = anyio.current_time()
    async with connect(sandbox) as pico:
        changes = Changes(now + 7, now + 8, job_id=job_id)
        async with pico.jobs.watch(job_id, every=60, changes=changes) as watch:
            first = await anext(watch)
            with anyio.move_on_after(100):
                await anext(watch)
    # Nothing in a change is believed: it was told of as finished, and is running.
    assert first.after.status == JobStatus.RUNNING
    times = looks(sandbox)
    assert [round(time - times[0]) for time in times] == [0, 7, 8, 68]


async def test_a_change_of_another_job_is_passed_over(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    now = anyio.current_time()
    changes = Changes(now + 7, now + 8, job_id="other")
    async with connect(sandbox) as pico, pico.jobs.watch(job_id, changes=changes) as watch:
        await anext(watch)
        with anyio.move_on_after(50):
            await anext(watch)
    assert len(looks(sandbox)) == 1


async def test_what_the_changes_raise_is_raised(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    changes = Changes(job_id=job_id, error=LookupError("no receiver"))
    async with connect(sandbox) as pico, pico.jobs.watch(job_id, changes=changes) as watch:
        with pytest.raises(LookupError, match="no receiver"):
            async for _ in watch:
                pass


async def test_changes_that_fail_for_a_while_are_told_of_once_and_listened_to_again(connect) -> None:
    class Failing:
        """Fails for 98 seconds at any time it is asked, then tells of the job; and once more."""

        until = anyio.current_time() + 98
        asked = told = 0

        def __aiter__(self) -> Failing:
            return self

        async def __anext__(self) -> Told:
            self.asked += 1
            if anyio.current_time() < self.until:
                raise LookupError("locked")
            self.told += 1
            if self.told == 3:
                raise LookupError("locked again")
            await anyio.sleep(100)
            return Told(job_id)

    sandbox = Sandbox()
    job_id = sandbox.add_job()
    changes, errors = Failing(), []
    async with connect(sandbox) as pico, pico.jobs.watch(job_id, every=10**6, changes=changes) as watch:
        with anyio.move_on_after(600):
            while True:
                try:
                    await anext(watch)
                except LookupError as error:
                    errors.append(str(error))
    assert errors == ["locked", "locked again"]
    # Every 5 seconds for 98, and then for each change.
    assert changes.asked == 20 + 6
    times = looks(sandbox)
    # An error may cost a look: it may have hidden a change.
    assert sorted({round(time - times[0]) for time in times}) == [0, 200, 300, 405, 505]
    assert len(times) <= 5 + len(errors)


async def test_changes_are_listened_to_only_inside_the_block(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    async with connect(sandbox) as pico:
        with pytest.raises(ClientStateError, match="inside the block"):
            await anext(pico.jobs.watch(job_id, changes=Changes(job_id=job_id)))
        async with pico.jobs.watch(job_id) as watch:
            assert (await anext(watch)).before is None


@pytest.mark.parametrize("way", WAYS)
async def test_a_service_that_is_away_is_waited_for_and_told_of_once(way: str) -> None:
    told: list[events.Event] = []
    sandbox = Sandbox()
    job_id = sandbox.add_job(num_tasks=10)
    transport = AwayTransport(sandbox.transport(), way, anyio.current_time() + 50, 7200)
    options = {"transport": transport, "throttle": Throttle(), "on_event": told.append}
    async with AsyncPicoworkers("user_id", "api_secret", **options) as pico:
        watch = pico.jobs.watch(job_id, every=20)
        await anext(watch)
        await anyio.sleep(100)
        sandbox.store.jobs[job_id].num_tasks = 11
        update = await anext(watch)
    assert (update.changed, update.before.num_tasks) == (("num_tasks",), 10)
    kinds = [type(event) for event in told if isinstance(event, events.OutageBegan | events.OutageEnded)]
    assert kinds == [events.OutageBegan, events.OutageEnded]
    # A minute apart at most, and never more than the pauses of an outage ask for.
    assert 7200 / 61 - 5 <= len(transport.tries) <= 7200 / 60 + 12


async def test_changes_that_are_told_of_in_an_outage_ask_for_no_look() -> None:
    sandbox = Sandbox()
    job_id, now = sandbox.add_job(), anyio.current_time()
    transport = AwayTransport(sandbox.transport(), "503", now + 5, 1200)
    changes = Changes(*(now + second for second in range(10, 1200)), job_id=job_id)
    pico = AsyncPicoworkers("user_id", "api_secret", transport=transport, throttle=Throttle())
    async with pico, pico.jobs.watch(job_id, changes=changes) as watch:
        await anext(watch)
        with anyio.move_on_after(1190):
            await anext(watch)
    assert len(transport.tries) < 40


async def test_a_job_that_is_not_there_is_an_error_at_once_and_later(connect) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    async with connect(sandbox) as pico:
        with pytest.raises(NotFoundError):
            await anext(pico.jobs.watch("nowhere"))
        watch = pico.jobs.watch(job_id)
        await anext(watch)
        del sandbox.store.jobs[job_id]
        with pytest.raises(NotFoundError):
            await anext(watch)


async def test_a_refusal_ends_a_watch_at_its_first_look_only() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    transport = Refusing(sandbox.transport())
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport, throttle=Throttle()) as pico:
        with pytest.raises(RefusedError, match="maintenance"):
            await anext(pico.jobs.watch(job_id))
        transport.refuses = 0
        watch = pico.jobs.watch(job_id)
        await anext(watch)
        transport.refuses = 5
        sandbox.store.jobs[job_id].num_tasks = 77
        assert (await anext(watch)).after.num_tasks == 77


async def test_lost_credentials_end_it() -> None:
    sandbox = Sandbox()
    async with AsyncPicoworkers("user_id", "wrong", transport=sandbox.transport()) as pico:
        with pytest.raises(AuthenticationError):
            await anext(pico.jobs.watch(sandbox.add_job()))


@pytest.mark.parametrize(
    ("job_id", "options", "fields"),
    [
        ("", {}, ["job_id"]),
        ("../users/get-balances.php", {}, ["job_id"]),
        ("https://sproutgigs.com/j", {}, ["job_id"]),
        ("j", {"every": 0}, ["every"]),
        ("j", {"every": math.inf}, ["every"]),
        ("j", {"every": "60"}, ["every"]),
        ("j", {"every": True, "changes": [1]}, ["every", "changes"]),
        (None, {"every": -1}, ["job_id", "every"]),
    ],
)
def test_what_cannot_be_watched_is_refused_by_name(job_id, options, fields) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AsyncPicoworkers("user_id", "api_secret").jobs.watch(job_id, **options)
    assert [problem.field for problem in caught.value.problems] == fields


def test_every_attribute_of_a_job_can_be_told_as_changed() -> None:
    for field in attrs.fields(Job):
        before = Job("j")
        assert changed_fields(before, attrs.evolve(before, **{field.name: object()})) == (field.name,)
    assert changed_fields(Job("j"), Job("j")) == ()


def test_only_what_is_finished_or_declined_has_ended() -> None:
    ended = {status for status in [*JobStatus, None, "archived"] if has_ended(Job("j", status=status))}
    assert ended == {JobStatus.FINISHED, JobStatus.DECLINED}
