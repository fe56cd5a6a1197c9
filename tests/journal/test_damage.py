"""Damage to a journal's file: found at once in a small one or after a kill, and by its length in any."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from picoworkers_async import Journal, JournalError, Rating
from picoworkers_async.journal import file
from picoworkers_async.journal.schema import Entry
from picoworkers_async.journal.writer import JournalWriter

pytestmark = pytest.mark.anyio

PAGE_BYTES = 4096


def journal(path: Path) -> JournalWriter:
    return JournalWriter(Journal(path), account="a", edition="e")


async def filled(path: Path, *, closed: bool) -> None:
    """A journal of some dozen pages whose batch came to its end, or did not."""
    one = journal(path)
    await one.open()
    await one.decide([Entry(Rating("j", f"t{number:04}", "not_ok", comment="x" * 100)) for number in range(1000)])
    await one.aclose()
    if not closed:
        with closing(sqlite3.connect(path)) as database:
            database.execute("UPDATE meta SET value = '0' WHERE name = 'closed'")
            database.commit()
        # A killed batch leaves its log, which may be empty.
        path.with_name(path.name + "-wal").touch()


def damage(path: Path) -> None:
    """In the middle, where opening it has nothing to read."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // PAGE_BYTES * PAGE_BYTES
    content[middle : middle + PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(content)


@pytest.mark.parametrize("closed", [True, False])
async def test_damage_anywhere_is_found_at_once_in_a_small_file_and_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    path = tmp_path / "ratings.db"
    await filled(path, closed=closed)
    damage(path)
    if not closed:
        monkeypatch.setattr(file, "_SMALL_PAGES", 5)
    with pytest.raises(JournalError, match="damaged"):
        await journal(path).open()


async def test_damage_in_a_large_file_that_was_closed_ends_the_batch_when_it_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ratings.db"
    await filled(path, closed=True)
    damage(path)
    monkeypatch.setattr(file, "_SMALL_PAGES", 5)
    one = journal(path)
    await one.open()
    everything = [Entry(Rating("j", f"t{number:04}", "ok")) for number in range(1000)]
    with pytest.raises(JournalError, match="damaged"):
        await one.send(everything)
    await one.aclose()


async def test_a_large_file_that_was_cut_short_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ratings.db"
    await filled(path, closed=True)
    path.write_bytes(path.read_bytes()[: -2 * PAGE_BYTES])
    monkeypatch.setattr(file, "_SMALL_PAGES", 5)
    with pytest.raises(JournalError, match="damaged"):
        await journal(path).open()
