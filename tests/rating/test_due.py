"""Tasks that pay themselves when nobody rates them in time: told before, and decided first."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import anyio
import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    InvalidRequestError,
    Job,
    Later,
    ProblemCode,
    Rating,
    Task,
)
from picoworkers_async.events import Event, TaskDue
from picoworkers_async.rating.due import Due, DueTasks, SoonestFirst, due_at
from picoworkers_async.sandbox import Sandbox
from tests.support.away import AwayTransport

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = 86400.0


def written(moment: datetime) -> str:
    return moment.isoformat()


# The arithmetic


def test_a_task_is_to_be_rated_its_job_s_days_after_it_was_handed_in() -> None:
    job, task = Job("j", ttr=3), Task("t", "j", finished_at=NOON)
    assert job.rate_by(task) == NOON + timedelta(days=3)
    assert due_at(task, 3) == (NOON + timedelta(days=3)).timestamp()
    assert due_at(task, None) == (NOON + timedelta(days=7)).timestamp()


@pytest.mark.parametrize(
    ("job", "task", "fields"),
    [
        (Job("j"), Task("t", "j", finished_at=NOON), ["ttr"]),
        (Job("j", ttr=3), Task("t", "j"), ["task.finished_at"]),
        (Job("j"), Task("t", "k"), ["task", "task.finished_at", "ttr"]),
    ],
)
def test_what_keeps_it_from_being_known_is_named(job: Job, task: Task, fields: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        job.rate_by(task)
    assert [problem.field for problem in caught.value.problems] == fields
    assert {problem.code for problem in caught.value.problems} <= {ProblemCode.REQUIRED, ProblemCode.CONFLICT}


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "drop", "forget", "tell"]), st.integers(0, 9), st.integers(0, 100)),
    max_size=80,
)


@given(STEPS, st.integers(0, 20))
def test_each_revision_is_told_once_when_it_is_due_soon_and_the_soonest_is_the_least(steps, within: int) -> None:
    due, known, told, revisions = DueTasks(within), {}, [], itertools.count()
    for step, number, at in steps:
        name = f"t{number}"
        if step == "add":
            known[name] = Due(at, name, next(revisions), "j")
            due.add(known[name])
        elif step == "drop":
            known.pop(name, None)
            due.drop(name)
        elif step == "forget":
            known = {one: what for one, what in known.items() if one < name}
            due.forget(lambda one, name=name: one < name)
        else:
            told += (found := due.newly_due(at))
            assert all(one.at - within <= at and known[one.task_id] is one for one in found)
            assert {one.task_id for one in known.values() if one.at - within <= at} <= {
                one.task_id for one in told
            }
        assert due.soonest() == min((one.at for one in known.values()), default=None)
        assert len(due._all) <= 2 * len(known) + 65
    assert len({(one.task_id, one.revision) for one in told}) == len(told)


def test_of_tasks_that_wait_the_one_that_is_due_first_comes_first() -> None:
    waiting = SoonestFirst(lambda task: due_at(task, None))
    for number, hours in enumerate((5, 1, 3, 1)):
        waiting.append((Task(f"t{number}", "j", finished_at=NOON + timedelta(hours=hours)), None))
    waiting.append((Task("undated", "j"), None))
    assert [waiting.popleft()[0].id for _ in range(len(waiting))] == ["t1", "t3", "t2", "t0", "undated"]


# In a review


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_task_that_is_put_off_for_too_long_is_told_of_once_before_it_pays_itself(
    connect, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, loop_began = time.time(), anyio.current_time()
    now = datetime.fromtimestamp(began, UTC)
    monkeypatch.setattr(
        "picoworkers_async.rating.due_watch.time.time", lambda: began + anyio.current_time() - loop_began
    )
    sandbox = Sandbox(edition=edition, page_size=10)
    soon, late = sandbox.add_job(num_tasks=100, ttr=2), sandbox.add_job(num_tasks=100, ttr=7)
    (due,) = sandbox.add_tasks(soon, 1, finished_at=written(now))
    (rated,) = sandbox.add_tasks(soon, 1, finished_at=written(now))
    sandbox.add_tasks(late, 3, finished_at=written(now))
    told: list[Event] = []
    at: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, TaskDue):
            told.append(event)
            at.append(anyio.current_time() - loop_began)

    def decide(task: Task) -> Rating | Later:
        return Rating.ok(task) if task.id == rated else Later(6 * 3600)

    async with (
        connect(sandbox, on_event=listen) as pico,
        pico.review(decide, follow=3600, due_within=DAY) as batch,
    ):
        await anyio.sleep(60)
        assert batch.progress().soonest_due == now + timedelta(days=2)
        await anyio.sleep(2 * DAY)
        jobs_read = sum(request.path.endswith("get-job.php") for request in sandbox.requests)
    assert [(event.task_id, event.rate_by) for event in told] == [(due, now + timedelta(days=2))]
    assert DAY - 1 <= at[0] <= DAY + 700
    assert jobs_read == 2


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("asynchronous", [True, False])
async def test_what_is_due_first_is_decided_first_and_costs_no_request(connect, asynchronous: bool) -> None:
    requests = []
    orders = []
    for due_first in (False, True):
        sandbox = Sandbox(edition=SPROUTGIGS, page_size=100)
        job_id = sandbox.add_job(num_tasks=100)
        for hours in (7, 3, 9, 1, 8, 2, 6, 4, 5):
            sandbox.add_tasks(job_id, 1, finished_at=written(NOON + timedelta(hours=hours)))
        decided: list[datetime | None] = []

        def decide(task: Task, decided: list[datetime | None] = decided) -> Rating:
            decided.append(task.finished_at)
            return Rating.ok(task)

        async def later(task: Task, decided: list[datetime | None] = decided) -> Rating:
            await anyio.sleep(1)
            decided.append(task.finished_at)
            return Rating.ok(task)

        async with connect(sandbox) as pico:
            chosen = later if asynchronous else decide
            report = await pico.review_all(chosen, deciding=1, due_first=due_first)
        assert report.rated == 9
        requests.append(len([request for request in sandbox.requests if "get-" in request.path]))
        orders.append(decided)
    assert orders[1] == sorted(orders[1])  # type: ignore[type-var]
    assert orders[0] != orders[1]
    assert requests[0] == requests[1]


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_task_that_was_refused_is_told_of_too_and_one_of_a_job_without_days_to_rate_is_warned_of(
    connect, edition: Edition, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = Sandbox(edition=edition)
    job_id, undated = sandbox.add_job(num_tasks=100, ttr=1), sandbox.add_job(num_tasks=100, extra={"ttr": None})
    handed_in = datetime.now(UTC) - timedelta(hours=20)
    refused, rated = sandbox.add_tasks(job_id, 2, finished_at=handed_in)
    sandbox.add_tasks(undated, 2, finished_at=handed_in)
    sandbox.refuse(refused, "Not yet.")
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, TaskDue):
            told.append(event.task_id)

    async def decide(task: Task) -> Rating | None:
        await anyio.sleep(10)
        return Rating.ok(task) if task.id in (refused, rated) else None

    async with (
        connect(sandbox, on_event=listen) as pico,
        pico.review(decide, follow=60, due_within=3 * 3600) as batch,
    ):
        await anyio.sleep(120)
        assert (batch.progress().rated, batch.progress().refused) == (1, 1)
        assert batch.progress().soonest_due is not None
    assert told == []
    assert len([record for record in caplog.records if undated in record.getMessage()]) == 1


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_job_that_is_slow_or_refused_once_holds_up_no_other_and_what_is_rated_meanwhile_is_not_told_of(
    connect, edition: Edition
) -> None:
    sandbox = Sandbox(edition=edition)
    slow, refused, other, absurd = (sandbox.add_job(num_tasks=100, ttr=1) for _ in range(4))
    soon = datetime.now(UTC) - timedelta(hours=23, minutes=59)
    rated = sandbox.add_tasks(slow, 3, finished_at=soon)
    later, now = sandbox.add_tasks(refused, 1, finished_at=soon), sandbox.add_tasks(other, 1, finished_at=soon)
    sandbox.add_tasks(absurd, 1, finished_at="9999-12-31T23:59:59+00:00")
    began, told, refusals = anyio.current_time(), {}, []

    class Odd(AwayTransport):
        async def handle_async_request(self, request):
            if request.url.path.endswith("get-job.php"):
                if request.url.params.get("job_id") == slow:
                    await anyio.sleep(20)
                if request.url.params.get("job_id") == refused and not refusals:
                    refusals.append(request)
                    return httpx.Response(200, json={"ok": False, "message": "Later."}, request=request)
            return await self.inner.handle_async_request(request)

    def listen(event: Event) -> None:
        if isinstance(event, TaskDue):
            told[event.task_id] = anyio.current_time() - began

    transport = Odd(sandbox.transport(), "503", 0, 0)
    async with (
        AsyncPicoworkers("user_id", "api_secret", edition=edition, transport=transport, on_event=listen) as pico,
        pico.review(
            lambda task: Rating.ok(task) if task.id in rated else None,
            follow=3600,
            due_within=3600,
            due_first=True,
        ) as batch,
    ):
        await anyio.sleep(2000)
        assert batch.progress().rated == 3
    assert set(told) == {*later, *now}
    assert told[now[0]] < 15
    assert 600 <= told[later[0]] <= 1300


@pytest.mark.parametrize(("days", "moment"), [(10**9, NOON), (7, datetime(9999, 12, 31, tzinfo=UTC))])
def test_a_date_beyond_all_calendars_is_said_so(days: int, moment: datetime) -> None:
    job, task = Job("j", ttr=days), Task("t", "j", finished_at=moment)
    with pytest.raises(InvalidRequestError, match="10000"):
        job.rate_by(task)
    assert due_at(task, days) == float("inf")


@pytest.mark.anyio
async def test_options_of_deadlines_are_checked_by_name(connect) -> None:
    async with connect(Sandbox()) as pico:
        with pytest.raises(InvalidRequestError) as caught:
            pico.review(Rating.ok, due_within=-1, due_first="yes")
    assert [problem.field for problem in caught.value.problems] == ["due_within", "due_first"]


def test_a_job_without_days_to_rate_is_not_guessed() -> None:
    job = Job("j", extra={"ttr": "soon"})
    with pytest.raises(InvalidRequestError, match="soon"):
        attrs.evolve(job).rate_by(Task("t", "j", finished_at=NOON))
