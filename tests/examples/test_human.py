"""examples/human: sheets go out, come back filled in, and are rated once each."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from picoworkers_async.sandbox import Sandbox

from .programs import command_of, copy_of, ended, environment

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
