"""The file of a pacer: deleted, replaced, and used by one transaction at a time."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from picoworkers_async import InvalidRequestError, SqlitePacer, Throttle
from picoworkers_async.throttle import pacer_tables, sqlite_pacer
from picoworkers_async.throttle import pacing as paces
from picoworkers_async.throttle.pacers import PacerLost
from tests.support.busy_program import virtual_clock

pytestmark = pytest.mark.anyio


def pacers(path: Path, count: int) -> list[SqlitePacer]:
    made = [SqlitePacer(path) for _ in range(count)]
    for pacer in made:
        pacer.bind("account")
    return made


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    """With a copy, as a backup that is put back would be."""
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    os.replace(copy, path)


@pytest.mark.parametrize("harm", [delete, replace])
async def test_a_file_that_is_gone_is_noticed_by_each_in_its_next_transaction(tmp_path: Path, harm) -> None:
    path = tmp_path / "pace.db"
    one, other = pacers(path, 2)
    before = await one.reserve(100.0)
    await other.reserve(100.0)
    harm(path)
    first = await one.depart(100.0, None)
    second = await other.depart(100.0, None)
    assert first.wait > 50.0
    assert second.epoch == first.epoch != before.epoch
    assert second.at == first.at


async def test_the_new_file_survives_that_the_others_close_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    one, *others = pacers(path, 4)
    for pacer in (one, *others):
        await pacer.reserve(100.0)
    path.unlink()
    slots = [(await one.reserve(100.0)).slot]
    for pacer in others:
        slots += [(await pacer.reserve(100.0)).slot, (await one.reserve(100.0)).slot]
    assert slots == sorted(slots)
    assert min(later - earlier for earlier, later in itertools.pairwise(slots)) >= 100.0


@pytest.mark.virtual_time
@pytest.mark.parametrize("harm", [delete, replace])
async def test_after_the_file_was_deleted_or_replaced_everybody_waits_until_all_have_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm
) -> None:
    monkeypatch.setattr("picoworkers_async.throttle.sqlite_pacer.monotonic", virtual_clock())
    path = tmp_path / "pace.db"
    throttles = [Throttle(4, 10.0, pacer=pacer) for pacer in pacers(path, 2)]
    written: list[float] = []

    async def call_forever(throttle: Throttle) -> None:
        while True:
            permit = await throttle.acquire()
            await permit.before_writing()
            written.append(anyio.current_time())
            permit.written()
            permit.release()

    with anyio.move_on_after(30.0):
        async with anyio.create_task_group() as group:
            for throttle in throttles:
                group.start_soon(call_forever, throttle)
            await anyio.sleep(10.0)
            harm(path)
            deleted_at = anyio.current_time()
    gaps = [later - earlier for earlier, later in itertools.pairwise(written)]
    assert min(gaps) >= 0.1 - 0.003
    assert 6.0 <= max(gaps) <= 7.0
    late = [at for at in written if at > deleted_at + 1.0]
    assert late[0] - deleted_at >= 6.0
    assert len(late) >= 0.95 * (20.0 - 7.5) * 10.0 / 1.02


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_native_cancellation_in_a_transaction_leaves_the_next_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    (pacer,) = pacers(path, 1)
    await pacer.reserve(100.0)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    for _ in range(5):
        given_up = asyncio.ensure_future(pacer.reserve(100.0))
        await anyio.sleep(0.05)
        given_up.cancel()
    following = asyncio.ensure_future(pacer.reserve(100.0))
    await anyio.sleep(0.05)
    blocker.execute("COMMIT")
    blocker.close()
    assert (await following).wait > 100.0
    assert given_up.cancelled()


async def test_a_file_that_is_deleted_in_the_middle_of_a_transaction_is_noticed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pace.db"
    one, other = pacers(path, 2)
    before = await one.reserve(100.0)
    whole = paces.reserve

    def disturbed(pace: paces.Pace, now: float) -> tuple[paces.Pace, float]:
        monkeypatch.setattr(paces, "reserve", whole)
        path.unlink()
        return whole(pace, now)

    monkeypatch.setattr(paces, "reserve", disturbed)
    # Either it finished on the file that was there, or it was done again on the new one.
    await one.reserve(100.0)
    first, second = await one.reserve(100.0), await other.reserve(100.0)
    assert first.epoch == second.epoch != before.epoch


def clients(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        (count,) = database.execute("SELECT count(*) FROM clients").fetchone()
    return int(count)


async def test_clients_that_are_gone_are_forgotten_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("picoworkers_async.throttle.sqlite_pacer.monotonic", lambda: now)
    path = tmp_path / "pace.db"
    many = pacers(path, 50)
    for pacer in many:
        sharers = (await pacer.reserve(0.001)).sharers
        pacer.close()
    assert sharers == clients(path) == 50
    now += 61.0
    last, left = many[-1], [50]
    while left[-1] > 1:
        assert (await last.reserve(0.001)).sharers == 1
        left.append(clients(path))
        assert 0 < left[-2] - left[-1] <= 20
    assert (await last.reserve(0.001)).rank == 0
    last.close()


async def test_clients_of_before_a_restart_of_the_machine_share_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 90_000.0
    monkeypatch.setattr("picoworkers_async.throttle.sqlite_pacer.monotonic", lambda: now)
    path = tmp_path / "pace.db"
    before, after = pacers(path, 2)
    await before.reserve(1.0)
    now = 100.0
    assert (await after.reserve(1.0)).sharers == 1
    assert clients(path) == 1


async def test_no_reservation_reads_the_clients_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    (pacer,) = pacers(path, 1)
    await pacer.reserve(1.0)
    plans = []
    with closing(sqlite3.connect(path)) as database:
        for statement in (pacer_tables.ACTIVE, pacer_tables.FORGET_SOME):
            values: object = {"account": "account", "since": 0.0, "now": 9.0}
            if "?" in statement:
                values = ("client", "account", 0.0, 9.0)
            plans += [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert not [step for step in plans if step.startswith("SCAN")]
    assert sum("clients_by_time (account=? AND seen" in step for step in plans) == 3


async def test_a_file_of_an_earlier_version_loses_the_clients_that_it_never_forgot(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(pacer_tables.SCHEMA)
        database.executemany("INSERT INTO clients VALUES ('account', ?, 0.0)", [(str(n),) for n in range(1000)])
        database.commit()
    one, other = pacers(path, 2)
    assert (await one.reserve(1.0)).sharers == clients(path) == 1
    assert (await other.reserve(1.0)).sharers == 2


async def test_work_without_end_in_the_file_is_interrupted_and_lost(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    (pacer,) = pacers(path, 1)
    await pacer.reserve(1.0)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TRIGGER endless AFTER INSERT ON clients BEGIN DELETE FROM clients WHERE client IN "
            "(WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c); END"
        )
    with pytest.raises(PacerLost, match="interrupted"):
        await pacer.reserve(1.0)


async def test_a_file_system_that_does_not_answer_holds_no_call_for_long_and_none_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_pacer, "_LONGEST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(sqlite_pacer, "_LONGEST_WORK_SECONDS", 0.1)
    (pacer,) = pacers(tmp_path / "pace.db", 1)
    answers, ended = threading.Event(), threading.Event()
    whole = SqlitePacer._attempt

    def hang(self: SqlitePacer, work: object) -> object:
        answers.wait(60.0)
        try:
            return whole(self, work)
        finally:
            ended.set()

    monkeypatch.setattr(SqlitePacer, "_attempt", hang)
    try:
        with pytest.raises(PacerLost, match="does not answer"):
            await pacer.reserve(1.0)
        with pytest.raises(PacerLost):
            await pacer.reserve(1.0)
        with anyio.CancelScope() as scope:
            scope.cancel()
            with pytest.raises(PacerLost):
                await pacer.reserve(1.0)
    finally:
        answers.set()
    ended.wait(60.0)
    monkeypatch.setattr(SqlitePacer, "_attempt", whole)
    monkeypatch.setattr(sqlite_pacer, "_LONGEST_WAIT_SECONDS", 60.0)
    monkeypatch.setattr(sqlite_pacer, "_LONGEST_WORK_SECONDS", 30.0)
    assert (await pacer.reserve(1.0)).wait <= 3.0


@pytest.mark.parametrize("path", [5, b"x", object, "a\0b"], ids=["int", "bytes", "class", "nul"])
def test_a_path_that_is_none_is_refused_by_name(path: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"path=.*: the path of a file"):
        SqlitePacer(path)
