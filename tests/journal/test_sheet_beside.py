"""A sheet is compared beside a journal in PostgreSQL as beside a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from picoworkers_async import Rating, sheets
from picoworkers_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def test_what_the_journal_has_as_sent_stays_in_the_sheet(connect, address: str, tmp_path: Path) -> None:
    sandbox = Sandbox(balance=10**6)
    job = sandbox.add_job(num_tasks=100)
    first, second = sandbox.add_tasks(job, 2)
    path = tmp_path / "s.csv"
    path.write_text(f"JOB_ID,TASK_ID,SATISFIED\n{job},{first},x\n{job},{second},x\n")
    async with connect(sandbox) as pico:
        before = await sheets.compare(pico, sheets.read(path), journal=address)
        await pico.rate_all([Rating(job, first, "ok")], journal=address)
        after = await sheets.compare(pico, sheets.read(path), journal=address)
    assert (before.gone, before.ratings.summary.ratings) == (0, 2)
    assert (after.gone, after.ratings.summary.ratings) == (0, 2)
