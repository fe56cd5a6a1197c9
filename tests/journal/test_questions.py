"""What a journal answers: which rows, what they add up to, who runs, what was spent."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from picoworkers_async import (
    Edition,
    InvalidRequestError,
    Journal,
    JournalError,
    JournalProgress,
    JournalSummary,
    OutcomeStatus,
    Rating,
    Task,
)
from picoworkers_async.journal.schema import Entry, Failure, JournalState, Spent
from picoworkers_async.journal.writer import JournalWriter
from tests.support.journals import altered
from tests.support.seeding import seeded

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.db"


async def opened(path: Path | str, **options) -> JournalWriter:
    one = JournalWriter(Journal(path), account="a", edition="sproutgigs", **options)
    await one.open()
    return one


def entry(task_id: str, bonus: str | None = None, pay: str | None = "0.05", **options) -> Entry:
    options.setdefault("job_id", "j")
    rating = Rating(options["job_id"], task_id, "ok", bonus=bonus, revision_number=0)
    return Entry(rating, options.get("worker_id", "w"), None if pay is None else Decimal(pay))


def move(path: str, moments: dict[str, datetime]) -> None:
    """Have tasks be dated by these moments, however they ended."""
    times = {task_id: moment.timestamp() for task_id, moment in moments.items()}
    for column in ("decided_at", "sent_at", "ended_at"):
        rows = [(at, task_id) for task_id, at in times.items()]
        altered(path, f"UPDATE ratings SET {column} = ? WHERE task_id = ? AND {column} IS NOT NULL", rows)


async def filled(path: Path | str) -> None:
    """Two days, two jobs, three workers, and every state that a batch leaves."""
    one = await opened(path)
    entries = [
        entry("rated", "0.10"),
        entry("late", "0.0001", worker_id="v"),
        entry("refused", "5", job_id="k"),
        entry("unknown", "1", pay=None, job_id="k", worker_id=None),
        entry("sent", "2", job_id="k"),
    ]
    await one.decide([entry("decided", "9")])
    await one.send(entries)
    await one.conclude(
        [
            (entries[0].rating, JournalState.RATED, "Task rated successfully."),
            (entries[1].rating, JournalState.RATED, None),
            (entries[2].rating, JournalState.REFUSED, "Insufficient funds."),
            (entries[3].rating, JournalState.UNKNOWN, None),
        ]
    )
    await one.failed([Failure(("k", "failed", 0), "v", None, "decide raised KeyError: 'x'")])
    await one.aclose()
    tasks = ["rated", "refused", "unknown", "sent", "decided", "failed"]
    move(path, {**dict.fromkeys(tasks, MONDAY), "late": MONDAY + timedelta(hours=3)})


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["decided", "late", "rated", "failed", "refused", "sent", "unknown"]),
        ({"state": "rated"}, ["late", "rated"]),
        ({"state": JournalState.FAILED}, ["failed"]),
        ({"since": MONDAY + timedelta(seconds=1)}, ["late"]),
        ({"since": MONDAY, "until": MONDAY + timedelta(hours=3), "job_id": "j"}, ["decided", "rated"]),
        ({"until": MONDAY}, []),
        ({"worker_id": "v"}, ["late", "failed"]),
        ({"message": "funds"}, ["refused"]),
        ({"message": "%"}, []),
        ({"job_id": "k", "state": "sent"}, ["sent"]),
        ({"order": "time"}, ["decided", "rated", "failed", "refused", "sent", "unknown", "late"]),
    ],
)
async def test_the_rows_that_fit_every_filter_are_given(place: str, filters: dict, expected: list[str]) -> None:
    await filled(place)
    assert [row.task_id for row in Journal(place).rows(**filters)] == expected


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"state": "payed"}, "would_rate"),
        ({"since": datetime(2026, 3, 2)}, "time zone"),
        ({"until": 5.0}, "time zone"),
        ({"worker_id": 7}, "a text"),
        ({"message": b"funds"}, "a text"),
        ({"order": "size"}, "task, time"),
    ],
)
def test_a_filter_that_cannot_be_one_is_told_at_once(path: Path, filters: dict, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        Journal(path).rows(**filters)


async def test_a_row_tells_for_whom_what_it_pays_and_when(place: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    one = await opened(place)
    await one.decide([entry("t", "0.10")])
    await one.send([entry("t", "0.10")])
    await one.conclude([(entry("t").rating, JournalState.RATED, "done")])
    await one.aclose()
    (row,) = Journal(place).rows()
    assert (row.job_id, row.task_id, row.revision_number, row.worker_id) == ("j", "t", 0, "w")
    assert (row.pay, row.bonus, row.state, row.message) == (Decimal("0.05"), Decimal("0.10"), "rated", "done")
    assert row.decided_at is not None
    assert row.sent_at is not None
    assert row.ended_at is not None
    assert before < row.decided_at <= row.sent_at <= row.ended_at < before + timedelta(seconds=60)


async def test_days_jobs_and_workers_are_added_up_to_the_cent(place: str) -> None:
    await filled(place)
    journal = Journal(place)
    cents = Decimal("0.05")
    days = [(day.key, day.bonus, day.pay) for day in journal.summary()]
    assert days == [("2026-03-02", Decimal("0.10"), cents), ("2026-03-03", Decimal("0.0001"), cents)]
    assert [day.key for day in journal.summary("day", "Europe/Berlin")] == ["2026-03-02", "2026-03-03"]
    assert [day.key for day in journal.summary("day", "Asia/Kolkata")] == ["2026-03-03"]
    ended = {"failed": 1, "refused": 1, "sent": 1, "unknown": 1}
    assert journal.summary("job") == [
        JournalSummary("j", {JournalState.DECIDED: 1, JournalState.RATED: 2}, Decimal("0.1001"), 2 * cents, 0),
        JournalSummary("k", {JournalState(state): 1 for state in ended}, Decimal(0), Decimal(0), 0),
    ]
    workers = {worker.key: worker for worker in journal.summary("worker")}
    assert set(workers) == {None, "v", "w"}
    assert workers["v"].counts == {"failed": 1, "rated": 1}
    assert workers["w"].bonus == Decimal("0.10")


@pytest.mark.parametrize("wrong", [{"by": "week"}, {"timezone": "Mars/Phobos"}, {"timezone": 3}])
def test_a_summary_by_what_there_is_not_is_told_at_once(path: Path, wrong: dict) -> None:
    with pytest.raises(InvalidRequestError):
        Journal(path).summary(**wrong)


async def test_what_was_spent_is_what_may_have_taken_effect_since_a_time(place: str) -> None:
    await filled(place)
    one = await opened(place)
    later = (MONDAY + timedelta(hours=1)).timestamp()
    assert await one.spent(None) == Spent(4, Decimal("3.1001"), Decimal("0.15"))
    assert await one.spent(later) == Spent(1, Decimal("0.0001"), Decimal("0.05"))
    assert await one.spent(later * 2) == Spent(0, Decimal(0), Decimal(0))
    await one.send([entry("fine", "0.00001", pay="0.123456")])
    assert await one.spent(later + 86_400) == Spent(1, Decimal("0.00001"), Decimal("0.123456"))
    await one.unsend([entry("fine").rating])
    assert (await one.spent(None)).count == 4
    await one.aclose()


async def test_failures_before_anything_was_sent_are_kept_and_asked_about_again(
    connect, edition: Edition, place: str
) -> None:
    sandbox, _ = seeded(3, edition=edition)
    broken = True

    def decide(task: Task) -> Rating:
        if broken and task.id == raises:
            raise KeyError(task.id)
        if broken and task.id == breaks:
            return Rating.not_ok(task, "")
        return Rating.ok(task)

    raises, breaks, _ = sandbox.unrated()
    async with connect(sandbox) as pico:
        first = await pico.review_all(decide, journal=place)
        assert (first.rated, first.failed) == (1, 2)
        rows = {row.task_id: row for row in Journal(place).rows(state="failed")}
        assert set(rows) == {raises, breaks}
        assert rows[raises].rating is None
        assert "decide raised" in str(rows[raises].message)
        assert "comment" in str(rows[breaks].message)
        assert rows[breaks].rating == Rating(rows[breaks].job_id, breaks, "not_ok", comment="", revision_number=0)
        assert {row.sent_at for row in rows.values()} == {None}
        assert all(row.worker_id for row in rows.values())
        broken = False
        second = await pico.review_all(decide, journal=place)
    assert (second.rated, second.failed) == (2, 0)
    assert Journal(place).counts() == {"rated": 3}


@pytest.mark.parametrize(
    "wrong",
    [
        Rating("j", "t", "perhaps"),
        Rating("j", "t", "ok", list_id=2**70),
        Rating("j", "t", "ok", comment="\ud800"),
        Rating("j", "t", "ok", bonus="much"),
        Rating("j", "t", "ok", satisfaction="splendid"),
        Rating("j", "t", "ok", block_worker="yes"),  # type: ignore[arg-type]
        Rating("j", "\ud800", "ok"),
        Rating("j", 7, "ok"),  # type: ignore[arg-type]
        Rating("j", "t", "ok", bonus="NaN"),
        Rating("j", "t", "ok", bonus="1e30"),
        Rating("j", "t", "ok", revision_number=2**80),
    ],
)
async def test_what_cannot_even_be_kept_harms_nothing(connect, place: str, wrong: Rating) -> None:
    sandbox, ratings = seeded(1)
    async with connect(sandbox) as pico:
        report = await pico.rate_all([wrong, *ratings], journal=place)
    assert (report.rated, report.failed) == (1, 1)
    assert [row.state for row in Journal(place).rows(state="rated")] == ["rated"]
    assert len(list(Journal(place).rows())) in (1, 2)
    assert [row.key for row in Journal(place).summary("job")]


@pytest.mark.virtual_time
async def test_who_runs_and_how_far_it_is_is_told_while_it_runs(connect, edition: Edition, place: str) -> None:
    sandbox, _ = seeded(5, edition=edition)
    journal = Journal(place)
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with connect(sandbox) as pico:
        async with pico.review(Rating.ok, journal=place) as outcomes:
            running = journal.running()
            assert running is not None
            assert (running.kind, running.dry_run) == ("review", False)
            assert before < running.since < before + timedelta(seconds=60)
            assert [outcome.status async for outcome in outcomes] == [OutcomeStatus.RATED] * 5
        assert journal.running() is None
        async with pico.rate([], journal=place):
            running = journal.running()
            assert running is not None
            assert (running.kind, running.progress) == ("rate", JournalProgress())


async def test_progress_goes_along_with_the_last_commit_and_with_others_once_a_second(path: Path) -> None:
    one = await opened(path)
    first, second, third = (entry(name) for name in ("a", "b", "c"))
    one.in_hand = 3
    await one.send([first, second, third])
    one.in_hand = 2
    await one.conclude([(first.rating, JournalState.RATED, None)])
    assert Journal(path).running().progress == JournalProgress(rated=1, waiting=2)  # type: ignore[union-attr]
    one.in_hand = 1
    await one.conclude([(second.rating, JournalState.REFUSED, None)])
    expected = JournalProgress(rated=1, refused=1, waiting=1)
    assert Journal(path).running().progress == expected  # type: ignore[union-attr]
    await one.aclose()


def _run(path: str, ready: multiprocessing.Event) -> None:  # type: ignore[valid-type]
    async def main() -> None:
        await opened(path, kind="review", dry_run=True)
        ready.set()
        await anyio.sleep_forever()

    anyio.run(main)


async def test_a_batch_of_another_process_is_told_until_it_dies(place: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=_run, args=(place, ready))
    other.start()
    await anyio.to_thread.run_sync(ready.wait)
    running = Journal(place).running()
    other.kill()
    await anyio.to_thread.run_sync(other.join)
    assert running is not None
    assert (running.kind, running.dry_run) == ("review", True)
    assert Journal(place).running() is None


def test_a_journal_that_is_not_there_says_what_makes_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none.db")
    for ask in (journal.counts, journal.prune, journal.running):
        with pytest.raises(JournalError, match="the first batch that is given this path as journal= makes it"):
            ask()
