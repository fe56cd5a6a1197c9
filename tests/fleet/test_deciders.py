"""How the function that decides is called, and what is made of what it gives."""

from __future__ import annotations

import pytest

from picoworkers_async import InvalidRequestError, Job, Rating, Task
from picoworkers_async.fleet import BrokerError, decider, run_decider
from picoworkers_async.fleet.deciders import Caller, Deciding, after_error, before_try, marked
from picoworkers_async.fleet.failures import broker_error
from picoworkers_async.fleet.messages import NotDecided

pytestmark = pytest.mark.anyio
TASK = Task("t1", "j1", revision_number=3)
JOB = Job("j1", title="a job")


async def asynchronous(task: Task) -> Rating:
    return Rating("j1", "t1", "ok")


def plain(task: Task, job: Job) -> Rating:
    return Rating.ok(task, comment=job.title)


class Callable:
    async def __call__(self, task: Task) -> None:
        return None


async def test_async_and_plain_functions_and_objects_decide() -> None:
    assert await Caller(asynchronous, 1).decide(TASK, None) == Rating.ok(TASK)
    assert (await Caller(plain, 1).decide(TASK, JOB)).comment == "a job"
    assert await Caller(Callable(), 1).decide(TASK, JOB) is None


async def test_one_that_takes_the_job_says_how_to_send_it() -> None:
    decision = await Caller(plain, 1).decide(TASK, None)
    assert isinstance(decision, NotDecided)
    assert "decide_with_job" in decision.message


@pytest.mark.parametrize(
    "given",
    ["ok", 1, Rating("j1", "t2", "ok"), Rating("j2", "t1", "ok"), Rating("j1", "t1", "ok", revision_number=2)],
)
async def test_what_is_no_decision_on_this_task_is_not_decided(given: object) -> None:
    async def odd(task: Task) -> object:
        return given

    assert isinstance(await Caller(odd, 1).decide(TASK, None), NotDecided)


def test_the_decorator_leaves_the_function_as_it_is() -> None:
    assert decider(concurrency=3, lease=5)(plain) is plain
    assert marked(plain) == Deciding(3, 5)
    assert marked(asynchronous) == Deciding()


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"concurrency": 1.5}, {"lease": 0.5}, {"lease": float("nan")}, {"lease": "60"}]
)
async def test_numbers_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(InvalidRequestError):
        decider(**options)
    with pytest.raises(InvalidRequestError):
        await run_decider(asynchronous, "redis://127.0.0.1:1/0", **options)


async def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        decider()(lambda: None)
    with pytest.raises(InvalidRequestError):
        await run_decider(lambda: None, "redis://127.0.0.1:1/0")
    with pytest.raises(InvalidRequestError):
        await run_decider(asynchronous, "nonsense")


def test_a_task_is_tried_so_often_and_ends_with_the_last_error() -> None:
    assert after_error(ValueError("bad"), 2, 3) is None
    assert after_error(ValueError("bad"), 3, 3) == NotDecided("tried 3 times; the last raised ValueError: bad")
    assert after_error(ValueError("bad"), 1, 1) == NotDecided("tried once; the last raised ValueError: bad")
    assert before_try(3, 3) is None
    assert "its process ended" in before_try(4, 3).message


def test_an_error_that_is_not_the_broker_s_is_not_taken_for_one() -> None:
    url = "redis://:secret@host:7000/0"
    lost = broker_error(ExceptionGroup("", [OSError("gone"), TimeoutError("late")]), url)
    assert isinstance(lost, BrokerError)
    assert "host:7000" in str(lost)
    assert "secret" not in str(lost)
    assert broker_error(ExceptionGroup("", [OSError("gone"), ZeroDivisionError()]), url) is None
