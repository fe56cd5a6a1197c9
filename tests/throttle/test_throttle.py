"""The gate: concurrency, pace, priority, cooldown, and nothing lost to those who give up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Awaitable, Callable

import anyio
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import InvalidRequestError, Priority, Throttle
from picoworkers_async.throttle import pacing as paces
from picoworkers_async.throttle.queue import FairQueue


def in_virtual_time(story: Callable[[], Awaitable[None]]) -> None:
    """Run with a clock that jumps to the next thing to happen whenever everybody waits."""
    trio.run(story, clock=trio.testing.MockClock(autojump_threshold=0))


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


class Callers:
    """Callers of a throttle, and when each was let through."""

    def __init__(self, throttle: Throttle, *, busy: float = 0.0) -> None:
        self.throttle = throttle
        self.busy = busy
        self.passed: list[tuple[str, float]] = []
        self.under_way = self.most = 0

    async def call(self, name: str, priority: Priority = Priority.INTERACTIVE, group: object = None) -> None:
        await self.throttle.acquire(priority, group)
        try:
            departed_at = self.throttle.departed()
            self.passed.append((name, round(departed_at - self.start, 6)))
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await anyio.sleep(self.busy)
            self.throttle.answered(departed_at)
        finally:
            self.under_way -= 1
            self.throttle.release()

    async def __aenter__(self) -> Callers:
        self.start = anyio.current_time()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.throttle._in_flight == 0
        assert len(self.throttle._queue) == 0


def test_no_more_than_the_limit_are_under_way_at_once() -> None:
    async def story() -> None:
        async with Callers(Throttle(3), busy=1.0) as callers:
            async with anyio.create_task_group() as group:
                for number in range(7):
                    group.start_soon(callers.call, str(number))
            assert callers.most == 3
            assert [at for _, at in callers.passed] == [0, 0, 0, 1, 1, 1, 2]

    in_virtual_time(story)


def test_the_pace_is_held_first_come_first_served() -> None:
    async def story() -> None:
        async with Callers(Throttle(8, 2.0)) as callers:
            async with anyio.create_task_group() as group:
                for number in range(4):
                    group.start_soon(callers.call, str(number))
                    await settle()
            assert callers.passed == [("0", 0.0), ("1", 0.51), ("2", 1.02), ("3", 1.53)]

    in_virtual_time(story)


def test_one_who_gives_up_gives_the_place_back_and_the_others_move_up() -> None:
    async def story() -> None:
        async with Callers(Throttle(8, 1.0)) as callers:

            async def impatient(name: str, seconds: float) -> None:
                with anyio.move_on_after(seconds):
                    await callers.call(name)

            async with anyio.create_task_group() as group:
                for name in ("first", "leader", "queued", "last"):
                    seconds = {"leader": 0.5, "queued": 0.6}.get(name, math.inf)
                    group.start_soon(impatient, name, seconds)
                    await settle()
            assert callers.passed == [("first", 0.0), ("last", 1.02)]

    in_virtual_time(story)


def test_an_interactive_call_goes_before_every_batch() -> None:
    async def story() -> None:
        async with Callers(Throttle(8, 1.0)) as callers:
            async with anyio.create_task_group() as group:
                for number in range(50):
                    group.start_soon(callers.call, f"batch{number}", Priority.BATCH, "batch")
                await anyio.sleep(3.5)
                group.start_soon(callers.call, "urgent")
            assert ("urgent", 4.08) in callers.passed

    in_virtual_time(story)


def test_batches_take_turns_however_many_callers_each_has() -> None:
    async def story() -> None:
        async with Callers(Throttle(8, 1.0)) as callers:
            async with anyio.create_task_group() as group:
                for _ in range(9):
                    group.start_soon(callers.call, "large", Priority.BATCH, "large")
                await settle()
                for _ in range(3):
                    group.start_soon(callers.call, "small", Priority.BATCH, "small")
            names = [name for name, _ in callers.passed]
            assert names[:7].count("small") == 3

    in_virtual_time(story)


def test_after_a_429_everybody_waits_then_one_goes_alone_then_the_rest() -> None:
    async def story() -> None:
        throttle = Throttle(4, cooldown=10.0)
        async with Callers(throttle, busy=1.0) as callers:
            await throttle.too_many()
            async with anyio.create_task_group() as group:
                for number in range(4):
                    group.start_soon(callers.call, str(number))
            assert [at for _, at in callers.passed] == [10.0, 11.0, 11.0, 11.0]

    in_virtual_time(story)


def test_a_429_during_the_pause_never_shortens_it_and_retry_after_counts_before_the_cooldown() -> None:
    async def story() -> None:
        throttle = Throttle(4, cooldown=10.0)
        async with Callers(throttle) as callers:
            assert await throttle.too_many() == 10.0
            assert await throttle.too_many(retry_after=2.0) == 2.0
            await callers.call("after")
            assert callers.passed == [("after", 10.0)]

    in_virtual_time(story)


def test_the_answer_of_a_request_sent_before_the_429_does_not_end_the_caution() -> None:
    async def story() -> None:
        throttle = Throttle(4, cooldown=10.0)
        async with Callers(throttle, busy=1.0) as callers:
            departed_at = throttle.departed()
            await throttle.too_many()
            throttle.answered(departed_at)
            async with anyio.create_task_group() as group:
                for number in range(2):
                    group.start_soon(callers.call, str(number))
            assert [at for _, at in callers.passed] == [10.0, 11.0]

    in_virtual_time(story)


def test_one_place_is_kept_from_batches_so_that_an_interactive_call_need_not_wait_for_an_answer() -> None:
    async def story() -> None:
        async with Callers(Throttle(4), busy=5.0) as callers:
            async with anyio.create_task_group() as group:
                for number in range(6):
                    group.start_soon(callers.call, f"batch{number}", Priority.BATCH, "batch")
                await anyio.sleep(1.0)
                group.start_soon(callers.call, "urgent")
            assert ("urgent", 1.0) in callers.passed
            assert callers.most == 4

    in_virtual_time(story)


def test_the_state_tells_how_things_stand() -> None:
    async def story() -> None:
        throttle = Throttle(4, 1.0)
        async with Callers(throttle, busy=10.0) as callers, anyio.create_task_group() as group:
            group.start_soon(callers.call, "one")
            await settle()
            group.start_soon(callers.call, "two")
            await settle()
            state = throttle.state()
            assert (state.in_flight, state.waiting[Priority.INTERACTIVE]) == (1, 1)
            assert state.requests_per_second == pytest.approx(1 / 1.02)
            assert (state.cooldown_left, state.rate_limited) == (0.0, 0)
            await throttle.too_many()
            state = throttle.state()
            assert (state.cooldown_left, state.rate_limited) == (10.0, 1)
            assert state.margin == pytest.approx(0.06)

    in_virtual_time(story)


@given(st.integers(1, 20), st.floats(0, 3000))
def test_the_margin_grows_with_every_429_and_shrinks_slowly_after(times: int, later: float) -> None:
    state = paces.Pace(interval=1.0)
    margins = [paces.margin(state, 0.0)]
    for number in range(times):
        state = paces.too_many(state, number * 20.0, 10.0)
        margins.append(paces.margin(state, number * 20.0))
    assert all(after >= before for before, after in itertools.pairwise(margins))
    assert margins[1] > margins[0]
    assert paces.LEAST_MARGIN <= paces.margin(state, times * 20.0 + later) <= margins[-1] <= paces.MOST_MARGIN


def test_those_that_were_on_the_wire_with_the_first_429_widen_the_margin_no_further() -> None:
    once = paces.too_many(paces.Pace(interval=1.0), 0.0, 10.0)
    twice = paces.too_many(once, 1.0, 10.0)
    assert twice.margin == once.margin


@pytest.mark.anyio
async def test_a_fast_pace_is_held_in_real_time() -> None:
    throttle = Throttle(8, 200.0)
    async with Callers(throttle) as callers, anyio.create_task_group() as group:
        for number in range(21):
            group.start_soon(callers.call, str(number))
    times = [at for _, at in callers.passed]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.005 - paces.CATCH_UP
    assert times[-1] - times[0] >= 20 * 0.005 - paces.CATCH_UP


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"max_concurrency": 1.5}, "max_concurrency"),
        ({"max_concurrency": True}, "max_concurrency"),
        ({"requests_per_second": 0}, "requests_per_second"),
        ({"requests_per_second": -1}, "requests_per_second"),
        ({"requests_per_second": math.inf}, "requests_per_second"),
        ({"requests_per_second": math.nan}, "requests_per_second"),
        ({"cooldown": -1}, "cooldown"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(options: dict, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Throttle(**options)
    assert [problem.field for problem in caught.value.problems] == [field]


@given(st.lists(st.floats(0, 100), max_size=50), st.floats(0.001, 10))
def test_no_two_slots_are_closer_than_the_interval(arrivals: list[float], interval: float) -> None:
    state, slots = paces.Pace(interval=interval), []
    for now in sorted(arrivals):
        state, slot = paces.reserve(state, now)
        assert slot >= now - paces.CATCH_UP
        slots.append(slot)
    assert all(later - earlier >= interval * (1 - 1e-9) for earlier, later in itertools.pairwise(slots))


@given(st.lists(st.tuples(st.sampled_from(list(Priority)), st.integers(0, 3)), max_size=60))
def test_the_queue_gives_out_all_it_took_in_order_of_priority_and_arrival(pushed: list) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, (priority, group) in enumerate(pushed):
        queue.push(number, priority, group)
    popped = [queue.pop() for _ in range(len(queue))]
    assert sorted(popped) == list(range(len(pushed)))
    assert [pushed[number][0] for number in popped] == sorted(priority for priority, _ in pushed)
    for group in {group for _, group in pushed}:
        for priority in Priority:
            of_group = [number for number in popped if pushed[number] == (priority, group)]
            assert of_group == sorted(of_group)


def test_a_request_that_opens_a_connection_arrives_late_and_the_next_keeps_its_distance_from_that() -> None:
    """Arrivals at a service that allows one request a second: the first takes a handshake, the sixth a stall."""
    arrivals = []

    async def story() -> None:
        throttle = Throttle(4, 1.0)
        for number in range(12):
            await throttle.acquire()
            departed_at = throttle.departed()
            await anyio.sleep({0: 0.25, 5: 0.4}.get(number, 0.05))
            arrivals.append(anyio.current_time())
            await anyio.sleep(0.05)
            throttle.answered(departed_at)
            throttle.release()

    in_virtual_time(story)
    assert min(later - earlier for earlier, later in itertools.pairwise(arrivals)) >= 1.0
    assert arrivals[-1] - arrivals[0] <= 11 * 1.02 + 0.7
