"""The gate: concurrency, pace, priority, cooldown, and nothing lost to those who give up."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from typing import Any

import anyio
import pytest

from picoworkers_async import InvalidRequestError, Priority, RedisPacer, SqlitePacer, Throttle
from picoworkers_async.throttle import pacing as paces

pytestmark = pytest.mark.anyio
virtual_time = pytest.mark.virtual_time


async def settle() -> None:
    """Let everybody go on until they wait for time to pass."""
    await anyio.sleep(1e-9)


class Callers:
    """Callers of a throttle, and when each was let through."""

    def __init__(self, throttle: Throttle, *, busy: float = 0.0) -> None:
        self.throttle = throttle
        self.busy = busy
        self.passed: list[tuple[str, float]] = []
        self.under_way = self.most = 0

    async def call(self, name: str, priority: Priority = Priority.INTERACTIVE, group: object = None) -> None:
        permit = await self.throttle.acquire(priority, group)
        self.under_way += 1
        try:
            await permit.before_writing()
            self.passed.append((name, round(anyio.current_time() - self.start, 2)))
            permit.written()
            self.most = max(self.most, self.under_way)
            await anyio.sleep(self.busy)
            permit.answered()
        finally:
            self.under_way -= 1
            permit.release()

    async def __aenter__(self) -> Callers:
        self.start = anyio.current_time()
        return self

    async def __aexit__(self, *_: object) -> None:
        state = self.throttle.state()
        assert (state.in_flight, sum(state.waiting.values())) == (0, 0)


@virtual_time
async def test_no_more_than_the_limit_are_under_way_at_once() -> None:
    async with Callers(Throttle(3), busy=1.0) as callers:
        async with anyio.create_task_group() as group:
            for number in range(7):
                group.start_soon(callers.call, str(number))
        assert callers.most == 3
        assert [at for _, at in callers.passed] == [0, 0, 0, 1, 1, 1, 2]


@virtual_time
async def test_the_pace_is_held_first_come_first_served() -> None:
    async with Callers(Throttle(8, 2.0)) as callers:
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(callers.call, str(number))
                await settle()
        assert callers.passed == [("0", 0.0), ("1", 0.51), ("2", 1.02), ("3", 1.53)]


@virtual_time
async def test_one_who_gives_up_gives_the_place_back_and_the_others_move_up() -> None:
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


@virtual_time
async def test_an_interactive_call_goes_before_every_batch() -> None:
    async with Callers(Throttle(8, 1.0)) as callers:
        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(callers.call, f"batch{number}", Priority.BATCH, "batch")
            await anyio.sleep(3.5)
            group.start_soon(callers.call, "urgent")
        assert ("urgent", 4.08) in callers.passed


@virtual_time
async def test_batches_take_turns_however_many_callers_each_has() -> None:
    async with Callers(Throttle(8, 1.0)) as callers:
        async with anyio.create_task_group() as group:
            for _ in range(9):
                group.start_soon(callers.call, "large", Priority.BATCH, "large")
            await settle()
            for _ in range(3):
                group.start_soon(callers.call, "small", Priority.BATCH, "small")
        names = [name for name, _ in callers.passed]
        assert names[:7].count("small") == 3


@virtual_time
async def test_after_a_429_everybody_waits_then_one_goes_alone_then_the_rest() -> None:
    throttle = Throttle(4, cooldown=10.0)
    async with Callers(throttle, busy=1.0) as callers:
        await throttle.too_many()
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(callers.call, str(number))
        assert [at for _, at in callers.passed] == [10.0, 11.0, 11.0, 11.0]


@virtual_time
async def test_a_429_during_the_pause_never_shortens_it() -> None:
    throttle = Throttle(4, cooldown=10.0)
    async with Callers(throttle) as callers:
        assert await throttle.too_many(retry_after=20.0) == 20.0
        assert await throttle.too_many() == 10.0
        await callers.call("after")
        assert callers.passed == [("after", 20.0)]


@virtual_time
async def test_the_answer_of_a_request_sent_before_the_429_does_not_end_the_caution() -> None:
    throttle = Throttle(4, cooldown=10.0)
    async with Callers(throttle, busy=1.0) as callers:
        permit = await throttle.acquire()
        await permit.before_writing()
        permit.written()
        await throttle.too_many()
        permit.answered()
        permit.release()
        async with anyio.create_task_group() as group:
            for number in range(2):
                group.start_soon(callers.call, str(number))
        assert [at for _, at in callers.passed] == [10.0, 11.0]


@virtual_time
async def test_one_place_is_kept_from_batches_so_that_an_interactive_call_need_not_wait_for_an_answer() -> None:
    async with Callers(Throttle(4), busy=5.0) as callers:
        async with anyio.create_task_group() as group:
            for number in range(6):
                group.start_soon(callers.call, f"batch{number}", Priority.BATCH, "batch")
            await anyio.sleep(1.0)
            group.start_soon(callers.call, "urgent")
        assert ("urgent", 1.0) in callers.passed
        assert callers.most == 4


@virtual_time
async def test_the_state_tells_how_things_stand() -> None:
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


async def test_a_fast_pace_is_held_in_real_time() -> None:
    throttle = Throttle(8, 200.0)
    times = []

    async def call() -> None:
        permit = await throttle.acquire()
        await permit.before_writing()
        times.append(anyio.current_time())
        permit.written()
        permit.release()

    async with anyio.create_task_group() as group:
        for _ in range(21):
            group.start_soon(call)
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.005 - paces.CATCH_UP_SECONDS
    assert times[-1] - times[0] >= 20 * 0.005 - paces.CATCH_UP_SECONDS


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
        ({"requests_per_second": 10**400}, "requests_per_second"),
        ({"cooldown": -1}, "cooldown"),
        ({"cooldown": 10**400}, "cooldown"),
        ({"cooldown": Decimal("sNaN")}, "cooldown"),
        ({"requests_per_second": 1, "pacer": 5}, "pacer"),
        ({"requests_per_second": 1, "pacer": "pace.db"}, "pacer"),
        ({"requests_per_second": 1, "pacer": SqlitePacer}, "pacer"),
        ({"pacer": 5}, "pacer"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(options: dict, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Throttle(**options)
    assert [problem.field for problem in caught.value.problems] == [field]


@pytest.mark.parametrize("url", [5, b"redis://localhost", None], ids=type)
def test_a_url_of_a_pacer_that_is_no_string_is_refused_by_name_and_not_shown(url: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"url=<class '(int|bytes|NoneType)'>: a string"):
        RedisPacer(url)


@virtual_time
async def test_a_connection_opened_after_the_write_was_told_of_makes_the_next_keep_its_distance() -> None:
    """Of a transport that cannot tell when it writes. The first request takes a handshake, the sixth a stall."""
    arrivals = []
    throttle = Throttle(4, 1.0)
    for number in range(12):
        permit = await throttle.acquire()
        await permit.before_writing()
        permit.written()
        await anyio.sleep({0: 0.25, 5: 0.4}.get(number, 0.05))
        arrivals.append(anyio.current_time())
        await anyio.sleep(0.05)
        permit.answered()
        permit.release()
    assert min(later - earlier for earlier, later in itertools.pairwise(arrivals)) >= 1.0
    assert arrivals[-1] - arrivals[0] <= 11 * 1.02 + 0.7
