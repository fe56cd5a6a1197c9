"""examples/human: sheets go out, come back filled in, and are rated once each."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from picoworkers_async.sandbox import Faults, Sandbox

from .programs import command_of, copy_of, ended, environment, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


def fill_in(sheet: Path, filled: Path, marks: dict[int, dict[str, object]]) -> None:
    """Put values into columns of rows, counted from the first task, as a person would."""
    book = openpyxl.load_workbook(sheet)
    rows = book.active
    columns = {cell.value: cell.column for cell in rows[1]}
    for number, cells in marks.items():
        for column, value in cells.items():
            rows.cell(number + 2, columns[column]).value = value
    book.save(filled)


@pytest.mark.story
async def test_what_people_filled_in_is_rated_once_and_what_they_left_comes_again(tmp_path: Path) -> None:
    folder, command = copy_of("human", tmp_path), command_of("human")
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(task_value="0.10"), 4)
    async with sandbox.serve() as url:
        env = environment(url, tmp_path, PICOWORKERS_EDITION="picoworkers")
        first = await ended(command, folder, env)
        assert (first.code, "tasks: 4, jobs: 1" in first.out) == (0, True), first
        (sheet,) = (folder / "todo").iterdir()
        verdicts: dict[int, dict[str, object]] = {
            0: {"SATISFIED": "x", "BONUS_AMOUNT": "0.05"},
            1: {"NOT_SATISFIED": "x", "EMPLOYER_COMMENT": "A copy"},
        }
        fill_in(sheet, folder / "filled" / "one.xlsx", verdicts)
        fill_in(sheet, folder / "filled" / "two.xlsx", {0: {"SATISFIED": "x", "BONUS_AMOUNT": "0.05"}})
        fill_in(sheet, folder / "filled" / "wrong.xlsx", {2: {"NOT_SATISFIED": "x"}})
        second = await ended(command, folder, env)
    assert (second.code, "tasks: 2, jobs: 1" in second.out) == (1, True), second
    assert "EMPLOYER_COMMENT" in second.err
    assert [path.name for path in (folder / "filled").iterdir()] == ["wrong.xlsx"]
    assert len(list((folder / "done").iterdir())) == 2
    assert len(sandbox.ledger) == 2
    assert (sandbox.paid, sandbox.bonus_paid, sandbox.double_ratings) == (Decimal("0.10"), Decimal("0.05"), 0)
    table = list(csv.DictReader((folder / "paid.csv").read_text(encoding="utf-8").splitlines()))
    assert (table[0]["rated"], table[0]["bonus"]) == ("2", "0.05")


def csv_of(*task_ids: str, job_id: str) -> str:
    return "JOB_ID,TASK_ID,SATISFIED\n" + "".join(f"{job_id},{task_id},x\n" for task_id in task_ids)


@pytest.mark.story
async def test_a_sheet_that_grows_while_it_is_rated_is_taken_again_and_what_is_no_sheet_is_named(
    tmp_path: Path,
) -> None:
    folder, command = copy_of("human", tmp_path), command_of("human")
    sandbox = Sandbox(edition="sproutgigs")
    job_id = sandbox.add_job()
    first, second, third = sandbox.add_tasks(job_id, 3)
    filled = folder / "filled"
    filled.mkdir()
    (filled / "LOUD.CSV").write_text(csv_of(first, job_id=job_id), encoding="utf-8")
    (filled / "slow.csv").write_text(csv_of(second, job_id=job_id), encoding="utf-8")
    (filled / "other.ods").write_bytes(b"of another program")
    (filled / "folder.csv").mkdir()
    async with sandbox.serve() as url:
        env = environment(url, tmp_path)
        sandbox.faults = Faults(slow=1.0, slow_seconds=3, only="rate_multiple_tasks")
        async with running(command, folder, env) as process:
            await until(lambda: len(sandbox.ledger) == 2)
            with (filled / "slow.csv").open("a", encoding="utf-8") as sheet:
                sheet.write(f"{job_id},{third},x\n")
            assert await process.wait() == 1, (folder / "err").read_text()
        told = (folder / "out").read_text() + (folder / "err").read_text()
        assert all(f"filled/{name}: " in told for name in ("slow.csv", "other.ods", "folder.csv")), told
        assert sorted(path.name for path in filled.iterdir()) == ["folder.csv", "other.ods", "slow.csv"]
        sandbox.faults = Faults()
        await ended(command, folder, env)
    assert sorted(path.name for path in filled.iterdir()) == ["folder.csv", "other.ods"]
    assert (len(sandbox.ledger), sandbox.double_ratings) == (3, 0)


@pytest.mark.story
async def test_a_sheet_that_somebody_has_begun_to_fill_in_is_left_as_it_is(tmp_path: Path) -> None:
    folder, command = copy_of("human", tmp_path), command_of("human")
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 1)
    async with sandbox.serve() as url:
        env = environment(url, tmp_path, PICOWORKERS_EDITION="picoworkers")
        await ended(command, folder, env)
        (begun,) = (folder / "todo").iterdir()
        begun.write_bytes(b"the work of a person")
        again = await ended(command, folder, env)
    assert (again.code, begun.read_bytes()) == (0, b"the work of a person"), again
