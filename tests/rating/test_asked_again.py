"""Which tasks a review that follows the listing asks about again, or sends later, and how it counts them."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest
import sniffio
import trio

from picoworkers_async import Edition, Journal, Later, Limits, Rating, Task
from picoworkers_async.events import Event, LookDone, OutcomeReached
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

DAY = 86_400.0


@pytest.mark.parametrize("bonus", [-1, 500], ids=["a rule", "max_bonus"])
@pytest.mark.parametrize("journaled", [False, True])
@pytest.mark.parametrize("late", [False, True])
async def test_with_follow_a_rating_that_breaks_a_rule_or_a_limit_is_asked_about_again(
    connect, edition: Edition, tmp_path: Path, bonus: int, journaled: bool, late: bool
) -> None:
    sandbox, _ = seeded(3, edition=edition)
    name, began = sandbox.unrated()[1], anyio.current_time()
    asked: list[float] = []

    def decide(task: Task) -> Rating:
        if task.id == name:
            asked.append(anyio.current_time() - began)
        return Rating.ok(task, bonus=bonus if task.id == name and len(asked) <= 2 else 0)

    async def decide_late(task: Task) -> Rating:
        await anyio.sleep(0.01)
        return decide(task)

    chosen: Any = decide_late if late else decide
    journal = tmp_path / "ratings.db" if journaled else None
    async with (
        connect(sandbox) as pico,
        pico.review(chosen, follow=60.0, limits=Limits(max_bonus=1), journal=journal) as batch,
    ):
        with anyio.move_on_after(3600.0):
            await batch.report()
        progress = batch.progress()
        assert (progress.rated, progress.failed, progress.put_off, progress.decided) == (3, 2, 0, 3)
    assert 300 <= asked[1] - asked[0] <= 420
    assert 600 <= asked[2] - asked[1] <= 720
    assert len(asked) == 3


@pytest.mark.parametrize("fails", [False, True])
async def test_a_task_put_off_for_no_time_is_asked_about_once_in_each_look(connect, edition, fails: bool) -> None:
    sandbox, _ = seeded(1, edition=edition)
    looks = 0
    asked: Counter[int] = Counter()

    def count(event: object) -> None:
        nonlocal looks
        looks += isinstance(event, LookDone)

    def decide(task: Task) -> Later:
        asked[looks] += 1
        if fails:
            raise ValueError
        return Later(0)

    async with (
        connect(sandbox, on_event=count) as pico,
        pico.review(decide, follow=600.0, retry_failed=0.0) as batch,
    ):
        with anyio.move_on_after(1900.0):
            await batch.report()
    assert asked == dict.fromkeys(range(looks), 1)
    assert looks >= 4


@pytest.mark.parametrize("journaled", [False, True])
async def test_with_follow_what_was_left_over_the_limit_of_a_day_is_sent_on_the_next_and_asked_about_once(
    connect, edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journaled: bool
) -> None:
    on_trio = sniffio.current_async_library() == "trio"
    clock = trio.lowlevel.current_clock().current_time if on_trio else asyncio.get_running_loop().time
    one_o_clock = 1_700_006_400.0 + 3600.0 - clock()
    monkeypatch.setattr("time.time", lambda: one_o_clock + clock())
    sandbox, _ = seeded(30, edition=edition)
    asked: Counter[str] = Counter()

    def decide(task: Task) -> Rating:
        asked[task.id] += 1
        return Rating.ok(task)

    path = tmp_path / "ratings.db"
    options: dict[str, Any] = {"limits": Limits(tasks_per_day=10), "on_limit": "leave"}
    if journaled:
        options["journal"] = path
    rated, decided = [], 0
    async with connect(sandbox) as pico, pico.review(decide, follow=1800.0, **options) as batch:
        for day in range(4):
            with anyio.move_on_after((DAY - 7200.0) if day == 0 else DAY):
                await batch.report()
            progress = batch.progress()
            rated.append(progress.rated)
            assert progress.met == 30
            assert progress.decided >= decided
            decided = progress.decided
    assert rated == [10, 20, 30, 30]
    assert progress.failed == 20 + 10
    assert set(asked.values()) == {1}
    if journaled:
        assert Journal(path).counts() == {"rated": 30}


async def test_what_was_left_over_the_balance_is_tried_again_and_over_the_total_is_not(connect) -> None:
    for limits, least, most, paid in ((Limits(keep_balance=10_000_000), 6, 10, 0), (Limits(total="1.5"), 1, 1, 1)):
        sandbox, _ = seeded(2)
        told: list[Event] = []
        async with (
            connect(sandbox, on_event=told.append) as pico,
            pico.review(
                lambda task: Rating.ok(task, bonus=1), follow=600.0, limits=limits, on_limit="leave"
            ) as batch,
        ):
            with anyio.move_on_after(4 * 3600.0):
                await batch.report()
        failed = [event for event in told if isinstance(event, OutcomeReached) and event.status == "failed"]
        assert least <= len(failed) <= most
        assert len(sandbox.ledger) == paid


@pytest.mark.parametrize("how", ["plain", "late", "given"])
@pytest.mark.parametrize("journaled", [False, True])
async def test_the_counts_of_progress_add_up_at_every_moment_and_never_go_down(
    connect, edition: Edition, tmp_path: Path, how: str, journaled: bool
) -> None:
    sandbox, _ = seeded(40, edition=edition, latency=0.05)
    asked: Counter[str] = Counter()
    seen: list[tuple[int, int]] = []
    batch: Any = None

    def look() -> None:
        now = batch.progress()
        assert now.met == now.deciding + now.decided + now.put_off
        assert min(now.met, now.deciding, now.decided, now.put_off) >= 0
        assert not seen or (now.met >= seen[-1][0] and now.decided >= seen[-1][1]), (seen[-1], now)
        seen.append((now.met, now.decided))

    def decide(task: Task) -> Rating | Later | None:
        look()
        asked[task.id] += 1
        match int(task.id, 16) % 5, asked[task.id]:
            case 0, 1:
                raise ValueError
            case 1, 1 | 2:
                return Later(100.0)
            case 2, 1:
                return Rating.ok(task, bonus=-1)
            case 3, _:
                return None
        return Rating.ok(task)

    async def decide_late(task: Task) -> Rating | Later | None:
        await anyio.sleep(0.01)
        return decide(task)

    options: dict[str, Any] = {"journal": tmp_path / "ratings.db"} if journaled else {}
    chosen: Any = decide_late if how == "late" else decide
    async with connect(sandbox, on_event=lambda event: batch and look()) as pico:
        if how == "given":
            options["tasks"] = (await pico.jobs.get_unrated_tasks()).items
        batch = pico.review(chosen, follow=60.0, **options)
        async with batch:
            with anyio.move_on_after(1200.0):
                async for _ in batch:
                    look()
            progress = batch.progress()
            assert (progress.put_off, progress.deciding, progress.decided) == (0, 0, progress.met)
    assert len(seen) > 60
