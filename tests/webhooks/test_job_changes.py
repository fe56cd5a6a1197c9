"""Changes of jobs' statuses: each once, in order, over restarts; and what a crash brings again."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from picoworkers_async import ClientStateError, JobChange, JobStatus
from picoworkers_async.webhooks import Receiver, SubmittedError
from picoworkers_async.webhooks import changes as changes_module
from picoworkers_async.webhooks import job_changes as job_changes_module
from picoworkers_async.webhooks.changes import Change, Changes
from tests.support.receiving import ask, changed, durable_changes

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_changes_module, "_POLL", 0.002)


def note(path: Path, *statuses: str, job_id: str = "j", start: int = 0) -> None:
    Changes(path).note(
        Change(job_id, status, f"2026-05-01T10:00:{n:02}") for n, status in enumerate(statuses, start)
    )


async def take(changes, count: int) -> list[str]:
    """Ask for so many changes; gives their statuses."""
    with anyio.fail_after(10):
        return [str((await anext(changes)).status) for _ in range(count)]


async def no_more(changes) -> bool:
    with anyio.move_on_after(0.05) as scope:
        await anext(changes)
    return scope.cancelled_caught


async def test_a_change_comes_typed_with_its_time(path: Path) -> None:
    receiver = Receiver(path)
    body = changed("abc123dfae98", ("PAUSED", "2026-05-01 10:00:00"), ("melted", "soon"))
    status, _ = await anyio.to_thread.run_sync(ask, receiver, body)
    assert status == 200
    async with receiver.job_changes() as changes:
        assert await anext(changes) == JobChange(
            "abc123dfae98", JobStatus.PAUSED, datetime(2026, 5, 1, 10, tzinfo=UTC)
        )
        assert await anext(changes) == JobChange("abc123dfae98", "melted", None)


async def test_a_change_that_was_followed_by_the_next_never_comes_again_and_the_last_one_does(path: Path) -> None:
    note(path, "a", "b", "c")
    async with Receiver(path).job_changes() as changes:
        assert await take(changes, 2) == ["a", "b"]
    async with Receiver(path).job_changes() as changes:
        assert await take(changes, 2) == ["b", "c"]
        assert await no_more(changes)
    async with Receiver(path).job_changes() as changes:
        assert await no_more(changes)
        note(path, "d", start=9)
        assert await take(changes, 1) == ["d"]


async def test_a_change_whose_handling_fails_comes_again(path: Path) -> None:
    note(path, "a", "b")
    with contextlib.suppress(ZeroDivisionError):
        async with Receiver(path).job_changes() as changes:
            async for _ in changes:
                raise ZeroDivisionError
    async with Receiver(path).job_changes() as changes:
        assert await take(changes, 2) == ["a", "b"]


async def test_a_change_that_is_posted_again_is_taken_once(path: Path) -> None:
    body = changed("j", ("paused", "2026-05-01 10:00:00"), ("running", "2026-05-01 10:00:01"))
    receiver = Receiver(path)
    async with receiver.job_changes() as changes:
        for _ in range(2):
            await anyio.to_thread.run_sync(ask, receiver, body)
        assert await take(changes, 2) == ["paused", "running"]
        await anyio.to_thread.run_sync(ask, receiver, body)
        assert await no_more(changes)
    assert len(durable_changes(path)) == 2


async def test_a_change_without_any_date_is_a_repeat_only_of_the_jobs_last_status(path: Path) -> None:
    statuses = ["paused", "paused", "running", "paused"]
    for status in statuses:
        Changes(path).note([Change("j", status, ""), Change("k", "paused", "")])
    assert [status for job, status, _ in durable_changes(path) if job == "j"] == ["paused", "running", "paused"]
    assert [status for job, status, _ in durable_changes(path) if job == "k"] == ["paused"]


@pytest.mark.parametrize(
    "told",
    [
        [("running", None), ("finished", None)],
        [("running", None), ("finished", "2026-05-01 10:00:00"), ("paused", None)],
        [("finished", "2026-05-01 10:00:00"), ("paused", None)],
        [("paused", None), ("finished", "2026-05-01 10:00:00")],
        [("running", None), ("running", None), ("finished", None), ("running", None)],
    ],
)
@pytest.mark.parametrize("known", [False, True])
async def test_changes_without_dates_that_are_posted_again_are_taken_once_whatever_the_date_of_the_event(
    path: Path, told: list[tuple[str, str | None]], known: bool
) -> None:
    receiver = Receiver(path)
    if known:
        await anyio.to_thread.run_sync(ask, receiver, changed("j", ("finished", "2026-05-01 10:00:00")))
    for number in range(3):
        body = changed("j", *told) | {"event_date": f"2026-05-01T10:0{number}:00Z"}
        await anyio.to_thread.run_sync(ask, receiver, body)
        if not number:
            first = durable_changes(path)
    assert durable_changes(path) == first
    expected = [status for place, (status, _) in enumerate(told) if not place or told[place - 1] != told[place]]
    if not known:
        assert [status for _, status, _ in first] == expected


async def test_blocks_of_one_receiver_get_every_change_each_and_the_slowest_says_what_is_handled(
    path: Path,
) -> None:
    note(path, "a", "b", "c")
    receiver = Receiver(path)
    async with receiver.job_changes() as slow, receiver.job_changes() as quick:
        assert await take(quick, 3) == ["a", "b", "c"]
        assert await take(slow, 2) == ["a", "b"]
        assert await no_more(quick)
    async with Receiver(path).job_changes() as changes:
        assert await take(changes, 2) == ["b", "c"]


async def test_a_block_that_was_left_holds_nothing_back(path: Path) -> None:
    note(path, "a", "b")
    receiver = Receiver(path)
    async with receiver.job_changes() as staying:
        async with receiver.job_changes() as leaving:
            assert await take(leaving, 1) == ["a"]
        assert await take(staying, 2) == ["a", "b"]
        assert await no_more(staying)
    async with Receiver(path).job_changes() as changes:
        assert await no_more(changes)


async def test_changes_are_iterated_inside_of_an_open_block_only(path: Path) -> None:
    changes = Receiver(path).job_changes()
    with pytest.raises(ClientStateError, match="inside the block"):
        await anext(changes)
    async with changes:
        with pytest.raises(ClientStateError, match="open already"):
            await changes.__aenter__()
    with pytest.raises(ClientStateError, match="inside the block"):
        await anext(changes)


async def test_a_file_that_cannot_be_used_is_told_and_the_iteration_goes_on_after_it(path: Path) -> None:
    note(path, "a", "b")
    async with Receiver(path).job_changes() as changes:
        assert await take(changes, 1) == ["a"]
        path.rename(path.with_suffix(".away"))
        path.write_text("no database" * 1000)
        with pytest.raises(SubmittedError):
            await anext(changes)
        path.with_suffix(".away").rename(path)
        assert await take(changes, 1) == ["b"]


async def test_the_newest_changes_are_kept_and_those_dropped_unhandled_are_logged(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changes_module, "_MOST_ROWS", 3)
    receiver = Receiver(path)
    note(path, "a", "b")
    async with receiver.job_changes() as changes:
        assert await take(changes, 2) == ["a", "b"]
    more = changed("j", *((status, f"2026-05-01 10:01:{n:02}") for n, status in enumerate("cdef")))
    status, _ = await anyio.to_thread.run_sync(ask, receiver, more)
    assert status == 200
    assert [status for _, status, _ in durable_changes(path)] == ["d", "e", "f"]
    # Of a, b and c, only a had been handled.
    assert "2 changes of jobs were dropped" in caplog.text


async def test_a_body_of_as_many_changes_as_are_taken_does_not_take_long(path: Path) -> None:
    undated = [Change("j", f"s{n % 2}", "") for n in range(50_000)]
    with anyio.fail_after(20):
        await anyio.to_thread.run_sync(Changes(path).note, undated)
    assert len(durable_changes(path)) == 50_000
