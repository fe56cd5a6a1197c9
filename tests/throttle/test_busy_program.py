"""The limit, while the user's own code blocks the event loop."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path

import anyio
import pytest

from picoworkers_async import SqlitePacer, Throttle
from picoworkers_async.throttle import pacing as paces
from tests.support.busy_program import Service, call_forever, keep_busy, virtual_clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def pacers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes pacers of one file, on the virtual time of the running loop."""

    def make(count: int) -> list[SqlitePacer]:
        monkeypatch.setattr("picoworkers_async.throttle.sqlite_pacer.monotonic", virtual_clock())
        pacers = [SqlitePacer(tmp_path / "pace.db") for _ in range(count)]
        for pacer in pacers:
            pacer.bind("account")
        return pacers

    return make


async def run(
    throttles: list[Throttle], service: Service, seconds: float, longest: float, passes: int = 0
) -> None:
    rng = random.Random(7)
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for throttle in throttles:
                for _ in range(4):
                    group.start_soon(lambda t=throttle: call_forever(t, service, rng, write_passes=passes))
            group.start_soon(keep_busy, rng, longest)


@pytest.mark.virtual_time
@pytest.mark.parametrize("longest", [0.8, 2.5])
@pytest.mark.parametrize("rate", [1.0, 10.0])
@pytest.mark.parametrize("passes", [0, 2], ids=["written at once", "written in passes"])
async def test_a_program_that_blocks_the_loop_is_never_told_429(rate: float, longest: float, passes: int) -> None:
    service = Service(rate)
    await run([Throttle(8, rate)], service, 600.0, longest, passes)
    assert service.refused == 0
    assert len(service.arrivals) > 60


@pytest.mark.virtual_time
@pytest.mark.parametrize("longest", [0.8, 2.5])
@pytest.mark.parametrize("rate", [1.0, 10.0])
@pytest.mark.parametrize("sharers", [1, 3])
async def test_programs_that_share_a_pacer_and_block_are_never_told_429(
    pacers, rate: float, longest: float, sharers: int
) -> None:
    service = Service(rate)
    throttles = [Throttle(8, rate, pacer=pacer) for pacer in pacers(sharers)]
    await run(throttles, service, 200.0, longest)
    assert service.refused == 0
    assert len(service.arrivals) > 20


async def test_real_blocks_of_the_loop_leave_the_distance_as_it_is() -> None:
    throttle = Throttle(8, 10.0)
    written: list[float] = []

    async def call() -> None:
        while True:
            permit = await throttle.acquire()
            await permit.before_writing()
            written.append(time.monotonic())
            permit.written()
            permit.release()

    with anyio.move_on_after(3.0):
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            group.start_soon(call)
            for _ in range(8):
                await anyio.sleep(0.07)
                time.sleep(0.25)  # noqa: ASYNC251
            group.cancel_scope.cancel()
    assert len(written) >= 8
    gaps = [after - before for before, after in itertools.pairwise(written)]
    assert min(gaps) >= 0.1 - paces.CATCH_UP_SECONDS
