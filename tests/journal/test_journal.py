"""The journal: durable, owned by one batch at a time, and readable beside it."""

from __future__ import annotations

import os
import sqlite3
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from picoworkers_async import (
    SPROUTGIGS,
    AsyncPicoworkers,
    Edition,
    InvalidRequestError,
    Journal,
    JournalError,
    OutcomeStatus,
    Rating,
    Task,
    Throttle,
)
from picoworkers_async.journal.file import JournalFile
from picoworkers_async.journal.schema import Entry
from picoworkers_async.journal.writer import JournalWriter
from picoworkers_async.sandbox import Faults, Sandbox
from tests.support.seeding import RATING_CALLS, seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.db"


async def test_it_remembers_every_rating_and_what_was_paid(connect, edition: Edition, place: str) -> None:
    sandbox, ratings = seeded(20, edition=edition)
    refused = Rating(ratings[0].job_id, "nobody", "not_ok", "spam", "no such task", list_id=0, block_worker=False)
    async with connect(sandbox) as pico:
        await pico.rate_all([*ratings, refused], journal=place)
    journal = Journal(place)
    assert journal.counts() == {"rated": 20, "refused": 1}
    assert journal.bonus_paid() == Decimal("2.00")
    rows = {row.rating.task_id: row for row in journal.rows()}
    assert rows["nobody"].rating == refused
    assert (rows["nobody"].state, rows["nobody"].message) == ("refused", "Task not found.")
    assert all(rows[rating.task_id].rating == rating for rating in ratings)


async def test_the_same_call_again_sends_nothing_and_tells_the_same_outcomes(
    connect, edition: Edition, place: str
) -> None:
    sandbox, ratings = seeded(20, edition=edition)
    async with connect(sandbox) as pico:
        await pico.rate_all(ratings, journal=place)
        sent = len(sandbox.requests)
        async with pico.rate(ratings, journal=Journal(place)) as outcomes:
            again = [outcome async for outcome in outcomes]
    assert len(sandbox.requests) == sent
    assert {outcome.status for outcome in again} == {OutcomeStatus.RATED}
    assert all(outcome.replayed for outcome in again)
    assert len(again) == 20


async def test_a_batch_that_was_left_is_finished_by_the_next(connect, edition: Edition, place: str) -> None:
    count = 60 if edition.ratings_at_once == 1 else 2500
    sandbox, ratings = seeded(count, latency=0.002, edition=edition)
    async with connect(sandbox) as pico:
        async with pico.rate(ratings, journal=place) as outcomes:
            async for _ in outcomes:
                if len(sandbox.ledger) > 10:
                    break
        assert len(sandbox.ledger) < count
        report = await pico.rate_all(ratings, journal=place)
    assert report.rated == len(sandbox.ledger) == count
    assert sandbox.double_ratings == 0
    assert report.bonus < count * Decimal("0.10") == sandbox.bonus_paid == Journal(place).bonus_paid()


async def test_what_was_on_the_wire_when_the_grace_ended_is_settled_first_by_the_next(connect, path: Path) -> None:
    sandbox, ratings = seeded(3, latency=0.4)
    async with connect(sandbox) as pico:
        with anyio.move_on_after(0.3):
            async with pico.rate(ratings, journal=path, grace=0) as outcomes:
                async for _ in outcomes:
                    pass
        assert Journal(path).counts() == {"unknown": 3}
        sandbox.latency = 0.0
        report = await pico.rate_all(ratings, journal=path)
    assert report.rated == len(sandbox.ledger) == 3
    assert sandbox.double_ratings == 0


async def test_decisions_that_were_made_are_not_asked_again(connect, edition: Edition, path: Path) -> None:
    sandbox, _ = seeded(30, faults=Faults(cut_before=1.0, only=RATING_CALLS), edition=edition)
    asked: list[str] = []

    def decide(task: Task) -> Rating:
        asked.append(task.id)
        return Rating.ok(task)

    async with connect(sandbox) as pico:
        first = await pico.review_all(decide, journal=path)
        assert (first.rated, first.failed) == (0, 30)
        sandbox.faults = Faults()
        second = await pico.review_all(decide, journal=path)
    assert (second.rated, second.unknown) == (30, 0)
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == len(sandbox.ledger) == 30


async def test_a_decision_whose_task_was_left_unsent_is_sent_by_the_next_run(
    connect, edition: Edition, path: Path
) -> None:
    sandbox, (rating, *_) = seeded(2, edition=edition)
    async with connect(sandbox) as pico:
        record = JournalWriter(Journal(path), account=pico._session.account, edition=edition.name)
        await record.open()
        await record.decide([Entry(rating)])
        await record.aclose()
        report = await pico.review_all(lambda _: None, journal=path)
    assert report.rated == 1
    assert list(sandbox.decisions()) == [(rating.task_id, 0)]


async def test_a_refused_decision_is_kept_and_one_left_alone_is_asked_again(
    connect, edition: Edition, path: Path
) -> None:
    sandbox, _ = seeded(2, edition=edition)
    sandbox.balance = Decimal(0)
    first = sandbox.unrated()[0]
    asked: list[str] = []

    def decide(task: Task) -> Rating | None:
        asked.append(task.id)
        return Rating.ok(task, bonus=5) if task.id == first else None

    async with connect(sandbox) as pico:
        for _ in range(2):
            await pico.review_all(decide, journal=path)
    assert asked.count(first) == 1
    assert len(asked) == 3


async def test_the_same_task_twice_in_one_batch_is_sent_once(connect, edition: Edition, path: Path) -> None:
    sandbox, ratings = seeded(5, edition=edition)
    async with connect(sandbox) as pico:
        report = await pico.rate_all(ratings * 3, journal=path)
    assert len(sandbox.ledger) == 5
    assert sandbox.double_ratings == 0
    assert report.bonus == Decimal("0.50")
    assert report.total == 15


async def test_a_second_batch_on_the_same_journal_gets_a_clear_error_at_once(connect, place: str) -> None:
    sandbox, ratings = seeded(5)
    async with connect(sandbox) as pico:
        async with pico.rate(ratings, journal=place) as outcomes:
            with pytest.raises(JournalError, match="another batch has it open"):
                await pico.rate_all(ratings, journal=place)
            assert [outcome.status async for outcome in outcomes] == [OutcomeStatus.RATED] * 5
        assert Journal(place).counts() == {"rated": 5}


async def test_it_is_read_while_a_batch_writes_it(connect, place: str) -> None:
    sandbox, ratings = seeded(5)
    async with connect(sandbox) as pico, pico.rate(ratings, journal=place) as outcomes:
        async for _ in outcomes:
            assert sum(Journal(place).counts().values()) >= 1


@pytest.mark.parametrize("kind", ["folder", "foreign", "text", "newer", "no-folder", "damaged"])
async def test_a_file_that_cannot_be_used_is_told_before_anything_is_sent(connect, path: Path, kind: str) -> None:
    sandbox, ratings = seeded(5)
    match kind:
        case "folder":
            path.mkdir()
        case "foreign":
            sqlite3.connect(path).executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);").connection.close()
        case "text":
            path.write_text("these are not the ratings you are looking for" * 100)
        case "newer":
            script = f"CREATE TABLE t (a); PRAGMA application_id = {0x7069636F}; PRAGMA user_version = 99;"
            sqlite3.connect(path).executescript(script).connection.close()
        case "no-folder":
            path = path.parent / "nowhere" / "ratings.db"
        case "damaged":
            async with connect(Sandbox()) as pico:
                await pico.rate_all([], journal=path)
            content = bytearray(path.read_bytes())
            content[4096:] = os.urandom(len(content) - 4096)
            path.write_bytes(content)
    async with connect(sandbox) as pico:
        with pytest.raises(JournalError, match=r"journal .*: "):
            await pico.rate_all(ratings, journal=path)
    assert sandbox.requests == []


async def test_a_full_disk_stops_the_batch_before_anything_is_sent(
    connect, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, _ = seeded(5)
    prepare = JournalFile._prepare

    def on_a_full_disk(self: JournalFile, database: sqlite3.Connection, **options: bool) -> None:
        prepare(self, database, **options)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")

    monkeypatch.setattr(JournalFile, "_prepare", on_a_full_disk)
    long = [Rating("j", f"t{n}", "not_ok", comment="x" * 5000) for n in range(5)]
    async with connect(sandbox) as pico:
        with pytest.raises(JournalError, match="the disk is full"):
            await pico.rate_all(long, journal=path)
    assert sandbox.requests == []


@pytest.mark.parametrize("other", ["account", "edition"])
async def test_a_journal_of_another_account_or_edition_is_not_mixed(connect, place: str, other: str) -> None:
    sandbox, ratings = seeded(2)
    async with connect(sandbox) as pico:
        await pico.rate_all(ratings, journal=place)
    name = "somebody" if other == "account" else "user_id"
    options = {} if other == "account" else {"edition": SPROUTGIGS}
    pico = AsyncPicoworkers(name, "api_secret", transport=sandbox.transport(), throttle=Throttle(), **options)
    async with pico:
        with pytest.raises(JournalError, match=f"belongs to another {other}.*name another file"):
            await pico.rate_all(ratings, journal=place)
    assert len(sandbox.requests) == 2


def test_a_journal_that_is_not_there_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(JournalError, match="no such file"):
        Journal(path).counts()
    assert not path.exists()


async def test_steps_that_wait_together_share_a_commit(path: Path, anyio_backend: str) -> None:
    record = JournalWriter(Journal(path), account="a", edition="e")
    await record.open()
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    record._store.database.set_trace_callback(count)
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(record.decide, [Entry(Rating("j", f"t{number}", "ok"))])
    await record.aclose()
    assert commits <= 3
    assert Journal(path).counts() == {"decided": 50}


async def test_the_account_is_kept_without_giving_it_away(connect, path: Path) -> None:
    sandbox, ratings = seeded(1)
    async with connect(sandbox) as pico:
        await pico.rate_all(ratings, journal=path)
    assert b"user_id" not in path.read_bytes()
    assert b"api_secret" not in path.read_bytes()


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_a_name_that_is_no_file_s_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(InvalidRequestError, match="leave journal= out"):
        Journal(name)


@pytest.mark.skipif(os.name != "posix", reason="modes")
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o755])
async def test_a_journal_in_a_folder_that_everybody_may_write_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    for name in ("one.db", "other.db"):
        writer = JournalWriter(Journal(folder / name), account="account", edition="edition")
        await writer.open()
        await writer.aclose()
    told = [record for record in caplog.records if "anybody may write in the folder" in record.getMessage()]
    assert len(told) == (mode != 0o755)
    assert all((record.levelname, record.name) == ("WARNING", "picoworkers_async") for record in told)
