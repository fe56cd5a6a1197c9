"""Export, fill in, rate: the ledger is the sheet, in every format and from the marketplace's own file."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from picoworkers_async import (
    AuthenticationError,
    InvalidRequestError,
    Task,
    TaskProof,
    sheets,
)
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.sandbox.ledger import Kind
from picoworkers_async.sheets import checking

pytestmark = pytest.mark.anyio
FILLED = [
    {"SATISFIED": "x", "BONUS_AMOUNT": "0.05"},
    {
        "NOT_SATISFIED": "X",
        "EMPLOYER_COMMENT": '=no, "this" is; a copy\n\u00e9',
        "SATISFACTION": "dupe",
        "BLOCK_WORKER": "x",
    },
    {"REVISE_TASK": "x", "EMPLOYER_COMMENT": "Which year?"},
    {},
    {"SATISFIED": "x", "SATISFACTION": "Excellent"},
]


def fill(path: Path) -> None:
    """Fill a sheet in as somebody would, with the program for it."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        names = [cell.value for cell in book.active[1]]
        for row in range(2, book.active.max_row + 1):
            for name, value in FILLED[(row - 2) % len(FILLED)].items():
                book.active.cell(row, names.index(name) + 1).value = value
                book.active.cell(row, names.index(name) + 1).data_type = "s"
        book.save(path)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(row | FILLED[number % len(FILLED)] for number, row in enumerate(rows))
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        filled = (json.dumps(row | FILLED[number % len(FILLED)]) for number, row in enumerate(rows))
        path.write_text("\n".join(filled))


def ledger_of(sandbox: Sandbox) -> dict[str, tuple[Any, ...]]:
    entries = [entry for entry in sandbox.ledger if entry.kind is Kind.RATING]
    assert len(entries) == len({entry.task_id for entry in entries})
    return {str(one.task_id): (one.verdict, one.comment or None, one.bonus) for one in entries}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
async def test_the_ledger_is_what_the_sheet_says(kind: str, edition: Any, connect: Any, tmp_path: Path) -> None:
    sandbox = Sandbox(
        edition=edition, balance=10**6, page_size=7, faults=Faults(cut_after=0.1, error_500_after=0.1)
    )
    for pay in ("0.10", "2.50"):
        job_id = sandbox.add_job(num_tasks=100, task_value=pay)
        sandbox.add_tasks(
            job_id, 20, proofs=lambda number: [{"text": f"=proof {number}"}, {"text": "b"}][: 1 + number % 2]
        )
    path, journal = tmp_path / f"sheet.{kind}", tmp_path / "sheet.db"
    async with connect(sandbox, settle_after=0.0) as pico:
        report = await sheets.export(pico, path)
        fill(path)
        ratings = sheets.read(path)
        done = await pico.rate_all(ratings, journal=journal)
        again = await pico.rate_all(sheets.read(path), journal=journal)
    assert (report.rows, report.jobs, report.proofs, report.without_pay) == (40, 2, 2, 0)
    assert (ratings.summary.ratings, ratings.summary.left_alone) == (32, 8)
    assert (done.rated, again.rated) == (32, 32)
    listed = [row.cells["TASK_ID"] for row in sheets.rows(path)]
    expected = {}
    for number, task_id in enumerate(listed):
        cells = FILLED[number % len(FILLED)]
        marks = {"SATISFIED": "ok", "NOT_SATISFIED": "not_ok", "REVISE_TASK": "revise"}
        for verdict in (marks[name] for name in marks if name in cells):
            expected[task_id] = verdict, cells.get("EMPLOYER_COMMENT"), Decimal(cells.get("BONUS_AMOUNT", 0))
    assert ledger_of(sandbox) == expected


async def test_the_marketplaces_own_file_is_rated_as_it_is(edition: Any, connect: Any, tmp_path: Path) -> None:
    sandbox = Sandbox(edition=edition, balance=100)
    job_id = sandbox.add_job()
    paid, refused, back, left = sandbox.add_tasks(job_id, 4)
    text = (
        "Task_Id,Worker_Id,PROOF_1,PROOF_2,PROOF_3,PROOF_4,SATISFIED,NOT_SATISFIED,REVISE_TASK,BLOCK_WORKER,"
        "BONUS_AMOUNT,EMPLOYER_COMMENT,REVISION_NUMBER\r\n"
        f"{paid},w,\u00e9,,,,x,,,,0.05,,N/A\r\n{refused},w,,,,,,X,,x,,Copied,N/A\r\n"
        f"{back},w,,,,,,,x,,,Which year?,0\r\n{left},w,,,,,,,,,,,N/A\r\n"
    )
    path = tmp_path / "tasks.csv"
    path.write_bytes(text.encode("cp1252"))
    async with connect(sandbox) as pico:
        report = await pico.rate_all(sheets.read(path, job_id=job_id), journal=tmp_path / "sheet.db")
    assert report.rated == 3
    assert ledger_of(sandbox) == {
        paid: ("ok", None, Decimal("0.05")),
        refused: ("not_ok", "Copied", Decimal(0)),
        back: ("revise", "Which year?", Decimal(0)),
    }


async def test_a_bad_sheet_rates_nothing(connect: Any, tmp_path: Path) -> None:
    sandbox = Sandbox(balance=100)
    sandbox.add_tasks(sandbox.add_job(), 5)
    path = tmp_path / "sheet.csv"
    async with connect(sandbox) as pico:
        await sheets.export(pico, path)
        fill(path)
        path.write_text(path.read_text("utf-8-sig").replace("0.05", "0,05"))
        with pytest.raises(sheets.SheetError):
            await pico.rate_all(sheets.read(path), journal=tmp_path / "sheet.db")
    assert ledger_of(sandbox) == {}


async def test_a_sheet_that_changes_while_it_is_rated_ends_the_batch_and_its_journal_goes_on(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BLOCK", 100)
    sandbox = Sandbox(balance=10**6)
    job_id = sandbox.add_job(num_tasks=10_000)
    ids = sandbox.add_tasks(job_id, 150)
    path = tmp_path / "sheet.csv"
    text = "JOB_ID,TASK_ID,SATISFIED\n" + "".join(f"{job_id},{task_id},x\n" for task_id in ids)
    path.write_text(text)
    async with connect(sandbox) as pico:
        ratings = sheets.read(path)
        path.write_text(text.replace(f"{ids[-1]},x", f"{ids[-1]},"))
        with pytest.raises(sheets.SheetChangedError) as raised:
            await pico.rate_all(ratings, journal=tmp_path / "sheet.db")
        rated = raised.value.report.rated
        assert 0 < rated <= raised.value.given == 100
        report = await pico.rate_all(sheets.read(path), journal=tmp_path / "sheet.db")
    assert (report.rated, report.replayed) == (149, rated)
    assert set(ledger_of(sandbox)) == set(ids[:-1])


async def test_a_row_of_an_earlier_revision_is_known_by_its_number(connect: Any, tmp_path: Path) -> None:
    sandbox = Sandbox(balance=100)
    (task_id,) = sandbox.add_tasks(sandbox.add_job(), 1)
    path = tmp_path / "sheet.csv"
    async with connect(sandbox) as pico:
        await sheets.export(pico, path)
        fill(path)
        (rating,) = sheets.read(path)
    assert (rating.task_id, rating.revision_number) == (task_id, 0)


async def test_a_file_is_never_replaced_unless_told_and_appears_whole_or_not_at_all(
    connect: Any, tmp_path: Path
) -> None:
    sandbox = Sandbox(balance=100)
    sandbox.add_tasks(sandbox.add_job(), 3)
    path = tmp_path / "sheet.csv"
    path.write_text("mine")
    async with connect(sandbox) as pico:
        with pytest.raises(InvalidRequestError, match="overwrite=True"):
            await sheets.export(pico, path)
        assert path.read_text() == "mine"

        async def failing() -> Any:
            yield Task("t1", proofs=(TaskProof("a"),))
            raise AuthenticationError("jobs.get_unrated_tasks", "no")

        with pytest.raises(AuthenticationError):
            await sheets.export(pico, path, tasks=failing(), overwrite=True)
        assert path.read_text() == "mine"

        async def appearing() -> Any:
            yield Task("t1")
            (tmp_path / "late.csv").write_text("theirs")

        with pytest.raises(InvalidRequestError, match="overwrite=True"):
            await sheets.export(pico, tmp_path / "late.csv", tasks=appearing())
        assert (tmp_path / "late.csv").read_text() == "theirs"
        await sheets.export(pico, path, overwrite=True)
        with pytest.raises(InvalidRequestError, match="not both"):
            await sheets.export(pico, tmp_path / "x.csv", tasks=[], job_id="j")
    assert len(list(sheets.rows(path))) == 3
    assert sorted(one.name for one in tmp_path.iterdir()) == ["late.csv", "sheet.csv"]


async def test_jobs_are_read_once_and_say_what_is_paid_and_when_it_is_due(connect: Any, tmp_path: Path) -> None:
    sandbox = Sandbox(balance=10**6)
    job_id = sandbox.add_job(task_value="0.25", ttr=3)
    other = sandbox.add_job(task_value="1.50")
    sandbox.add_tasks(job_id, 3, finished_at="2026-05-01T10:00:00+00:00")
    sandbox.add_tasks(other, 2)
    path = tmp_path / "sheet.jsonl"
    gone = [Task("t8", "gone"), Task("t9", "gone"), Task("t7")]
    async with connect(sandbox) as pico:
        await sheets.export(pico, path, job_id=job_id)
        first = list(sheets.rows(path))
        calls = len(sandbox.requests)
        report = await sheets.export(pico, path, tasks=gone, overwrite=True)
    assert calls == 2
    assert {row.cells["PAY"] for row in first} == {"0.25"}
    assert {row.cells["RATE_BY"] for row in first} == {"2026-05-04 10:00:00"}
    assert (report.rows, report.jobs, report.without_pay) == (3, 1, 2)


async def test_an_empty_account_gives_a_sheet_without_rows(connect: Any, tmp_path: Path) -> None:
    async with connect(Sandbox()) as pico:
        for kind in ("csv", "jsonl", "xlsx"):
            report = await sheets.export(pico, tmp_path / f"sheet.{kind}")
            assert (report.rows, report.proofs) == (0, 0)
        assert list(sheets.read(tmp_path / "sheet.csv")) == list(sheets.read(tmp_path / "sheet.xlsx")) == []
