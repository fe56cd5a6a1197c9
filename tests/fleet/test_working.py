"""A decider in a program's own event loop."""

from __future__ import annotations

import anyio
import pytest

from picoworkers_async import Later, Rating, Task
from picoworkers_async.fleet import DeciderError, Fleet, run_decider
from tests.support.valkey import Server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("streams_that_the_engine_leaves_open")]


async def asynchronous(task: Task) -> Rating | Later | None:
    answers = {"t1": Rating.ok(task, "good"), "t2": Later(5, "busy")}
    if task.id == "t4":
        raise ValueError("cannot read the proof")
    return answers.get(task.id)


def plain(task: Task) -> Rating:
    return Rating.not_ok(task, "not what was asked")


async def test_each_sort_of_decision_comes_back_and_a_cancelled_decider_ends(broker: Server) -> None:
    async with Fleet(broker.url, tries=1) as fleet, anyio.create_task_group() as group:
        group.start_soon(run_decider, asynchronous, broker.url)
        with anyio.fail_after(60):
            assert await fleet.decide(Task("t1", "j1")) == Rating.ok(Task("t1", "j1"), "good")
            assert await fleet.decide(Task("t2", "j1")) == Later(5, "busy")
            assert await fleet.decide(Task("t3", "j1")) is None
            with pytest.raises(DeciderError, match="the last raised ValueError: cannot read"):
                await fleet.decide(Task("t4", "j1"))
        counts = fleet.counts()
        group.cancel_scope.cancel()
    assert (counts.out, counts.decided, counts.failed, counts.dropped) == (0, 3, 1, 0)


async def test_a_task_that_was_put_off_is_asked_about_anew(broker: Server) -> None:
    asked = []

    async def later_then_none(task: Task) -> Later | None:
        asked.append(task.id)
        return Later(0) if len(asked) == 1 else None

    async with Fleet(broker.url) as fleet, anyio.create_task_group() as group:
        group.start_soon(run_decider, later_then_none, broker.url)
        with anyio.fail_after(60):
            assert await fleet.decide(Task("t1", "j1")) == Later(0)
            assert await fleet.decide(Task("t1", "j1")) is None
        group.cancel_scope.cancel()
    assert asked == ["t1", "t1"]


async def test_a_plain_function_decides_in_a_thread(broker: Server) -> None:
    async with Fleet(broker.url) as fleet, anyio.create_task_group() as group:
        group.start_soon(run_decider, plain, broker.url)
        with anyio.fail_after(60):
            assert await fleet.decide(Task("t1", "j1")) == Rating.not_ok(Task("t1", "j1"), "not what was asked")
        group.cancel_scope.cancel()
