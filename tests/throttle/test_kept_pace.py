"""What a pacer finds where it keeps its state: of before a restart, or nonsense, it stops no call for long."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import redis

from picoworkers_async import PacerError, RedisPacer, SqlitePacer
from picoworkers_async.throttle import kept_pace
from tests.support.valkey import Server

pytestmark = pytest.mark.anyio
CLOCK = "picoworkers_async.throttle.sqlite_pacer.monotonic"


def pacer_of(path: Path) -> SqlitePacer:
    pacer = SqlitePacer(path)
    pacer.bind("account")
    return pacer


@pytest.mark.parametrize(
    ("first_boot", "second_boot", "started_after"),
    [("one", "two", 25.0), ("", "", 25.0), ("one", "two", 36_000.0)],
    ids=["with a boot id", "without", "with nothing to see in the times"],
)
async def test_after_a_restart_of_the_machine_nobody_waits_for_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_boot: str, second_boot: str, started_after: float
) -> None:
    now, boot = 20.0, first_boot
    monkeypatch.setattr(CLOCK, lambda: now)
    monkeypatch.setattr(kept_pace, "boot_id", lambda: boot)
    before = pacer_of(tmp_path / "pace.db")
    first = await before.reserve(1.0)
    now = 36_000.0
    await before.reserve(1.0)
    await before.depart(1.0, None)
    before.close()
    now, boot = started_after, second_boot
    after = pacer_of(tmp_path / "pace.db")
    reservation = await after.reserve(1.0)
    assert reservation.wait == pytest.approx(1.0)
    assert reservation.epoch != first.epoch
    assert (await after.depart(1.0, None)).wait <= 1.0


async def test_a_file_without_boot_ids_gets_them_and_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "pace.db"
    one = pacer_of(path)
    first = await one.reserve(1.0)
    one.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE paces DROP COLUMN boot")
    second = await pacer_of(path).reserve(1.0)
    assert second.epoch != first.epoch
    assert (await pacer_of(path).reserve(1.0)).epoch == second.epoch


async def test_the_longest_pause_is_kept_by_those_who_come_while_it_lasts(tmp_path: Path) -> None:
    pacers = [pacer_of(tmp_path / "pace.db") for _ in range(3)]
    await pacers[0].reserve(1.0)
    await pacers[0].pause(10_000.0, widen=True)
    for pacer in pacers:
        assert (await pacer.reserve(1.0)).wait == pytest.approx(3600.0, abs=10.0)


NONSENSE = [
    ("next_slot", "abc"), ("next_slot", b"\xff"), ("next_slot", float("inf")), ("next_slot", float("-inf")),
    ("next_departure", b"\xff"), ("silent_until", float("inf")), ("margin", "abc"), ("margin_at", "abc"),
    ("margin_at", float("-inf")), ("epoch", b"\xff"), ("epoch", ""), ("first_after_pause", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), NONSENSE)
async def test_a_row_that_no_pacer_wrote_is_told_once_and_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, field: str, value: object
) -> None:
    path = tmp_path / "pace.db"
    pacer = pacer_of(path)
    first = await pacer.reserve(1.0)
    for _ in range(2):
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"UPDATE paces SET {field} = ?", (value,))
        anew = await pacer.reserve(1.0)
        assert anew.epoch != first.epoch
        assert anew.wait == pytest.approx(1.0)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "cannot be read" in record.getMessage()


@pytest.mark.parametrize(("margin", "distance"), [(-1e9, 1.02), (1e300, 1.5), (float("inf"), 1.5)])
async def test_a_margin_out_of_range_is_the_nearest_one(tmp_path: Path, margin: float, distance: float) -> None:
    path = tmp_path / "pace.db"
    pacer = pacer_of(path)
    await pacer.reserve(1.0)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE paces SET margin = ?", (margin,))
    reservation = await pacer.reserve(1.0)
    assert reservation.until - reservation.slot == pytest.approx(distance, abs=0.01)


@pytest.mark.parametrize(
    ("field", "value", "is_told"),
    [
        ("next", "inf", True), ("departure", "nan", True), ("silent", "x", True), ("margin", "nan", True),
        ("epoch", b"\xff", True), ("next", "9e13", False), ("silent", "9e13", False),
    ],
)  # fmt: skip
async def test_what_a_server_has_kept_is_believed_no_more(
    server: Server, caplog: pytest.LogCaptureFixture, field: str, value: str | bytes, is_told: bool
) -> None:
    pacer = RedisPacer(server.url)
    pacer.bind("account")
    first = await pacer.reserve(1.0)
    with closing(redis.Redis.from_url(server.url)) as client:
        for _ in range(2):
            client.hset("picoworkers:{account}:pace", field, value)
            anew = await pacer.reserve(1.0)
            assert anew.epoch != first.epoch
            assert anew.wait == pytest.approx(1.0)
    assert len(caplog.records) == is_told
    pacer.close()


async def test_a_key_of_another_kind_is_an_error_and_not_waited_for(server: Server) -> None:
    pacer = RedisPacer(server.url)
    pacer.bind("account")
    with closing(redis.Redis.from_url(server.url)) as client:
        client.set("picoworkers:{account}:pace", "text")
    with pytest.raises(PacerError, match="WRONGTYPE"):
        await pacer.reserve(1.0)
    pacer.close()


@pytest.mark.parametrize("answer", [None, 5, [], [b"x"] * 8, [b"nan", b"1", b"1", 1, 0, b"e", b"0.02", 1]])
async def test_an_answer_that_is_not_of_the_script_is_an_error(answer: object) -> None:
    pacer = RedisPacer("redis://127.0.0.1:1")
    pacer._script = lambda **_: answer  # type: ignore[assignment]
    with pytest.raises(PacerError, match="not those of the pacer's script"):
        await pacer.reserve(1.0)
