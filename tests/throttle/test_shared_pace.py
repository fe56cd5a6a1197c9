"""One pace for several clients: who waits for whom, and what happens when the store is lost."""

from __future__ import annotations

import itertools
import random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Throttle
from picoworkers_async.throttle.shared_pace import turn
from tests.support.busy_program import OPENING, Service, call_forever, keep_busy, virtual_clock
from tests.support.memory_pacer import MemoryStore


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch):
    """Has the time of day be the running loop's."""
    return lambda: monkeypatch.setattr("picoworkers_async.throttle.shared_pace.time_of_day", virtual_clock())


async def flat_out(throttles: list[Throttle], service: Service, seconds: float, *, longest: float = 0.0) -> None:
    rng = random.Random(3)
    opening = OPENING if longest else (0.0,)
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for throttle in throttles:
                for _ in range(6):
                    group.start_soon(lambda t=throttle: call_forever(t, service, rng, opening=opening))
            if longest:
                group.start_soon(keep_busy, rng, longest)


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("sharers", [1, 2, 4])
@pytest.mark.parametrize("rate", [1.0, 10.0, 50.0])
async def test_together_they_use_the_whole_limit_and_never_more(sharers: int, rate: float) -> None:
    store, service = MemoryStore(), Service(rate)
    await flat_out([Throttle(8, rate, pacer=store.pacer()) for _ in range(sharers)], service, 20.0 + 100 / rate)
    assert service.refused == 0
    span = service.arrivals[-1] - service.arrivals[0]
    assert (len(service.arrivals) - 1) / span / rate >= 0.97


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_client_that_is_always_a_little_late_is_not_starved() -> None:
    store = MemoryStore()
    written: dict[int, list[float]] = {number: [] for number in range(4)}

    async def call(number: int, throttle: Throttle) -> None:
        while True:
            permit = await throttle.acquire()
            await anyio.sleep(0.4 if number == 0 else 0.0)
            await permit.before_writing()
            written[number].append(anyio.current_time())
            permit.written()
            permit.release()

    with anyio.move_on_after(200.0):
        async with anyio.create_task_group() as group:
            for number in written:
                group.start_soon(call, number, Throttle(4, 1.0, pacer=store.pacer()))
    everything = sorted(itertools.chain.from_iterable(written.values()))
    assert min(after - before for before, after in itertools.pairwise(everything)) >= 1.0
    assert len(everything) >= 190
    assert min(len(times) for times in written.values()) >= 0.7 * 200 / 1.02 / 4


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_a_429_told_to_one_holds_back_another_that_was_let_through_already() -> None:
    store = MemoryStore()
    told, other = (Throttle(4, 1.0, cooldown=10.0, pacer=store.pacer()) for _ in range(2))
    permit = await other.acquire()
    at = anyio.current_time()
    await told.too_many()
    await permit.before_writing()
    assert anyio.current_time() - at >= 10.0


@pytest.mark.anyio
@pytest.mark.virtual_time
@pytest.mark.parametrize("longest", [0.0, 0.8])
async def test_while_the_store_is_lost_and_when_it_comes_back_empty_the_limit_is_kept(
    clocks, longest: float
) -> None:
    clocks()
    store, service = MemoryStore(), Service(10.0)
    throttles = [Throttle(8, 10.0, pacer=store.pacer()) for _ in range(3)]
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: flat_out(throttles, service, 90.0, longest=longest))
        await anyio.sleep(20.0)
        store.lost = True
        await anyio.sleep(30.0)
        while_lost = len(service.arrivals)
        store.empty()
        store.lost = False
    assert service.refused == 0
    assert while_lost >= (400 if not longest else 100)
    assert service.arrivals[-1] - service.arrivals[0] > 80.0


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_the_store_is_asked_twice_for_a_request_while_nobody_is_late() -> None:
    store, service = MemoryStore(), Service(10.0)
    throttle = Throttle(8, 10.0, pacer=store.pacer())
    for _ in range(50):
        permit = await throttle.acquire()
        await permit.before_writing()
        service.arrive()
        permit.written()
        permit.release()
    # The first finds an empty store, and asks once more.
    assert store.asked <= 2 * 50 + 1


@given(st.floats(1e9, 2e9), st.floats(0.01, 10), st.integers(1, 8), st.data())
def test_turns_by_the_time_of_day_are_an_interval_apart(now: float, interval: float, sharers: int, data) -> None:
    one, other = (data.draw(st.integers(0, sharers - 1)) for _ in range(2))
    first = turn(now, interval=interval, sharers=sharers, rank=one)
    second = turn(now, interval=interval, sharers=sharers, rank=other)
    assert now - 1e-3 <= first <= now + interval * sharers + 1e-3
    assert one == other or abs(first - second) >= interval * 0.999 - 1e-3
