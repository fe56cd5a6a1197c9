"""Two different ratings of one task in one input: a conflict, whatever the edition, with a journal or without."""

from __future__ import annotations

from pathlib import Path

import pytest

from picoworkers_async import ConflictError, Edition, Outcome, OutcomeStatus, Rating, Throttle
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


@pytest.fixture(params=[False, True], ids=["no journal", "journal"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "ratings.db" if request.param else None


@pytest.mark.parametrize("between", [0, 40])
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_another_rating_of_the_same_task_fails_and_names_both(
    connect, edition: Edition, journal: Path | None, concurrency: int, between: int
) -> None:
    sandbox, (first, *others) = seeded(41, edition=edition)
    second = Rating(first.job_id, first.task_id, "not_ok", comment="bad", revision_number=0)
    given = [first, *others[:between], second]
    async with (
        connect(sandbox, throttle=Throttle(concurrency)) as pico,
        pico.rate(given, journal=journal) as batch,
    ):
        outcomes = [outcome async for outcome in batch]
    (failed,) = [outcome for outcome in outcomes if outcome.status is OutcomeStatus.FAILED]
    assert isinstance(failed.error, ConflictError)
    assert (failed.error.first, failed.error.second, failed.rating) == (first, second, second)
    assert "ok" in str(failed.error)
    assert "bad" in str(failed.error)
    assert len(sandbox.ledger) == between + 1
    assert (first.task_id, 0) in sandbox.decisions()
    assert sandbox.double_ratings == 0


@pytest.mark.parametrize("differs", ["bonus", "comment", "block_worker", "satisfaction"])
async def test_it_need_not_be_the_verdict_that_differs(connect, edition: Edition, differs: str) -> None:
    sandbox, (first, *_) = seeded(1, edition=edition)
    other = {"bonus": "0.20", "comment": "well done", "block_worker": True, "satisfaction": "good"}[differs]
    second = Rating(first.job_id, first.task_id, "ok", **{"bonus": "0.10", differs: other})  # type: ignore[arg-type]
    async with connect(sandbox) as pico:
        report = await pico.rate_all([first, second])
    assert (report.rated, report.failed) == (1, 1)
    assert isinstance(report.outcomes_by_status[OutcomeStatus.FAILED][0].error, ConflictError)


async def test_the_same_rating_written_otherwise_is_no_conflict(
    connect, edition: Edition, journal: Path | None
) -> None:
    sandbox, (first, *_) = seeded(1, edition=edition)
    same = Rating(first.job_id, first.task_id, "ok", bonus="0.100", list_id=0, block_worker=False)
    async with connect(sandbox) as pico, pico.rate([first, same], journal=journal) as batch:
        outcomes: list[Outcome] = [outcome async for outcome in batch]
    assert not any(isinstance(outcome.error, ConflictError) for outcome in outcomes)
    assert sandbox.double_ratings == 0


async def test_a_rating_of_an_earlier_run_stands_and_is_no_conflict(
    connect, edition: Edition, tmp_path: Path
) -> None:
    sandbox, (first, *_) = seeded(1, edition=edition)
    other = Rating(first.job_id, first.task_id, "not_ok", comment="bad", revision_number=0)
    async with connect(sandbox) as pico:
        await pico.rate_all([first], journal=tmp_path / "ratings.db")
        async with pico.rate([other], journal=tmp_path / "ratings.db") as batch:
            (outcome,) = [outcome async for outcome in batch]
    assert (outcome.status, outcome.replayed, outcome.rating) == (OutcomeStatus.RATED, True, first)


async def test_another_revision_is_other_work(connect, edition: Edition) -> None:
    sandbox, (first, *_) = seeded(1, edition=edition)
    again = Rating(first.job_id, first.task_id, "not_ok", comment="bad", revision_number=1)
    back = Rating(first.job_id, first.task_id, "revise", comment="once more", revision_number=0)
    async with connect(sandbox) as pico, pico.rate([back, again]) as batch:
        outcomes = [outcome async for outcome in batch]
    assert not any(isinstance(outcome.error, ConflictError) for outcome in outcomes)
