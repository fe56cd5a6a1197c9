"""Journals of earlier formats: read as they are, brought up to date when a batch opens them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from picoworkers_async import Journal
from picoworkers_async.journal import steps
from picoworkers_async.journal.formats import VERSION
from picoworkers_async.journal.writer import JournalWriter

pytestmark = pytest.mark.anyio

FORMAT_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ratings (
    task_id TEXT NOT NULL, revision INTEGER NOT NULL, job_id TEXT NOT NULL, verdict TEXT NOT NULL,
    satisfaction TEXT, comment TEXT, list_id INTEGER, block_worker INTEGER, bonus TEXT,
    state TEXT NOT NULL, message TEXT, at REAL NOT NULL, PRIMARY KEY (task_id, revision)
) WITHOUT ROWID;
CREATE INDEX unfinished ON ratings (state) WHERE state IN ('decided', 'sent', 'failed', 'unknown');
INSERT INTO meta VALUES ('account', 'a'), ('edition', 'e');
INSERT INTO ratings VALUES ('t', 0, 'j', 'ok', 'good', NULL, NULL, NULL, '0.10', 'rated', 'done', 1.0);
INSERT INTO ratings VALUES ('u', -1, 'j', 'not_ok', NULL, 'no', 7, 1, NULL, 'sent', NULL, 2.0);
PRAGMA application_id = 1885954927;
PRAGMA user_version = 1;
"""
FORMAT_2 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ratings (
    job_id TEXT NOT NULL, task_id TEXT NOT NULL, revision INTEGER NOT NULL, verdict TEXT NOT NULL,
    satisfaction TEXT, comment TEXT, list_id INTEGER, block_worker INTEGER, bonus TEXT,
    state TEXT NOT NULL, message TEXT, at REAL NOT NULL, PRIMARY KEY (job_id, task_id, revision)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('account', 'a'), ('edition', 'e'), ('closed', '1');
INSERT INTO ratings VALUES ('j', 't', 0, 'ok', 'good', NULL, NULL, NULL, '0.10', 'rated', 'done', 1.0);
INSERT INTO ratings VALUES ('j', 'u', -1, 'not_ok', NULL, 'no', 7, 1, NULL, 'sent', NULL, 2.0);
PRAGMA application_id = 1885954927;
PRAGMA user_version = 2;
"""


async def opened(path: Path) -> JournalWriter:
    one = JournalWriter(Journal(path), account="a", edition="e")
    await one.open()
    return one


def schema_of(path: Path) -> set[str]:
    """The file's statements, whatever their layout, and its format."""
    with closing(sqlite3.connect(path)) as database:
        statements = {
            " ".join(sql.replace('"', "").split()) for (sql,) in database.execute("SELECT sql FROM sqlite_schema")
        }
        (version,) = database.execute("PRAGMA user_version").fetchone()
        return {*statements, str(version)}


@pytest.mark.parametrize("script", [FORMAT_1, FORMAT_2], ids=["format 1", "format 2"])
async def test_a_journal_of_a_format_before_is_read_and_brought_up_to_date(tmp_path: Path, script: str) -> None:
    path, new = tmp_path / "ratings.db", tmp_path / "new.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
    before = list(Journal(path).rows())
    one = await opened(path)
    assert [recorded.rating.task_id for recorded in await one.unfinished(None)] == ["u"]
    await one.aclose()
    assert list(Journal(path).rows()) == before
    assert Journal(path).counts() == {"rated": 1, "sent": 1}
    again = await opened(path)
    await again.aclose()
    await (await opened(new)).aclose()
    assert schema_of(path) == schema_of(new)
    assert str(VERSION) in schema_of(path)


async def test_what_is_unfinished_is_found_without_reading_what_is_not(tmp_path: Path) -> None:
    path = tmp_path / "ratings.db"
    await (await opened(path)).aclose()
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(f"EXPLAIN QUERY PLAN {steps.UNFINISHED}", ("", "", -1))
        plan = [row[3] for row in rows]
    assert plan == ["SEARCH ratings USING INDEX unfinished ((job_id,task_id,revision)>(?,?,?))"]
