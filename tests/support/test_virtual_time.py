"""Virtual time: what tests of time rest on."""

from __future__ import annotations

import time

import anyio
import anyio.to_thread
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_an_hour_passes_at_once_and_in_order() -> None:
    began, real = anyio.current_time(), time.monotonic()
    order: list[float] = []

    async def note_after(seconds: float) -> None:
        await anyio.sleep(seconds)
        order.append(anyio.current_time() - began)

    async with anyio.create_task_group() as group:
        for seconds in (3600, 60, 1):
            group.start_soon(note_after, seconds)
    assert order == pytest.approx([1, 60, 3600], abs=1e-6)
    assert time.monotonic() - real < 60


async def test_time_waits_for_a_thread_at_work() -> None:
    began = anyio.current_time()
    with anyio.move_on_after(1000):
        await anyio.to_thread.run_sync(time.sleep, 0.02)
    assert anyio.current_time() - began < 1000
