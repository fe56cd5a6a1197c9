"""How long a call may wait at the gate: then it is told so, was not sent, and has given its place back."""

from __future__ import annotations

import math

import anyio
import pytest

from picoworkers_async import (
    AsyncPicoworkers,
    Fate,
    GateTimeoutError,
    InvalidRequestError,
    Priority,
    Rating,
    RetryPolicy,
    Throttle,
)
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.throttle import WaitBound
from tests.support.memory_pacer import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def gives_up(throttle: Throttle, seconds: float) -> GateTimeoutError:
    """The error of a caller that may wait for so long, after exactly that."""
    began = anyio.current_time()
    with pytest.raises(GateTimeoutError) as caught:
        await throttle.acquire(bound=WaitBound("jobs.get_jobs", seconds))
    assert anyio.current_time() - began == pytest.approx(seconds)
    assert throttle.state().waiting == dict.fromkeys(Priority, 0)
    assert (caught.value.max_wait, caught.value.fate) == (seconds, Fate.NOT_PROCESSED)
    return caught.value


async def test_all_places_taken_is_told_and_the_place_is_given_back() -> None:
    throttle = Throttle(2)
    one, other = await throttle.acquire(), await throttle.acquire()
    error = await gives_up(throttle, 2.5)
    assert str(error) == "jobs.get_jobs: not sent: its turn did not come within 2.5 s (all 2 places are taken)"
    assert throttle.state().in_flight == 2
    one.release()
    with await throttle.acquire(bound=WaitBound("call", 0.1)):
        other.release()
    assert throttle.state().in_flight == 0


async def test_a_pause_after_a_429_is_told_with_what_is_left_of_it() -> None:
    throttle = Throttle(2, cooldown=10.0)
    await throttle.too_many()
    error = await gives_up(throttle, 4.0)
    assert error.why == "a pause after a 429, 6 s of which are left"


async def test_a_429_that_comes_after_the_permit_is_waited_for_no_longer_either() -> None:
    throttle = Throttle(2, cooldown=10.0)
    with await throttle.acquire(bound=WaitBound("call", 3.0)) as permit:
        await throttle.too_many()
        began = anyio.current_time()
        with pytest.raises(GateTimeoutError, match="7 s of which are left"):
            await permit.before_writing()
        assert anyio.current_time() - began == pytest.approx(3.0)
    await anyio.sleep(7.5)
    with await throttle.acquire(bound=WaitBound("call", 0.1)) as permit:
        await permit.before_writing()


async def test_what_may_have_been_written_is_never_told_as_not_sent() -> None:
    throttle = Throttle(2, cooldown=10.0)
    with await throttle.acquire(bound=WaitBound("call", 3.0)) as permit:
        permit.may_have_left = True
        await throttle.too_many()
        await permit.before_writing()


async def test_the_slots_of_those_who_gave_up_are_used_by_those_behind_them() -> None:
    throttle = Throttle(8, 1.0)
    left: list[float] = []
    began = anyio.current_time()

    async def patient() -> None:
        with await throttle.acquire() as permit:
            await permit.before_writing()
            left.append(round(anyio.current_time() - began, 2))
            permit.written()
            permit.answered()

    async with anyio.create_task_group() as group:
        group.start_soon(patient)
        await anyio.sleep(0.01)
        for _ in range(5):
            group.start_soon(throttle_times_out, throttle)
        await anyio.sleep(0.01)
        group.start_soon(patient)
    assert left == [0.0, 1.02]


async def throttle_times_out(throttle: Throttle) -> None:
    with pytest.raises(GateTimeoutError, match="the pace"):
        await throttle.acquire(bound=WaitBound("call", 0.5))


async def test_the_slot_of_a_pacer_is_given_back() -> None:
    store = MemoryStore()
    throttle, other = Throttle(8, 0.1, pacer=store.pacer()), Throttle(8, 0.1, pacer=store.pacer())
    began = anyio.current_time()
    error = await gives_up(throttle, 2.0)
    assert error.why == "the pace"
    with await other.acquire() as permit:
        await permit.before_writing()
        assert anyio.current_time() - began == pytest.approx(10.0, abs=0.5)


async def test_time_to_connect_does_not_count() -> None:
    throttle = Throttle(8, 1.0)
    with await throttle.acquire(bound=WaitBound("call", 0.5)) as permit:
        await anyio.sleep(5.0)
        await permit.before_writing()
        permit.written()


@pytest.mark.parametrize("own", [True, False], ids=["by the constructor", "by with_options"])
async def test_a_call_waits_no_longer_than_max_wait_and_is_not_sent(connect, own: bool) -> None:
    sandbox = Sandbox()
    async with connect(sandbox, throttle=Throttle(8, 0.1), max_wait=2.0 if own else None) as pico:
        await pico.users.get_balances()
        hasty = pico if own else pico.with_options(max_wait=2.0)
        began = anyio.current_time()
        with pytest.raises(GateTimeoutError) as caught:
            await hasty.users.get_balances()
        assert anyio.current_time() - began == pytest.approx(2.0)
        assert caught.value.call == "users.get_balances"
        assert str(caught.value).endswith("not sent: its turn did not come within 2 s (the pace)")
        assert len(sandbox.requests) == 1
        await pico.with_options(max_wait=60.0, priority=Priority.BATCH).users.get_balances()
        assert len(sandbox.requests) == 2


async def test_the_attempts_of_one_call_wait_no_longer_together(connect) -> None:
    sandbox = Sandbox(faults=Faults(error_500_before=1.0))
    retry = RetryPolicy(attempts=10, initial=0.001, maximum=0.001)
    async with connect(sandbox, throttle=Throttle(8, 1.0), max_wait=2.5, retry=retry) as pico:
        with pytest.raises(GateTimeoutError):
            await pico.users.get_balances()
    assert len(sandbox.requests) == 3


async def test_a_batch_waits_as_long_as_it_takes_and_so_does_what_it_reads_beside(connect) -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 2)
    async with connect(sandbox, throttle=Throttle(8, 0.1), max_wait=0.5) as pico:
        report = await pico.review_all(lambda task, job: Rating.ok(task))
        assert (report.rated, report.failed) == (2, 0)
        with pytest.raises(GateTimeoutError):
            await pico.users.get_balances()


@pytest.mark.parametrize("max_wait", [0, -1.0, math.nan, math.inf, True, "2"])
async def test_a_bound_that_is_none_is_refused_by_name(max_wait: object) -> None:
    with pytest.raises(InvalidRequestError, match="max_wait"):
        AsyncPicoworkers("user_id", "api_secret", max_wait=max_wait)
    pico = AsyncPicoworkers("user_id", "api_secret")
    with pytest.raises(InvalidRequestError, match="max_wait"):
        pico.with_options(max_wait=max_wait)
