"""The journal's thread: it ends with the batch, does all it was given, and is not there in a forked child."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from picoworkers_async import Journal, JournalError, Rating
from picoworkers_async.journal.schema import Entry
from picoworkers_async.journal.thread import WorkerThread
from picoworkers_async.journal.writer import JournalWriter

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.db"


async def opened(path: Path | str) -> JournalWriter:
    one = JournalWriter(Journal(path), account="a", edition="e")
    await one.open()
    return one


def threads() -> int:
    return sum(thread.name.startswith("journal ") for thread in threading.enumerate())


def ratings(count: int) -> list[Entry]:
    return [Entry(Rating("j", f"t{number}", "ok", revision_number=0)) for number in range(count)]


async def test_no_thread_is_left_when_it_is_closed(place: str) -> None:
    one = await opened(place)
    await one.send(ratings(1))
    assert threads() == 1
    await one.aclose()
    await one.aclose()
    assert threads() == 0


async def test_no_thread_is_left_when_it_cannot_be_opened(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError, match="folder"):
        await opened(path)
    assert threads() == 0


async def test_steps_come_in_the_order_they_were_given_and_each_has_its_own_answer(place: str) -> None:
    one = await opened(place)
    found: dict[int, object] = {}

    async def send(number: int, rating: Entry) -> None:
        found[number] = (await one.send([rating]))[0]

    async with anyio.create_task_group() as group:
        for number, rating in enumerate([*ratings(5), *ratings(5)]):
            group.start_soon(send, number, rating)
    await one.aclose()
    assert len(found) == 10
    assert sum(before is None for before in found.values()) == 5
    assert Journal(place).counts() == {"sent": 5}


@pytest.mark.parametrize("native", [False, True])
async def test_a_step_that_is_cancelled_is_written_and_those_beside_it_too(
    place: str, anyio_backend: str, native: bool
) -> None:
    if native and anyio_backend == "trio":
        pytest.skip("only asyncio cancels so")
    one = await opened(place)
    hold = threading.Event()
    one._thread.start(hold.wait, lambda: None)
    all_ratings = ratings(3)
    async with anyio.create_task_group() as group:
        if native:
            given_up = asyncio.ensure_future(one.send(all_ratings[:1]))
        else:
            scope = anyio.CancelScope()

            async def leave() -> None:
                with scope:
                    await one.send(all_ratings[:1])

            group.start_soon(leave)
        group.start_soon(one.send, all_ratings[1:2])
        await anyio.sleep(0.01)
        given_up.cancel() if native else scope.cancel()
        group.start_soon(one.send, all_ratings[2:])
        await anyio.sleep(0.01)
        hold.set()
    await one.aclose()
    assert Journal(place).counts() == {"sent": 3}


async def test_what_waits_when_it_is_closed_is_told_so_and_what_is_under_way_is_written(place: str) -> None:
    one = await opened(place)
    hold = threading.Event()
    one._thread.start(hold.wait, lambda: None)
    told: list[str] = []

    async def send(rating: Entry) -> None:
        try:
            await one.send([rating])
        except JournalError as error:
            told.append(str(error))

    async with anyio.create_task_group() as group:
        under_way, waiting = ratings(2)
        group.start_soon(send, under_way)
        await anyio.sleep(0.01)
        group.start_soon(send, waiting)
        await anyio.sleep(0.01)
        group.start_soon(one.aclose)
        await anyio.sleep(0.01)
        hold.set()
    assert len(told) == 1
    assert "it is closed" in told[0]
    assert [row.rating for row in Journal(place).rows()] == [under_way.rating]
    with pytest.raises(JournalError, match="it is closed"):
        await one.known([("j", "t0", 0)])
    with pytest.raises(JournalError, match="it is closed"):
        await one.send([waiting])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_forked_child_cannot_write_its_parents_journal(place: str) -> None:
    one = await opened(place)
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(one.send(ratings(1)))
        except JournalError:
            os._exit(10)
        finally:
            os._exit(1)
    _, status = await anyio.to_thread.run_sync(os.waitpid, child, 0)
    await one.send(ratings(2))
    await one.aclose()
    assert os.waitstatus_to_exitcode(status) == 10
    assert Journal(place).counts() == {"sent": 2}


async def test_an_error_of_its_work_is_raised_where_it_is_waited_for() -> None:
    thread = WorkerThread("test")
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    assert await thread.run(lambda: 7) == 7
    await thread.end(lambda: None)
    assert not thread.serves


def test_an_event_loop_that_is_gone_does_not_disturb_its_work() -> None:
    done: list[int] = []

    async def leave() -> WorkerThread:
        return WorkerThread("test")

    thread = asyncio.run(leave())
    last = threading.Event()
    thread.start(lambda: done.append(1), lambda: None)
    thread.start(lambda: done.append(2), lambda: None)
    thread.start(last.set, lambda: None)
    assert last.wait(10)
    assert done == [1, 2]
    assert thread.serves
