"""What is done to a journal between batches; and that what a running batch holds is never touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from picoworkers_async import (
    Edition,
    InvalidRequestError,
    Journal,
    JournalBusyError,
    JournalDamagedError,
    JournalError,
    JournalFullError,
    NotAJournalError,
    Rating,
    Task,
)
from picoworkers_async.journal.failures import journal_errors
from picoworkers_async.journal.schema import Entry, JournalState, Spent
from picoworkers_async.journal.writer import JournalWriter
from tests.support.journals import altered
from tests.support.seeding import seeded

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.db"


async def opened(path: Path | str, edition: str = "sproutgigs", **options) -> JournalWriter:
    one = JournalWriter(Journal(path), account="a", edition=edition, **options)
    await one.open()
    return one


STATES = [state for state in JournalState if state not in ("would_rate", "withdrawn")]


async def filled(path: Path | str, *, edition: str = "sproutgigs", days_ago: float = 1000) -> None:
    """A rating of a dollar and five cents in each state, all so many days old."""
    one = await opened(path, edition)
    entries = {
        state: Entry(Rating("j", state.value, "ok", bonus=1, revision_number=0), "w", Decimal("0.05"))
        for state in STATES
    }
    await one.decide([entries[JournalState.DECIDED]])
    await one.send([entry for state, entry in entries.items() if state != "decided"])
    await one.conclude(
        [
            (entry.rating, state, f"it is {state}")
            for state, entry in entries.items()
            if state not in ("decided", "sent")
        ]
    )
    await one.aclose()
    for column in ("decided_at", "sent_at", "ended_at"):
        altered(path, f"UPDATE ratings SET {column} = {column} - ?", [(days_ago * 86_400,)])


async def spent(path: Path | str) -> Spent:
    one = await opened(path)
    try:
        return await one.spent(None)
    finally:
        await one.aclose()


async def test_what_ended_long_ago_is_pruned_and_still_counts_as_spent(place: str) -> None:
    await filled(place)
    before, paid = await spent(place), Journal(place).bonus_paid()
    assert before == Spent(3, Decimal(3), Decimal("0.15"))
    assert Journal(place).prune() == 3
    assert Journal(place).counts() == {"decided": 1, "sent": 1, "unknown": 1}
    assert await spent(place) == before
    assert Journal(place).bonus_paid() == paid == 1
    assert Journal(place).prune() == 0
    assert await spent(place) == before


@pytest.mark.parametrize(("edition", "days"), [("picoworkers", 37), ("sproutgigs", 120)])
async def test_by_itself_it_prunes_only_what_can_be_listed_no_more(path: Path, edition: str, days: int) -> None:
    await filled(path, edition=edition, days_ago=days - 0.1)
    assert Journal(path).prune() == 0
    await filled(path.with_name("older.db"), edition=edition, days_ago=days + 0.1)
    assert Journal(path.with_name("older.db")).prune() == 3


async def test_it_prunes_before_a_moment_that_is_given(place: str) -> None:
    await filled(place, days_ago=2)
    now = datetime.now(UTC)
    assert Journal(place).prune(now - timedelta(days=3)) == 0
    assert Journal(place).prune(now - timedelta(days=1)) == 3
    for wrong in (now + timedelta(days=1), datetime(2020, 1, 1), 5.0):
        with pytest.raises(InvalidRequestError, match="before"):
            Journal(place).prune(wrong)  # type: ignore[arg-type]


async def test_an_edition_that_is_not_known_needs_a_moment(place: str) -> None:
    await filled(place, edition="e")
    with pytest.raises(JournalError, match="name a moment"):
        Journal(place).prune()
    assert Journal(place).prune(datetime.now(UTC)) == 3


@pytest.mark.virtual_time
async def test_what_was_refused_is_reopened_and_paid(connect, edition: Edition, place: str) -> None:
    sandbox, _ = seeded(6, edition=edition)
    # Of which nobody knows that money is lacking.
    unaware = attrs.evolve(edition, lacks_money=())
    sandbox.balance = Decimal(0)
    asked: list[str] = []

    def decide(task: Task) -> Rating:
        asked.append(task.id)
        return Rating.ok(task, bonus=1)

    async with connect(sandbox, edition=unaware) as pico:
        first = await pico.review_all(decide, journal=place)
        assert (first.rated, first.refused) == (0, 6)
        (message,) = {row.message for row in Journal(place).rows()}
        sandbox.balance = Decimal(1000)
        assert (await pico.review_all(decide, journal=place)).total == 0
        assert Journal(place).reopen(message="nothing like it") == 0
        assert Journal(place).reopen(job_id="nothing like it") == 0
        assert Journal(place).reopen(message=message) == 6
        assert Journal(place).counts() == {"decided": 6}
        second = await pico.review_all(decide, journal=place)
    assert (second.rated, len(asked), sandbox.double_ratings) == (6, 6, 0)


@pytest.mark.virtual_time
async def test_decisions_that_are_taken_back_are_asked_about_anew(connect, edition: Edition, place: str) -> None:
    sandbox, ratings = seeded(3, edition=edition)
    async with connect(sandbox) as pico:
        record = JournalWriter(Journal(place), account=pico._session.account, edition=edition.name)
        await record.open()
        await record.decide([Entry(rating) for rating in ratings])
        await record.aclose()
        assert Journal(place).withdraw() == 3
        assert Journal(place).counts() == {"withdrawn": 3}
        report = await pico.review_all(lambda task: Rating.ok(task, bonus="0.20"), journal=place)
    assert (report.rated, report.bonus) == (3, Decimal("0.60"))
    assert Journal(place).counts() == {"rated": 3}


@pytest.mark.parametrize("state", ["sent", "unknown", "rated", "decided", "withdrawn", "nonsense", None])
async def test_what_may_have_taken_effect_is_never_reopened(path: Path, state: str) -> None:
    await filled(path)
    with pytest.raises(InvalidRequestError, match="state"):
        Journal(path).reopen(state)
    assert Journal(path).counts() == dict.fromkeys(STATES, 1)


@pytest.mark.parametrize("state", ["sent", "unknown", "rated", "refused", "nonsense", None])
async def test_only_what_was_not_sent_is_withdrawn(place: str, state: str) -> None:
    await filled(place)
    with pytest.raises(InvalidRequestError, match="state"):
        Journal(place).withdraw(state)
    assert Journal(place).withdraw() == 1
    assert Journal(place).withdraw() == 0


ACTS: list[Callable[[Journal], int]] = [Journal.prune, Journal.reopen, Journal.withdraw]


@pytest.mark.parametrize("act", ACTS)
async def test_what_a_running_batch_holds_is_not_touched(place: str, act: Callable[[Journal], int]) -> None:
    await filled(place)
    one = await opened(place)
    with pytest.raises(JournalBusyError, match="another batch"):
        act(Journal(place))
    await one.aclose()
    assert act(Journal(place)) >= 1


@pytest.mark.parametrize("act", ACTS)
async def test_a_journal_of_a_killed_batch_is_looked_after_and_opened_again(
    path: Path, act: Callable[[Journal], int]
) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE meta SET value = '0' WHERE name = 'closed'")
        database.commit()
    path.with_name(path.name + "-wal").touch()
    assert act(Journal(path)) >= 1
    await (await opened(path)).aclose()


@pytest.mark.parametrize("act", ACTS)
def test_a_file_that_is_not_there_is_not_made(path: Path, act: Callable[[Journal], int]) -> None:
    with pytest.raises(JournalError, match="no such file"):
        act(Journal(path))
    assert not path.exists()


async def test_whoever_has_it_open_is_told_apart_from_a_full_disk_and_from_what_is_no_journal(path: Path) -> None:
    one = await opened(path)
    with pytest.raises(JournalBusyError):
        await opened(path)
    one._store.database.execute("PRAGMA max_page_count = 1")
    long = [Entry(Rating("j", f"t{n}", "not_ok", comment="x" * 5000)) for n in range(5)]
    with pytest.raises(JournalFullError, match="disk is full"):
        await one.decide(long)
    await one.aclose()
    with pytest.raises(JournalFullError), journal_errors(path):
        raise OSError(28, "No space left on device")
    other = path.with_name("other.db")
    sqlite3.connect(other).executescript("CREATE TABLE t (a);").connection.close()
    with pytest.raises(NotAJournalError):
        await opened(other)
    with pytest.raises(NotAJournalError):
        list(Journal(other).rows())
    other.write_text("these are not the ratings you are looking for" * 100)
    with pytest.raises(NotAJournalError):
        await opened(other)
    await filled(other.with_name("damaged.db"))
    content = bytearray(other.with_name("damaged.db").read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    other.with_name("damaged.db").write_bytes(content)
    with pytest.raises(JournalDamagedError):
        await opened(other.with_name("damaged.db"))


@pytest.mark.parametrize("first", [False, True])
async def test_the_journal_of_a_dry_run_is_no_real_ones_nor_the_other_way_round(place: str, first: bool) -> None:
    await (await opened(place, dry_run=first)).aclose()
    with pytest.raises(JournalError, match="dry run"):
        await opened(place, dry_run=not first)
    await (await opened(place, dry_run=first)).aclose()


async def test_a_dry_run_notes_what_it_would_rate_and_counts_it_as_spent(place: str) -> None:
    entry = Entry(Rating("j", "t", "ok", bonus=1, revision_number=0), "w", Decimal("0.05"))
    one = await opened(place, dry_run=True)
    await one.decide([entry])
    assert await one.send([entry]) == [None]
    await one.conclude([(entry.rating, JournalState.WOULD_RATE, None)])
    assert await one.unfinished(None) == []
    assert await one.spent(None) == Spent(1, Decimal(1), Decimal("0.05"))
    (before,) = await one.send([entry])
    await one.aclose()
    assert before is not None
    assert before.state is JournalState.WOULD_RATE
    assert Journal(place).counts() == {"would_rate": 1}
    assert Journal(place).bonus_paid() == 0
