"""Any text comes back as it was, and no program that opens the file runs it."""

from __future__ import annotations

import csv
import io
import itertools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio
import hypothesis.strategies as st
import openpyxl
import pytest
from hypothesis import example, given, settings

from picoworkers_async import AsyncPicoworkers, Rating, Task, TaskProof, sheets
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.sheets.cells import MOST_UNITS, escaped, guarded, split, unescaped, unguarded, units
from picoworkers_async.sheets.writing import open_writer

FORMATS = ["csv", "jsonl", "xlsx"]
HOSTILE = [
    *(
        "=cmd|' /C calc'!A0",
        "+1",
        'x;"=1+1;',
        'x\t"=1+1\t',
        'x\n"=HYPERLINK("http://e/";"a")',
        ';"@SUM(1)',
        "-1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "'=1",
        " =1",
        "<r><t>x</t></r>",
    ),
    *(
        "_x0041_",
        "_x005F_",
        "_x005F_x0041_",
        "\x00",
        "\ud800",
        "\ufffe",
        "a\r\nb",
        "a\rb",
        " a ",
        '"',
        ";,\t",
        "0012",
    ),
    *(
        "]]>",
        "&amp;",
        "\x1b[31m",
        "1.5E+13",
        "\u202eabc",
        "TRUE",
        "x",
        "a;=1",
        "a\t+1;;@x",
        "a\n- b",
        ";'",
        "';'",
        "a; =1;''",
        "x\r\u2003=1",
    ),
]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(HOSTILE)
BLANKS = " \t\r\n\xa0\u2007\u202f\u200b\ufeff\v\f\x85\u2028\u2029\u3000"


def can_be_sent(text: str) -> bool:
    """Whether a text can be a comment: not blank, without NUL and lone surrogates."""
    is_text = not any(one == "\x00" or "\ud800" <= one <= "\udfff" for one in text)
    return is_text and bool(text.strip(BLANKS).strip())


def exported(folder: Path, kind: str, tasks: Sequence[Task]) -> Path:
    path = folder / f"sheet.{kind}"

    async def run() -> None:
        async with AsyncPicoworkers("user_id", "api_secret", transport=Sandbox().transport()) as pico:
            await sheets.export(pico, path, tasks=tasks)

    anyio.run(run)
    return path


@pytest.mark.parametrize("kind", FORMATS)
@given(texts=st.lists(st.lists(ANY_TEXT, max_size=3), min_size=1, max_size=4), worker=ANY_TEXT)
@example(texts=[["=1", "'", ""], [], ["\r", "\n", "\x00"]], worker="=1")
@settings(max_examples=25)
def test_any_proof_and_worker_come_back_as_they_were(kind: str, texts: list[list[str]], worker: str) -> None:
    tasks = [
        Task(f"{number:014}", None, worker, proofs=tuple(map(TaskProof, proofs)))
        for number, proofs in enumerate(texts)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = exported(Path(folder), kind, tasks)
        rows = list(sheets.rows(path))
        assert [row.cells["TASK_ID"] for row in rows] == [task.id for task in tasks]
        most = max(map(len, texts))
        for row, proofs in zip(rows, texts, strict=True):
            found = [row.cells[f"PROOF_{number}"] for number in range(1, most + 1)]
            assert found == proofs + [""] * (most - len(proofs))
            assert row.cells["WORKER_ID"] == worker
        if kind == "csv":
            _no_cell_of_the_csv_is_a_formula(path)
        elif kind == "xlsx":
            _each_cell_of_the_workbook_is_a_text(path)


def _no_cell_of_the_csv_is_a_formula(path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    assert "\x00" not in text
    # As a program reads it that takes another delimiter than the file has, whatever it makes of quotes then.
    ways = [(",", csv.QUOTE_MINIMAL), *itertools.product(";\t", (csv.QUOTE_MINIMAL, csv.QUOTE_NONE))]
    for delimiter, quoting in ways:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting):
            assert not any(
                cell.lstrip(BLANKS + ' "').startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20")) for cell in row
            )


def _each_cell_of_the_workbook_is_a_text(path: Path) -> None:
    for row in openpyxl.load_workbook(path).active.iter_rows():
        assert {cell.data_type for cell in row if cell.value is not None} <= {"s", "inlineStr"}


@pytest.mark.parametrize("kind", FORMATS)
@given(comment=ANY_TEXT.filter(can_be_sent))
@settings(max_examples=25)
def test_any_comment_that_is_filled_in_is_sent_as_it_is(kind: str, comment: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sheet.{kind}"
        row = {"JOB_ID": "j", "TASK_ID": "t", "NOT_SATISFIED": "x", "EMPLOYER_COMMENT": comment}
        if kind == "jsonl":
            path.write_text(json.dumps(row))
        elif kind == "csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([row.keys(), row.values()])
        else:
            with path.open("wb") as opened, open_writer("xlsx", opened, list(row)) as write:
                write(list(row.values()))
        assert list(sheets.read(path)) == [Rating("j", "t", "not_ok", comment=comment)]


@given(st.text(st.characters(exclude_categories=())) | ANY_TEXT, st.booleans())
def test_what_is_escaped_and_guarded_comes_back(text: str, returns: bool) -> None:
    written = guarded(escaped(text, carriage_returns=returns))
    assert unescaped(unguarded(written)) == text
    if returns:
        assert "\r" not in written


@given(st.text(st.sampled_from("a\x00\U0001f600_x\r"), min_size=1), st.integers(1, 9_000))
@settings(max_examples=8)
def test_a_long_text_is_split_so_that_each_piece_fits_a_cell(text: str, times: int) -> None:
    pieces = list(split(text * times))
    assert "".join(pieces) == text * times
    assert all(units(guarded(escaped(piece, carriage_returns=True))) <= MOST_UNITS for piece in pieces)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_proof_too_long_for_a_cell_goes_on_in_others(tmp_path: Path, kind: str) -> None:
    long = "=" + "ab\n\U0001f600" * 20_000
    tasks = [
        Task("t1", "j", proofs=(TaskProof("short"), TaskProof(long))),
        Task("t2", "j", proofs=(TaskProof(long),)),
    ]
    path = exported(tmp_path, kind, tasks)
    assert [row.cells["PROOF_2"] for row in sheets.rows(path)] == [long, ""]
    assert [row.cells["PROOF_1"] for row in sheets.rows(path)] == ["short", long]
    assert sheets.check(path).left_alone == 2


def test_ids_that_a_spreadsheet_program_would_change_are_guarded_in_a_csv(tmp_path: Path) -> None:
    ids = ["00012", "15000000000000", "1234e567", "99900012abcd1f", "1-2"]
    path = exported(tmp_path, "csv", [Task(name, "j") for name in ids])
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [row["TASK_ID"] for row in csv.DictReader(file)] == [
            "'00012", "'15000000000000", "'1234e567", "99900012abcd1f", "'1-2"
        ]  # fmt: skip
    path.write_text(path.read_text("utf-8-sig").replace(",,,,,,,,\n", ",x,,,,,,,\n"))
    assert [rating.task_id for rating in sheets.read(path)] == ids
