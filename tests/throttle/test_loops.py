"""One throttle in several threads and event loops: the pace, the places and the pauses are everybody's."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import attrs
import pytest

from picoworkers_async import Priority, Throttle
from picoworkers_async.events import RequestDone
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.throttle import departures, lines, loops
from tests.support.paced_worker import pacer_of

# So long a test waits for something that must happen, on a machine that is busy with others.
PATIENCE_SECONDS = 20.0


@attrs.define(eq=False)
class Service:
    """Notes when requests arrive, and how many are under way at once, whichever thread they come from."""

    arrivals: list[float] = attrs.field(factory=list)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    async def answer(self, seconds: float) -> None:
        with self.lock:
            self.arrivals.append(time.monotonic())
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        await anyio.sleep(seconds)
        with self.lock:
            self.under_way -= 1

    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in itertools.pairwise(sorted(self.arrivals))]


async def send(throttle: Throttle, service: Service, seconds: float, priority: Priority = Priority.BATCH) -> None:
    with await throttle.acquire(priority) as permit:
        await permit.before_writing()
        permit.written()
        await service.answer(seconds)
        permit.answered()


async def until(true: Callable[[], object]) -> None:
    """Wait for what other threads do, too."""
    while not true():  # noqa: ASYNC110
        await anyio.sleep(0.001)


def in_thread(work: Callable[[], Awaitable[Any]], backend: str = "asyncio") -> threading.Thread:
    thread = threading.Thread(target=lambda: anyio.run(work, backend=backend), daemon=True)
    thread.start()
    return thread


def join(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a call hangs"


def several(count: int, work: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(work)

    return run


BACKENDS = ["trio", *["asyncio"] * 7]


def test_eight_threads_keep_one_pace() -> None:
    throttle, service = Throttle(8, 50.0), Service()
    work = several(5, lambda: send(throttle, service, 0.005))
    join(*(in_thread(work, backend) for backend in BACKENDS))
    assert len(service.arrivals) == 40
    # Each arrival is noted a moment after its permission, by a thread that has to get the processor first.
    assert max(service.arrivals) - min(service.arrivals) >= 39 / 50.0 - 0.01
    assert throttle.state().in_flight == 0


def test_eight_threads_keep_within_the_places_together(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever waits is told of a place at once, and does not find it when looking after the others.
    monkeypatch.setattr(loops, "_LOOK_EVERY_SECONDS", 2 * PATIENCE_SECONDS)
    throttle, service = Throttle(2), Service()
    work = several(5, lambda: send(throttle, service, 0.005, Priority.INTERACTIVE))
    join(*(in_thread(work, backend) for backend in BACKENDS))
    assert len(service.arrivals) == 40
    assert service.most == 2
    state = throttle.state()
    assert (state.in_flight, sum(state.waiting.values())) == (0, 0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_pause_after_a_429_holds_back_every_loop_and_then_one_goes_ahead(backend: str) -> None:
    throttle, service, told = Throttle(8, 50.0, cooldown=0.5), Service(), threading.Event()

    async def refused() -> None:
        await send(throttle, service, 0.0)
        await throttle.too_many()
        told.set()

    join(in_thread(refused))
    assert told.is_set()
    began = time.monotonic()
    join(*(in_thread(several(2, lambda: send(throttle, service, 0.1)), backend) for _ in range(2)))
    first, second, *_ = sorted(service.arrivals)[1:]
    assert first - began >= 0.4
    assert second - first >= 0.09
    assert throttle.state().rate_limited == 1


def test_the_pace_goes_on_in_the_next_run_of_trio_whose_clock_begins_elsewhere() -> None:
    throttle, service = Throttle(4, 5.0), Service()
    for _ in range(3):
        anyio.run(send, throttle, service, 0.0, backend="trio")
    assert min(service.gaps()) >= 0.2


def test_the_state_may_be_asked_for_in_a_thread_without_an_event_loop() -> None:
    throttle = Throttle(4, 5.0, cooldown=30.0)
    assert throttle.state().cooldown_left == 0

    async def refused() -> None:
        with await throttle.acquire():
            await throttle.too_many()

    anyio.run(refused, backend="trio")
    assert 20.0 < throttle.state().cooldown_left <= 30.0


@pytest.mark.parametrize("throttle", [Throttle(1), Throttle(4, 5.0)])
def test_the_higher_priority_goes_first_whichever_loop_it_waits_in(
    throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A thread may have to wait for the processor for longer than that, where the machine is busy.
    monkeypatch.setattr(lines, "PASSED_OVER_AFTER_SECONDS", PATIENCE_SECONDS)
    order: list[str] = []
    waiting = threading.Semaphore(0)
    ready = threading.Event()

    async def call(name: str, priority: Priority) -> None:
        waiting.release()
        with await throttle.acquire(priority) as permit:
            await permit.before_writing()
            order.append(name)
            permit.written()

    async def first() -> None:
        with await throttle.acquire() as permit:
            await permit.before_writing()
            permit.written()
            ready.set()
            await until(lambda: sum(throttle.state().waiting.values()) == 2)

    holder = in_thread(first)
    assert ready.wait(PATIENCE_SECONDS)
    batch = in_thread(lambda: call("batch", Priority.BATCH))
    while not throttle.state().waiting[Priority.BATCH]:
        time.sleep(0.001)
    urgent = in_thread(lambda: call("urgent", Priority.INTERACTIVE))
    join(holder, batch, urgent)
    assert order == ["urgent", "batch"]


@pytest.mark.parametrize("throttle", [Throttle(2), Throttle(2, 20.0)])
def test_a_loop_that_its_program_blocks_does_not_hold_up_the_others(throttle: Throttle) -> None:
    service, blocked, over = Service(), threading.Event(), threading.Event()

    async def block() -> None:
        async def wait_for_ever() -> None:
            with await throttle.acquire():
                await anyio.sleep_forever()

        async with anyio.create_task_group() as group:
            # One holds a place, others are in line before everybody else.
            for _ in range(4):
                group.start_soon(wait_for_ever)
            await until(
                lambda: throttle.state().in_flight > 0 and throttle.state().waiting[Priority.INTERACTIVE] > 0
            )
            blocked.set()
            over.wait(PATIENCE_SECONDS)
            group.cancel_scope.cancel()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "LOST_AFTER_SECONDS", 0.3)
        stuck = in_thread(block)
        assert blocked.wait(PATIENCE_SECONDS)
        join(in_thread(several(4, lambda: send(throttle, service, 0.0, Priority.INTERACTIVE))))
        assert len(service.arrivals) == 4
        over.set()
        join(stuck)
    assert throttle.state().in_flight == 0


def test_a_loop_blocked_right_before_it_writes_keeps_the_others_back_for_a_moment_only() -> None:
    throttle, service, blocked, over = Throttle(4, 20.0), Service(), threading.Event(), threading.Event()

    async def block() -> None:
        with await throttle.acquire() as permit:
            await permit.before_writing()
            blocked.set()
            over.wait(PATIENCE_SECONDS)
            await permit.before_writing()
            permit.written()
            await service.answer(0.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(departures, "LATE_AFTER_SECONDS", 0.2)
        stuck = in_thread(block)
        assert blocked.wait(PATIENCE_SECONDS)
        join(in_thread(several(3, lambda: send(throttle, service, 0.0))))
        over.set()
        join(stuck)
    assert len(service.arrivals) == 4
    assert throttle.state().in_flight == 0


def test_a_loop_that_was_rung_and_then_closed_gives_back_its_places_at_once_and_nobody_waits_in_it() -> None:
    throttle, service = Throttle(1), Service()
    loop = asyncio.new_event_loop()

    async def begin() -> asyncio.Task[Any]:
        # One holds the only place, one waits for it.
        await throttle.acquire()
        waiting = asyncio.ensure_future(throttle.acquire())
        await until(lambda: throttle.state().waiting[Priority.INTERACTIVE] == 1)
        return waiting

    async def ring() -> None:
        with anyio.move_on_after(0.2):
            await throttle.acquire()

    waiting = loop.run_until_complete(begin())
    join(in_thread(ring))
    loop.close()
    # A place that is given back for the loop's long silence alone would come too late for this.
    join(in_thread(several(3, lambda: send(throttle, service, 0.0))))
    assert len(service.arrivals) == 3
    state = throttle.state()
    assert (state.in_flight, sum(state.waiting.values())) == (0, 0)
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]


def test_of_loops_that_came_and_went_nothing_is_kept() -> None:
    throttle, stop = Throttle(2), threading.Event()

    async def busy() -> None:
        while not stop.is_set():
            with await throttle.acquire():
                await anyio.sleep(0.001)

    async def give_up() -> None:
        with anyio.move_on_after(0.002):
            (await throttle.acquire()).release()

    def come_and_go() -> None:
        for _ in range(60):
            asyncio.run(several(3, give_up)())

    others = [in_thread(several(4, busy)), *(threading.Thread(target=come_and_go) for _ in range(3))]
    for thread in others[1:]:
        thread.start()
    join(*others[1:])
    stop.set()
    join(others[0])
    time.sleep(2 * loops.PASSED_OVER_AFTER_SECONDS)
    join(in_thread(several(4, lambda: send(throttle, Service(), 0.01))))
    assert len(throttle._departures.loops._known) <= 1
    assert len(throttle._lines._lines) <= 1


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("throttle", [Throttle(2), Throttle(2, 20.0)])
def test_what_a_loop_holds_that_was_left_or_closed_in_the_middle_is_given_to_others(
    throttle: Throttle, closed: bool
) -> None:
    service = Service()
    loop = asyncio.new_event_loop()
    left: list[asyncio.Task[None]] = []

    async def hold() -> None:
        with await throttle.acquire() as permit:
            await permit.before_writing()
            await anyio.sleep_forever()

    async def begin() -> None:
        # Two hold places, of whom one is about to write; one is in line.
        left.extend(asyncio.ensure_future(hold()) for _ in range(3))
        await until(lambda: throttle.state().in_flight == 2 and throttle.state().waiting[Priority.INTERACTIVE] > 0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "LOST_AFTER_SECONDS", 0.2)
        loop.run_until_complete(begin())
        if closed:
            loop.close()
        join(in_thread(several(3, lambda: send(throttle, service, 0.0))))
    assert len(service.arrivals) == 3
    if closed:
        for task in left:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        del task
        left.clear()
        gc.collect()
    else:
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
    state = throttle.state()
    assert (state.in_flight, sum(state.waiting.values())) == (0, 0)


def test_one_pacer_of_a_throttle_serves_several_loops(store: str) -> None:
    pacer, service = pacer_of(store), Service()
    pacer.bind("account")
    throttle = Throttle(8, 25.0, pacer=pacer)
    work = several(3, lambda: send(throttle, service, 0.005))
    join(*(in_thread(work, backend) for backend in ("trio", "asyncio", "asyncio")))
    assert len(service.arrivals) == 9
    assert max(service.arrivals) - min(service.arrivals) >= 8 / 25.0 - 0.01
    assert throttle.state().in_flight == 0
    pacer.close()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_is_told_of_a_request_is_by_the_clock_of_its_own_loop(backend: str) -> None:
    throttle, told = Throttle(4, 5.0), list[RequestDone]()

    async def call() -> None:
        sandbox = Sandbox(latency=0.02)
        async with sandbox.client(throttle=throttle, on_event=told.append) as pico:
            await pico.users.get_balances()

    anyio.run(call, backend="trio")
    anyio.run(call, backend=backend)
    assert all(0.01 <= event.seconds < 10 and 0 <= event.waited < 10 for event in told)
    assert len(told) == 2
