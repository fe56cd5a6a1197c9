"""What a permit promises to the one who holds it, and to those who wait behind it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math

import anyio
import pytest

from picoworkers_async import Throttle
from picoworkers_async.throttle import Permit
from tests.support.busy_program import block
from tests.support.memory_pacer import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

SPACING = 1.02
EARLY = 0.0031


async def write(permit: Permit) -> float:
    await permit.before_writing()
    at = anyio.current_time()
    permit.written()
    return at


async def test_the_next_request_keeps_its_distance_from_the_write_not_from_the_slot() -> None:
    throttle = Throttle(4, 1.0)
    first = await throttle.acquire()
    await anyio.sleep(0.6)
    at = await write(first)
    assert await write(await throttle.acquire()) - at == pytest.approx(SPACING, abs=EARLY)


async def test_a_slow_connection_holds_up_nobody_else_and_goes_as_soon_as_it_is_open() -> None:
    throttle = Throttle(100, 50.0)
    written: list[float] = []
    waited = math.inf

    async def slow() -> None:
        nonlocal waited
        permit = await throttle.acquire()
        await anyio.sleep(2.0)
        opened = anyio.current_time()
        written.append(await write(permit))
        waited = written[-1] - opened
        permit.release()

    async def call() -> None:
        permit = await throttle.acquire()
        written.append(await write(permit))
        permit.release()

    started = anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(slow)
        await anyio.sleep(0.001)
        for _ in range(199):
            group.start_soon(call)
    assert anyio.current_time() - started == pytest.approx(199 * 0.0204, abs=0.03)
    assert waited <= 2 * 0.0204
    assert min(after - before for before, after in itertools.pairwise(written)) >= 0.0204 - EARLY


async def test_of_several_that_were_late_each_is_written_in_its_turn() -> None:
    throttle = Throttle(8, 1.0)
    permits = [await throttle.acquire() for _ in range(4)]
    written: list[tuple[int, float]] = []

    async def call(number: int) -> None:
        written.append((number, await write(permits[number])))

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(call, number)
    times = [at for _, at in written]
    assert sorted(number for number, _ in written) == [0, 1, 2, 3]
    assert all(after - before >= SPACING - EARLY for before, after in itertools.pairwise(times))
    assert times[-1] - times[0] == pytest.approx(3 * SPACING, abs=0.01)


async def test_while_one_is_being_written_no_other_is_however_long_the_program_is_busy() -> None:
    throttle = Throttle(4, 10.0)
    one = await throttle.acquire()
    other = await throttle.acquire()
    await one.before_writing()
    block(3.0)
    async with anyio.create_task_group() as group:
        passed: list[float] = []

        async def go() -> None:
            passed.append(await write(other))

        group.start_soon(go)
        await anyio.sleep(1.0)
        assert passed == []
        one.written()
        at = anyio.current_time()
    assert passed[0] - at == pytest.approx(0.102, abs=EARLY)


async def test_one_that_is_over_before_it_was_told_written_lets_the_others_go_an_interval_later() -> None:
    throttle = Throttle(4, 1.0)
    one = await throttle.acquire()
    other = await throttle.acquire()
    await one.before_writing()
    await anyio.sleep(0.5)
    one.release()
    at = anyio.current_time()
    assert await write(other) - at == pytest.approx(SPACING, abs=EARLY)


async def test_one_that_never_got_to_write_costs_nobody_a_slot() -> None:
    throttle = Throttle(4, 1.0)
    at = anyio.current_time()
    (await throttle.acquire()).release()
    assert await write(await throttle.acquire()) == pytest.approx(at, abs=EARLY)


async def test_a_permit_that_is_released_twice_gives_one_place_back() -> None:
    throttle = Throttle(4)
    first, _ = await throttle.acquire(), await throttle.acquire()
    first.release()
    first.release()
    assert throttle.state().in_flight == 1


async def test_to_ask_again_right_before_the_write_costs_no_time() -> None:
    throttle = Throttle(4, 1.0)
    permit = await throttle.acquire()
    at = anyio.current_time()
    for _ in range(3):
        await permit.before_writing()
    permit.written()
    assert anyio.current_time() == at


@pytest.mark.parametrize("rate", [None, 5.0])
async def test_a_429_that_comes_between_permission_and_write_is_waited_out_by_one_alone(
    rate: float | None,
) -> None:
    throttle = Throttle(4, rate, cooldown=10.0)
    permits = [await throttle.acquire() for _ in range(3)]
    at = anyio.current_time()
    await throttle.too_many()
    written: list[float] = []

    async def call(permit: Permit) -> None:
        written.append(await write(permit) - at)
        await anyio.sleep(2.0)
        permit.answered()
        permit.release()

    async with anyio.create_task_group() as group:
        for permit in permits:
            group.start_soon(call, permit)
    assert written[0] == pytest.approx(10.0, abs=0.01)
    assert min(written[1:]) == pytest.approx(12.0, abs=0.3)


async def test_a_429_during_the_wait_for_the_write_puts_it_off() -> None:
    throttle = Throttle(4, 0.1, cooldown=60.0)
    await write(await throttle.acquire())
    started = anyio.current_time()
    async with anyio.create_task_group() as group:
        written: list[float] = []

        async def call() -> None:
            permit = await throttle.acquire()
            written.append(await write(permit) - started)

        group.start_soon(call)
        await anyio.sleep(5.0)
        await throttle.too_many()
        # The request before it is still under way, and goes on for a while.
        await anyio.sleep(100.0)
        assert written == []
        group.cancel_scope.cancel()


async def test_whoever_gives_up_while_it_waits_to_write_holds_up_nobody() -> None:
    throttle = Throttle(8, 1.0)
    permits = [await throttle.acquire() for _ in range(3)]
    await write(permits[0])
    with anyio.move_on_after(0.1):
        await permits[1].before_writing()
    permits[1].release()
    at = anyio.current_time()
    assert await write(permits[2]) - at <= 2 * SPACING
    for permit in permits:
        permit.release()
    assert throttle.state().in_flight == 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_native_cancellation_of_one_that_waits_to_write_holds_up_nobody() -> None:
    throttle = Throttle(8, 1.0)
    permits = [await throttle.acquire() for _ in range(2)]
    await write(permits[0])
    waiting = asyncio.ensure_future(permits[1].before_writing())
    await anyio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    permits[1].release()
    at = anyio.current_time()
    assert await write(await throttle.acquire()) - at <= 2 * SPACING


async def test_a_pause_of_years_is_one_of_an_hour_and_said(caplog: pytest.LogCaptureFixture) -> None:
    throttle = Throttle(4, cooldown=10.0)
    with caplog.at_level(logging.WARNING, "picoworkers_async"):
        assert await throttle.too_many(retry_after=315_360_000.0) == 3600.0
        assert await throttle.too_many(retry_after=0.0) == 10.0
    (record,) = caplog.records
    assert "3.1536e+08" in record.getMessage() or "315360000" in record.getMessage()
    assert "3600" in record.getMessage()


@pytest.mark.parametrize("shared", [False, True])
async def test_a_second_write_by_the_same_permit_keeps_its_distance_as_well(shared: bool) -> None:
    throttle = Throttle(4, 1.0, pacer=MemoryStore().pacer() if shared else None)
    permit = await throttle.acquire()
    first, second = await write(permit), await write(permit)
    assert second - first == pytest.approx(SPACING, abs=EARLY)
    permit.release()
    permit.written()
    await write(await throttle.acquire())
    assert throttle.state().in_flight == 1
