"""Journals that somebody else wrote, replaced, damaged, or made very large: the page says so and stays."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import anyio
import pytest

from picoworkers_async import JournalDamagedError, JournalError
from picoworkers_async.console import of_journal, watch_journal, watching
from picoworkers_async.console.of_journal import JournalBoard
from picoworkers_async.journal import glance as glances
from picoworkers_async.journal.glance import glance

from .test_watch import rated


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "paid.db"
    anyio.run(rated, path)
    return path


def change(path: Path, query: str) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(query)
    database.close()


def numbers(board: JournalBoard) -> dict[str, str]:
    return dict(anyio.run(board.snapshot, 1).numbers)


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE ratings SET sent_at = 1e300",
        "UPDATE ratings SET sent_at = 9e999",
        "UPDATE ratings SET ended_at = 1e18",
        "UPDATE ratings SET sent_at = -1e11",
        "UPDATE ratings SET sent_at = 'soon'",
        "UPDATE ratings SET bonus = '<b>'",
        "UPDATE ratings SET state = 'lost'",
        "UPDATE ratings SET verdict = 'maybe'",
        "INSERT OR REPLACE INTO meta VALUES ('running', '[]')",
        "INSERT OR REPLACE INTO meta VALUES ('running', '{}')",
        'INSERT OR REPLACE INTO meta VALUES (\'running\', \'{"since": 1e300, "kind": "rate"}\')',
        f"INSERT OR REPLACE INTO meta VALUES ('progress', '{'[' * 100_000}')",
    ],
)
def test_values_that_no_batch_writes_are_named_and_the_page_keeps_what_it_had(path: Path, query: str) -> None:
    board = JournalBoard(path)
    assert numbers(board)["problem"] == "works"
    change(path, query)
    with pytest.raises(JournalError):
        glance(path, since=0.0)
    shown = numbers(board)
    assert shown["problem"].startswith("journal ")
    assert shown["rated"] == "2"


def test_what_is_no_time_is_said_to_be_damage_and_not_a_missing_folder(path: Path) -> None:
    change(path, "UPDATE ratings SET sent_at = 1e300")
    with pytest.raises(JournalDamagedError, match="no batch writes"):
        glance(path, since=0.0)


@pytest.mark.parametrize("bonus", ["1E+9999999", "1E-9999999", "NaN", "-Infinity", "0E-9999999"])
def test_an_amount_without_end_is_written_in_short(path: Path, bonus: str) -> None:
    change(path, f"UPDATE ratings SET bonus = '{bonus}'")
    rows = anyio.run(JournalBoard(path).snapshot, 1).tables["last"].rows
    assert all(len(row["bonus"]) < 20 for row in rows)


def test_a_file_that_cannot_even_be_looked_at_is_a_problem_and_not_the_end_of_the_page(path: Path) -> None:
    board = JournalBoard(path)
    numbers(board)
    path.unlink()
    path.symlink_to(path)
    assert numbers(board)["rated"] == "2"
    assert numbers(board)["changed"] == "the file is gone"


def test_another_file_of_the_same_size_and_time_in_its_place_is_read(path: Path) -> None:
    other = path.with_name("other.db")
    other.write_bytes(path.read_bytes())
    change(other, "UPDATE ratings SET state = 'unknown'")
    board = JournalBoard(path)
    for _ in range(2):  # reading makes a log beside it, for which it is read once more
        assert numbers(board)["unknown"] == "0"
    before = path.stat()
    assert other.stat().st_size == before.st_size
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert numbers(board)["unknown"] == "3"


@pytest.mark.anyio
async def test_a_name_that_no_file_can_have_is_no_fault_of_the_port(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="too long"):
        async with watch_journal(tmp_path / ("x" * 300)):
            pass


def test_a_journal_that_takes_long_is_not_read_at_every_change_but_its_last_minute_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_journal, "_LONG_SECONDS", -1.0)
    monkeypatch.setattr(of_journal, "_PAUSE", 100_000)
    board = JournalBoard(path)
    before = numbers(board)
    monkeypatch.setattr(of_journal, "glance", lambda *_, **__: pytest.fail("it was read again"))
    change(path, f"UPDATE ratings SET state = 'unknown', sent_at = {time.time() + 1}")
    later = anyio.run(board.snapshot, 1)
    assert later.numbers["unknown"] == before["unknown"] == "0"
    assert "not read all the time" in later.numbers["problem"]
    assert 3 in board.look().sent.values()


def test_a_reading_is_broken_off_when_the_page_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glances, "_STEPS", 5)
    board = JournalBoard(path)
    board.close()
    with pytest.raises(JournalError, match="interrupted"):
        board.look()


def test_the_last_outcomes_are_the_newest_and_no_more_than_asked_for(path: Path) -> None:
    change(path, "UPDATE ratings SET ended_at = ended_at + 100 WHERE verdict = 'not_ok'")
    (row,) = glance(path, since=0.0, most=1).last
    assert row.rating is not None
    assert row.rating.verdict == "not_ok"


def test_a_journal_in_a_folder_that_cannot_be_written_is_read_and_nothing_is_made_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert glance(path, since=0.0).counts["rated"] == 2
    assert [file for file in path.parent.iterdir() if file.name.startswith("paid.db-")] == []


@pytest.mark.anyio
async def test_the_address_of_a_journal_that_takes_long_is_given_before_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(*_: object, **__: object) -> None:
        go_on.wait(60)
        raise JournalError(path, "it was read")

    monkeypatch.setattr(watching, "_FIRST_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(of_journal, "glance", slow)
    async with watch_journal(path) as url:
        assert "token=" in url
        go_on.set()
