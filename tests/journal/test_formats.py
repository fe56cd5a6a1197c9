"""Journals of earlier formats: read as they are, brought up to date when a batch opens them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from picoworkers_async import Journal, JournalError, Rating
from picoworkers_async.journal import formats, money, steps
from picoworkers_async.journal.formats import VERSION
from picoworkers_async.journal.schema import Spent
from picoworkers_async.journal.writer import JournalWriter

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parent / "data"
"""A journal as the last version of each earlier format made it, with a rating in each state."""

BEFORE = [path.name for path in sorted(DATA.glob("*.db"))]


@pytest.fixture(params=BEFORE)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(DATA / request.param, tmp_path / "ratings.db"))


async def opened(path: Path) -> JournalWriter:
    one = JournalWriter(Journal(path), account="a", edition="sproutgigs")
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


def test_every_earlier_format_is_kept_here() -> None:
    assert [f"format{number}.db" for number in range(1, VERSION)] == BEFORE


async def test_a_journal_of_a_format_before_is_read_and_brought_up_to_date(path: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    before = list(Journal(path).rows())
    counts, paid, summary = Journal(path).counts(), Journal(path).bonus_paid(), Journal(path).summary("job")
    one = await opened(path)
    assert [recorded.rating.task_id for recorded in await one.unfinished(None)] == ["sent", "unknown"]
    assert await one.spent(None) == Spent(3, Decimal("1.35"), Decimal(0))
    await one.aclose()
    assert list(Journal(path).rows()) == before
    assert Journal(path).counts() == counts == dict.fromkeys(
        ["decided", "failed", "rated", "refused", "sent", "unknown"], 1
    )  # fmt: skip
    assert Journal(path).bonus_paid() == paid == Decimal("0.10")
    assert Journal(path).summary("job") == summary
    again = await opened(path)
    await again.aclose()
    await (await opened(new)).aclose()
    assert schema_of(path) == schema_of(new)
    assert str(VERSION) in schema_of(path)


async def test_nothing_of_a_rating_is_lost_by_it(path: Path) -> None:
    await (await opened(path)).aclose()
    rows = {row.task_id: row for row in Journal(path).rows()}
    assert rows["rated"].rating == Rating("j", "rated", "ok", "good", bonus="0.10", revision_number=0)
    assert rows["refused"].rating == Rating(
        "j", "refused", "not_ok", comment="no", list_id=7, block_worker=True, revision_number=1
    )
    assert rows["unknown"].rating == Rating("k", "unknown", "ok", bonus="1.25")
    assert (rows["refused"].message, rows["rated"].bonus) == ("Task not found.", Decimal("0.10"))
    assert {(row.worker_id, row.pay) for row in rows.values()} == {(None, None)}
    decided, sent, rated = rows["decided"], rows["sent"], rows["rated"]
    assert decided.decided_at is not None
    assert (decided.sent_at, decided.ended_at) == (None, None)
    assert sent.sent_at is not None
    assert (sent.decided_at, sent.ended_at) == (None, None)
    assert rated.sent_at == rated.ended_at is not None


async def test_what_failed_before_is_still_known_and_not_asked_about_again(path: Path) -> None:
    one = await opened(path)
    known = await one.known([("j", "failed", 0), ("k", "decided", 0), ("j", "other", 0)])
    await one.aclose()
    assert {key[1]: recorded.state.value for key, recorded in known.items()} == {
        "failed": "failed",
        "decided": "decided",
    }


async def test_an_upgrade_that_breaks_off_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(formats, "_MIGRATION", formats._MIGRATION + "INSERT INTO nowhere VALUES (1);")
    with pytest.raises(JournalError, match="nowhere"):
        await opened(path)
    assert path.read_bytes() == before
    monkeypatch.undo()
    await (await opened(path)).aclose()
    assert Journal(path).counts()["rated"] == 1


async def test_a_real_batch_of_before_is_no_dry_run(path: Path) -> None:
    dry = JournalWriter(Journal(path), account="a", edition="sproutgigs", dry_run=True)
    with pytest.raises(JournalError, match="belongs to a real batch"):
        await dry.open()


async def test_what_is_unfinished_is_found_without_reading_what_is_not(path: Path) -> None:
    await (await opened(path)).aclose()
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(f"EXPLAIN QUERY PLAN {steps.UNFINISHED}", ("", "", -1))
        plan = [row[3] for row in rows]
    assert plan == ["SEARCH ratings USING INDEX unfinished ((job_id,task_id,revision)>(?,?,?))"]


async def test_what_was_spent_since_a_time_is_found_without_reading_what_was_before(path: Path) -> None:
    await (await opened(path)).aclose()
    with closing(sqlite3.connect(path)) as database:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {money.SPENT_SINCE}", (0.0,))]
    assert plan == ["SEARCH ratings USING INDEX sent_times (sent_at>?)"]
