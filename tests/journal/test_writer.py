"""The journal's file: one batch at a time, whatever it is called; and rows that are never replaced wrongly."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from picoworkers_async import Journal, JournalError, Rating
from picoworkers_async.journal.schema import Entry, JournalState
from picoworkers_async.journal.writer import JournalWriter

pytestmark = pytest.mark.anyio

OK = Rating("j", "t", "ok", revision_number=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.db"


def writer(path: Path | str) -> JournalWriter:
    return JournalWriter(Journal(path), account="a", edition="e")


async def opened(path: Path | str) -> JournalWriter:
    one = writer(path)
    await one.open()
    return one


@pytest.mark.parametrize("other", ["the same name", "a symbolic link", "a hard link", "a relative path"])
async def test_a_second_batch_is_told_apart_by_the_file_itself(
    path: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await opened(path)
    second = path.with_name("other.db")
    match other:
        case "a symbolic link":
            second.symlink_to(path)
        case "a hard link":
            os.link(path, second)
        case "a relative path":
            monkeypatch.chdir(path.parent)
            second = Path("ratings.db")
        case _:
            second = path
    with pytest.raises(JournalError, match="another batch has it open"):
        await writer(second).open()
    await first.decide([Entry(OK)])
    await first.aclose()
    again = await opened(second)
    await again.aclose()
    assert Journal(path).counts() == {"decided": 1}


async def test_files_that_lie_beside_it_may_be_removed_without_letting_a_second_batch_in(path: Path) -> None:
    first = await opened(path)
    for beside in path.parent.iterdir():
        if beside != path and not beside.name.endswith(("-wal", "-shm")):
            beside.unlink()
    with pytest.raises(JournalError, match="another batch"):
        await writer(path).open()
    await first.aclose()


def _hold(path: str, ready: multiprocessing.Event, done: multiprocessing.Event) -> None:  # type: ignore[valid-type]
    async def main() -> None:
        one = await opened(path)
        ready.set()
        await anyio.to_thread.run_sync(done.wait)
        await one.aclose()

    anyio.run(main)


async def test_a_batch_in_another_process_is_noticed_and_its_death_lets_go(place: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(place, ready, done))
    other.start()
    await anyio.to_thread.run_sync(ready.wait)
    with pytest.raises(JournalError, match="another batch"):
        await writer(place).open()
    other.kill()
    await anyio.to_thread.run_sync(other.join)
    one = await opened(place)
    await one.aclose()


@pytest.mark.parametrize("what", ["removed", "replaced"])
async def test_a_file_that_is_taken_away_meanwhile_stops_the_batch_before_the_next_step(
    path: Path, what: str
) -> None:
    one = await opened(path)
    await one.decide([Entry(OK)])
    path.rename(path.with_name("elsewhere.db"))
    if what == "replaced":
        path.touch()
    with pytest.raises(JournalError, match="removed or replaced"):
        await one.send([Entry(OK)])
    await one.aclose()


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_opening_that_is_cancelled_leaves_nothing_locked(path: Path, native: bool) -> None:
    for delay in range(12):
        one = writer(path)
        if native:
            task = asyncio.ensure_future(one.open())
            await asyncio.sleep(delay / 5000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        else:
            with anyio.move_on_after(delay / 5000):
                await one.open()
        await one.aclose()
        again = await opened(path)
        await again.aclose()


async def test_a_finished_row_is_never_replaced(place: str) -> None:
    one = await opened(place)
    assert await one.send([Entry(OK)]) == [None]
    await one.conclude([(OK, JournalState.RATED, "done")])
    other = Rating("j", "t", "not_ok", comment="no", revision_number=0)
    await one.decide([Entry(other)])
    (known,) = await one.send([Entry(other)])
    await one.conclude([(other, JournalState.FAILED, "never")])
    await one.aclose()
    assert known is not None
    assert (known.rating, known.state) == (OK, "rated")
    (row,) = Journal(place).rows()
    assert (row.rating, row.state, row.message) == (OK, "rated", "done")


async def test_what_was_sent_is_not_decided_anew_and_what_failed_may_be(place: str) -> None:
    one = await opened(place)
    other = Rating("j", "t", "not_ok", comment="no", revision_number=0)
    await one.send([Entry(OK)])
    await one.decide([Entry(other)])
    assert (await one.known([("j", "t", 0)]))["j", "t", 0].rating == OK
    await one.conclude([(OK, JournalState.FAILED, "never arrived")])
    await one.decide([Entry(other)])
    assert (await one.known([("j", "t", 0)]))["j", "t", 0].rating == other
    await one.aclose()


async def test_the_same_task_id_in_two_jobs_is_two_tasks(place: str) -> None:
    one = await opened(place)
    assert await one.send([Entry(OK), Entry(Rating("other", "t", "ok", revision_number=0))]) == [None, None]
    await one.aclose()
    assert Journal(place).counts() == {"sent": 2}


async def test_of_one_task_sent_twice_at_once_the_second_sees_the_first(place: str) -> None:
    one = await opened(place)
    again, any_revision = Rating("j", "t", "revise", comment="more", revision_number=1), Rating("j", "u", "ok")
    assert await one.send([Entry(OK), Entry(again)]) == [None, None]
    first, second = await one.send([Entry(any_revision), Entry(Rating("j", "u", "ok", revision_number=3))])
    await one.aclose()
    assert first is None
    assert second is not None
    assert second.rating == any_revision
    assert Journal(place).counts() == {"sent": 3}


async def test_a_message_of_the_service_that_cannot_be_encoded_is_stored_written_out(place: str) -> None:
    one = await opened(place)
    await one.send([Entry(OK)])
    await one.conclude([(OK, JournalState.REFUSED, "no \ud800 way")])
    assert await one.known([("\ud800", "t", 0)]) == {}
    await one.aclose()
    assert [row.message for row in Journal(place).rows()] == ["no \\ud800 way"]


async def test_a_journal_of_a_killed_batch_without_what_lies_beside_it_is_refused(path: Path) -> None:
    """What that batch did last is in the file beside it; without it, everything would be sent again."""
    killed = await opened(path)
    await killed.send([Entry(OK)])
    elsewhere = Path(shutil.copy(path, path.with_name("elsewhere.db")))
    with pytest.raises(JournalError, match="-wal"):
        Journal(elsewhere).counts()
    # Reading it must not leave a log there by which it looks whole.
    with pytest.raises(JournalError, match="-wal"):
        await writer(elsewhere).open()
    await killed.aclose()
    assert Journal(path).counts() == {"sent": 1}


async def test_a_journal_that_was_closed_may_be_renamed_and_copied(path: Path) -> None:
    one = await opened(path)
    await one.send([Entry(OK)])
    await one.aclose()
    elsewhere = path.rename(path.with_name("elsewhere.db"))
    again = await opened(elsewhere)
    await again.aclose()
    assert Journal(elsewhere).counts() == {"sent": 1}
