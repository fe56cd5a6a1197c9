"""A row is about what its worker had handed in when the sheet was made: what changed since is left out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from picoworkers_async import Rating, sheets
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.sheets import StaleRow, comparing
from tests.sheets.test_story import ledger_of

pytestmark = pytest.mark.anyio
HEAD = "JOB_ID,TASK_ID,REVISION_NUMBER,SATISFIED,BONUS_AMOUNT\n"


def written(path: Path, *rows: tuple[str, str, object, str]) -> Path:
    path.write_text(HEAD + "".join(f"{job},{task},{revision},x,{bonus}\n" for job, task, revision, bonus in rows))
    return path


async def test_rows_handed_in_anew_and_rows_that_wait_no_more_are_left_out(
    edition: Any, connect: Any, tmp_path: Path
) -> None:
    sandbox = Sandbox(edition=edition, balance=10**6, page_size=4)
    job, other = sandbox.add_job(num_tasks=100), sandbox.add_job(num_tasks=100)
    again, gone, good, *_ = sandbox.add_tasks(job, 30)
    untold, theirs, *_ = sandbox.add_tasks(other, 9)
    sandbox.withdraw(gone)
    async with connect(sandbox) as pico:
        for task_id, job_id in ((again, job), (untold, other)):
            await pico.jobs.rate_single_task(Rating(job_id, task_id, "revise", comment="Which year?"))
            sandbox.resubmit(task_id)
        rated = set(ledger_of(sandbox))
        rows = [(job, again, 0, "9"), (other, theirs, 0, ""), (job, gone, 0, "2"), (other, untold, "N/A", "0.1")]
        path = written(tmp_path / "s.csv", *rows, (job, good, 0, "0.05"), (job, good, 0, "0.05"))
        found = await sheets.compare(pico, sheets.read(path))
        report = await pico.rate_all(found.ratings)
    assert (found.changed, found.gone, found.unread) == (1, 1, 0)
    assert found.rows == (StaleRow(2, job, again, 1), StaleRow(4, job, gone, None))
    summary = found.ratings.summary
    assert (summary.ratings, summary.bonuses, summary.repeated) == (3, Decimal("0.15"), 1)
    assert summary.largest_bonus == sheets.HighBonus(5, Decimal("0.1"))
    assert (summary.high_bonuses, summary.high_bonus_count) == ((), 0)
    assert report.rated == 3
    decided = {task_id for (task_id, _), (verdict, _) in sandbox.decisions().items() if verdict == "ok"}
    assert decided == {theirs, untold, good}
    assert rated == {again, untold}


async def test_what_the_journal_has_as_sent_is_not_looked_at_and_stays(
    edition: Any, connect: Any, tmp_path: Path
) -> None:
    sandbox = Sandbox(edition=edition, balance=10**6)
    job = sandbox.add_job(num_tasks=100)
    first, second = sandbox.add_tasks(job, 2)
    journal = tmp_path / "s.db"
    path = written(tmp_path / "s.csv", (job, first, 0, ""), (job, second, 0, ""))
    async with connect(sandbox) as pico:
        await pico.rate_all([Rating(job, first, "ok", revision_number=0)], journal=journal)
        found = await sheets.compare(pico, sheets.read(path), journal=journal)
        assert (found.gone, found.ratings.summary.ratings) == (0, 2)
        await pico.rate_all(found.ratings, journal=journal)
        asked = len(sandbox.requests)
        again = await sheets.compare(pico, sheets.read(path), journal=journal)
    assert (again.gone, again.ratings.summary.ratings) == (0, 2)
    assert len(sandbox.requests) == asked


async def test_nothing_is_left_out_where_nothing_can_be_told(edition: Any, connect: Any, tmp_path: Path) -> None:
    sandbox = Sandbox(edition=edition, balance=10**6, page_size=2, page_lies=1.0)
    job = sandbox.add_job(num_tasks=100)
    taken, *_ = sandbox.add_tasks(job, 9)
    sandbox.withdraw(taken)
    path = written(tmp_path / "s.csv", ("gone", "t1", 0, ""), (job, taken, 0, ""))
    async with connect(sandbox) as pico:
        found = await sheets.compare(pico, sheets.read(path))
    assert (found.changed, found.gone, found.unread, found.ratings.summary.ratings) == (0, 0, 2, 2)


async def test_many_rows_take_few_requests(
    edition: Any, connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(edition=edition, balance=10**6, page_size=1000)
    jobs = [sandbox.add_job(num_tasks=1000) for _ in range(2)]
    pairs = zip(*(sandbox.add_tasks(job, 450) for job in jobs), strict=True)
    mixed = [one for pair in pairs for one in zip(jobs, pair, strict=True)]
    path = written(tmp_path / "s.csv", *((job, task_id, 0, "") for job, task_id in mixed))
    async with connect(sandbox) as pico:
        found = await sheets.compare(pico, sheets.read(path))
        by_ids = comparing.most_looked_up(edition) is not None
        assert len(sandbox.requests) == (4 if by_ids else 2)
        monkeypatch.setattr(comparing, "MOST_HELD", 300)
        await sheets.compare(pico, sheets.read(path))
        assert len(sandbox.requests) - (4 if by_ids else 2) == 6
    assert found.ratings.summary.ratings == 900
