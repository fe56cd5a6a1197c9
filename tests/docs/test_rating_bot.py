"""The bot and the recipe of docs/how-to/rating-bot.md run as they stand, against a sandbox over real HTTP."""

from __future__ import annotations

import csv
import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from picoworkers_async import Journal, JournalState
from picoworkers_async.sandbox import Sandbox

from .pages import ROOT, programs

pytestmark = pytest.mark.anyio

BOT, RECIPE = programs("docs/how-to/rating-bot.md")


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PICOWORKERS_USER_ID": "user_id",
        "PICOWORKERS_API_SECRET": "api_secret",
        "PICOWORKERS_BASE_URL": url,
    }


async def ended(folder: Path, url: str, *arguments: str) -> tuple[int, str]:
    """The exit code of a program of this folder, and what it said."""
    command = [sys.executable, *arguments]
    with anyio.fail_after(60):
        done = await anyio.run_process(command, cwd=folder, env=environment(url), check=False)
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.story
async def test_the_bot_rates_until_it_is_stopped_and_its_journal_tells_what_was_paid(
    tmp_path: Path,
) -> None:
    sandbox = Sandbox(page_size=50)
    ids = sandbox.add_tasks(sandbox.add_job(task_value="0.10"), 25)
    sandbox.refuse(ids[0], "Not this one.")
    (tmp_path / "bot.py").write_text(BOT)
    (tmp_path / "paid.py").write_text(RECIPE)
    async with sandbox.serve() as url:
        command = [sys.executable, "-u", "bot.py"]
        async with await anyio.open_process(command, cwd=tmp_path, env=environment(url)) as process:
            assert process.stdout is not None
            said = ""
            with anyio.fail_after(60):
                while "Not this one." not in said:
                    said += (await process.stdout.receive()).decode()
                while len(sandbox.ledger) < 24:  # noqa: ASYNC110
                    await anyio.sleep(0.02)
                process.send_signal(signal.SIGTERM)
                said += b"".join([part async for part in process.stdout]).decode()
                assert await process.wait() == 0
        assert "24 rated, 1 refused" in said
        journal = Journal(tmp_path / "ratings.db")
        assert journal.counts() == {JournalState.RATED: 24, JournalState.REFUSED: 1}

        code, said = await ended(tmp_path, url, "paid.py")
        assert code == 0
    table = list(csv.reader(said.splitlines()))
    rows = table[1:25]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert {row[3] for row in rows} == set(ids[1:])
    assert sum(Decimal(row[-1]) for row in rows) == sandbox.paid + sandbox.bonus_paid == Decimal("3.60")
    assert len({row[1] for row in rows}) == 10
    headings = [row for row in table if not row[-1][-1].isdigit()]
    assert [row[0] for row in headings] == ["sent_at", "day", "day", "worker"]
    days = table[table.index(headings[1]) + 1 : table.index(headings[2])]
    assert sum(Decimal(row[-1]) for row in days) == Decimal("3.60")
