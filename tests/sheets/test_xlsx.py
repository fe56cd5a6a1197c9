"""Workbooks as others write them, and those that are written to do harm."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import numbers

from picoworkers_async import Rating, sheets
from picoworkers_async.sheets import SheetError, xlsx_zip

HEAD = ["JOB_ID", "TASK_ID", "SATISFIED", "NOT_SATISFIED", "EMPLOYER_COMMENT", "BONUS_AMOUNT", "BLOCK_WORKER"]


def book_of(path: Path, *rows: list[Any], change: Callable[[Any, Any], None] | None = None) -> Path:
    """A workbook of openpyxl's with these rows below the header."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (HEAD, *rows):
        sheet.append(row)
    if change is not None:
        change(book, sheet)
    book.save(path)
    return path


def problems_of(path: Path, **options: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(SheetError) as raised:
        sheets.check(path, **options)
    return [(problem.path, problem.limit) for problem in raised.value.problems]


def test_numbers_truth_values_and_texts_of_another_program_are_read(tmp_path: Path) -> None:
    path = book_of(
        tmp_path / "b.xlsx",
        ["j", 12345678901234, True, None, None, 0.1 + 0.2, False],
        ["j", "0012", "x", None, 2024, 5, True],
        ["j", "t3", None, " X", "line\nline", "0.05", None],
        ["j", "t4", None, None, None, None, None],
        [None, None, "  ", None, None, None, None],
    )
    ratings = sheets.read(path)
    assert list(ratings) == [
        Rating("j", "12345678901234", "ok", bonus="0.3"),
        Rating("j", "0012", "ok", comment="2024", bonus=5, block_worker=True),
        Rating("j", "t3", "not_ok", comment="line\nline", bonus="0.05"),
    ]
    assert (ratings.summary.rows, ratings.summary.left_alone) == (4, 1)


@pytest.mark.parametrize(
    ("place", "value", "number_format", "remedy"),
    [
        ("F2", 45000, numbers.FORMAT_DATE_DDMMYY, "not a date"),
        ("F2", 45000, 'd". "mmm', "not a date"),
        ("F2", datetime(2026, 5, 1, tzinfo=UTC).replace(tzinfo=None), None, "not a date"),
        ("F2", 0.05, numbers.FORMAT_PERCENTAGE, "not a percentage"),
        ("F2", 0.05, '0.0 "days" %', "not a percentage"),
        ("F2", "#REF!", None, "not an error"),
        ("F2", "=1+1", None, "not a formula without a value"),
        ("F2", True, None, "not TRUE or FALSE"),
        ("F2", 1e-5, None, "at most 4 decimal places"),
        ("B2", 1234567890123456, None, "as text: as a number it was rounded"),
        ("B2", 1.5, None, "as text: as a number it was rounded"),
        ("B2", "=A1", None, "not a formula without a value"),
        ("B2", datetime(2026, 5, 1, tzinfo=UTC).replace(tzinfo=None), None, "not a date"),
        ("C2", 1, None, "x, or nothing"),
        ("C2", "=TRUE()", None, "x, or nothing"),
        ("E2", True, None, "a text, not TRUE"),
    ],
)
def test_a_cell_of_another_kind_is_named(
    tmp_path: Path, place: str, value: object, number_format: str | None, remedy: str
) -> None:
    def change(_: Any, sheet: Any) -> None:
        sheet[place] = value
        if number_format is not None:
            sheet[place].number_format = number_format

    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"], change=change)
    found = problems_of(path)
    column = HEAD["ABCDEF".index(place[0])]
    assert [where for where, _ in found][:1] == [("line", 2, column)]
    assert remedy in found[0][1]


@pytest.mark.parametrize("number_format", ['0.00" USD per day"', "[Red]0.00", "$#,##0.00", "General", "0_d"])
def test_how_money_is_shown_makes_no_date_of_it(tmp_path: Path, number_format: str) -> None:
    def change(_: Any, sheet: Any) -> None:
        sheet["F2"].number_format = number_format

    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x", None, None, 0.25], change=change)
    assert [str(rating.bonus) for rating in sheets.read(path)] == ["0.25"]


def test_hidden_rows_are_rated_and_told(tmp_path: Path) -> None:
    def change(_: Any, sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True

    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"], ["j", "t2", "x"], change=change)
    summary = sheets.check(path)
    assert (summary.ratings, summary.hidden) == (2, 1)
    assert summary.warnings == ("1 of the ratings are in hidden rows",)


def test_merged_cells_over_columns_that_are_read_are_a_problem(tmp_path: Path) -> None:
    def change(_: Any, sheet: Any) -> None:
        sheet.merge_cells("C2:C3")
        sheet.merge_cells("I2:J9")

    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"], ["j", "t2", None], change=change)
    ((where, remedy),) = problems_of(path)
    assert where == ("line", 2, "SATISFIED")
    assert "not merged" in remedy


def test_of_several_sheets_the_one_with_tasks_is_read(tmp_path: Path) -> None:
    def change(book: Any, sheet: Any) -> None:
        notes = book.create_sheet("Notes", 0)
        notes.append(["how to", "fill this in"])
        other = book.create_sheet("Old")
        other.append(HEAD)
        other.append(["j", "old", "x"])
        other.sheet_state = "hidden"
        sheet.title = "New"

    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"], change=change)
    assert [rating.task_id for rating in sheets.read(path)] == ["t1"]
    assert sheets.check(path).sheet == "New"
    assert [rating.task_id for rating in sheets.read(path, sheet="Old")] == ["old"]
    assert "it has 'Notes', 'New', 'Old'" in problems_of(path, sheet="Older")[0][1]


def test_two_sheets_with_tasks_need_a_word_which_is_meant(tmp_path: Path) -> None:
    def change(book: Any, _: Any) -> None:
        book.create_sheet("Second").append(HEAD)

    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"], change=change)
    assert "sheet= to say which sheet is meant: 'Sheet', 'Second'" in problems_of(path)[0][1]


def repacked(path: Path, **parts: bytes) -> Path:
    """The workbook with other parts, by the last words of their names."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, parts.get(Path(name).stem, content))
    return path


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<worksheet><sheetData><row><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""


@pytest.mark.parametrize(
    ("sheet", "remedy"),
    [
        (ENTITIES, "without a document type"),
        (ENTITIES.replace(b'"aaaaaaaaaa"', b'SYSTEM "file:///etc/passwd"'), "without a document type"),
        (b"<worksheet><sheetData><row>", "a whole workbook"),
        (b"<worksheet><sheetData><row r='1'/><row r='1'/></sheetData></worksheet>", "rows in order"),
        (b"<worksheet><sheetData><row r='9999999'/></sheetData></worksheet>", "rows in order"),
        (b"<worksheet><sheetData><row><c r='B1'/><c r='A1'/></row></sheetData></worksheet>", "out of order"),
        (b"<worksheet><sheetData><row><c r='ZZZ1'/></row></sheetData></worksheet>", "out of order"),
        (b"<worksheet><sheetData><row><c t='s'><v>999</v></c></row></sheetData></worksheet>", "string 999 of"),
        (b"<worksheet><sheetData><row><c><v>1</v><v>0</v></c></row></sheetData></worksheet>", "two values"),
        (b"<worksheet><t>" + b"a" * (xlsx_zip.MOST_TEXT + 1) + b"</t></worksheet>", "cells of at most"),
        (b"<worksheet a='" + b"a" * (xlsx_zip.MOST_TOKEN_BYTES + 200_000) + b"'/>", "endless tags"),
    ],
)
def test_a_workbook_that_does_harm_is_refused(tmp_path: Path, sheet: bytes, remedy: str) -> None:
    path = repacked(book_of(tmp_path / "b.xlsx", ["j", "t1", "x"]), sheet1=sheet)
    assert remedy in problems_of(path)[0][1]


@pytest.mark.parametrize(
    "mark",
    [
        b"<c r='C2' t='str'><f>IF(1,\"x\")</f></c>",
        b"<c r='C2' t='s'><v>-1</v></c>",
        b"<c r='C2' t='s'><v>\xd9\xa5</v></c>",
        b"<c r='C2'><v>1_0</v></c>",
    ],
)
def test_a_mark_that_cannot_be_read_is_a_problem_and_never_left_out(tmp_path: Path, mark: bytes) -> None:
    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"])
    with zipfile.ZipFile(path) as archive:
        sheet = next(archive.read(name) for name in archive.namelist() if name.endswith("sheet1.xml"))
    begin = sheet.index(b'<c r="C2"')
    end = sheet.index(b"</c>", begin) + len(b"</c>") if b"</c>" in sheet[begin:] else sheet.index(b"/>", begin) + 2
    repacked(path, sheet1=sheet[:begin] + mark + sheet[end:])
    assert problems_of(path)[0][0] == ("line", 2, "SATISFIED")


def test_a_lone_cell_far_to_the_right_costs_no_more_than_another(tmp_path: Path) -> None:
    rows = b"".join(b"<row><c r='XFD%d'><v>1</v></c></row>" % number for number in range(2, 20_002))
    head = b"<row r='1'><c t='inlineStr'><is><t>JOB_ID</t></is></c></row>"
    path = repacked(
        book_of(tmp_path / "b.xlsx", ["j", "t1", "x"]),
        sheet1=b"<worksheet><sheetData>" + head + rows + b"</sheetData></worksheet>",
    )
    tracemalloc.start()
    try:
        problems_of(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    book_of(path, ["j", "t1", "x"])
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            if name.endswith("sheet1.xml"):
                with archive.open(name, "w") as part:
                    for _ in range(70):
                        part.write(b" " * 1024 * 1024)
            else:
                archive.writestr(name, content)
    assert path.stat().st_size < 200_000
    assert "a workbook of real size" in problems_of(path)[0][1]


@pytest.mark.parametrize("name", ["utf-7", "utf-32", "idna", "rot13", "no-such-encoding"])
def test_a_part_in_an_encoding_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    sheet = f'<?xml version="1.0" encoding="{name}"?><worksheet/>'.encode()
    path = repacked(book_of(tmp_path / "b.xlsx", ["j", "t1", "x"]), sheet1=sheet)
    assert "a whole workbook: xl/worksheets/sheet1.xml" in problems_of(path)[0][1]


@pytest.mark.parametrize("element", [b"<a>", b"<row>", b"<f>", b"<t>"])
def test_elements_within_elements_without_end_are_refused_before_they_fill_the_memory(
    tmp_path: Path, element: bytes
) -> None:
    sheet = b"<worksheet><sheetData>" + element * (xlsx_zip.MOST_DEPTH + 1)
    path = repacked(book_of(tmp_path / "b.xlsx", ["j", "t1", "x"]), sheet1=sheet)
    assert any(word in problems_of(path)[0][1] for word in ("nested", "rows in order"))


def test_a_directory_of_too_many_parts_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        # One part whose entry in the directory is as long as those of many.
        for number in range(80):
            info = zipfile.ZipInfo(f"{number}")
            info.comment = b"c" * 60_000
            archive.writestr(info, "")
    assert "a workbook of at most" in problems_of(path)[0][1]


def test_a_part_that_claims_to_begin_before_the_file_is_refused(tmp_path: Path) -> None:
    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"])
    raw = bytearray(path.read_bytes())
    end = raw.rindex(b"PK\x05\x06")
    # The directory is said to begin far later than it does, so that all parts seem to lie before the file.
    raw[end + 16 : end + 20] = (0x7FFFFFFF).to_bytes(4, "little")
    path.write_bytes(raw)
    assert problems_of(path)


def test_what_a_workbook_says_of_itself_may_not_be_endless(tmp_path: Path) -> None:
    flood = b"<Relationships>" + b"".join(b"<Relationship Id='%d'/>" % n for n in range(700_000))
    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"])
    repacked(path, **{"workbook.xml": flood + b"</Relationships>"})
    assert "a workbook of real size" in problems_of(path)[0][1]


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"JOB_ID,TASK_ID\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    assert "a workbook in the format .xlsx" in problems_of(path)[0][1]


def test_a_workbook_cut_short_or_without_its_parts_is_refused(tmp_path: Path) -> None:
    path = book_of(tmp_path / "b.xlsx", ["j", "t1", "x"])
    whole = path.read_bytes()
    for end in range(0, len(whole), max(len(whole) // 40, 1)):
        path.write_bytes(whole[:end])
        assert problems_of(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "nothing")
    assert "it has no part xl/workbook.xml" in problems_of(path)[0][1]


def test_strings_that_cells_share_are_found_again_however_many_they_are(tmp_path: Path) -> None:
    rows = [["j", f"t{number}", None, "x", f"no {number} <&> é"] for number in range(1_200)]
    path = book_of(tmp_path / "b.xlsx", *rows)
    comments = [rating.comment for rating in sheets.read(path)]
    assert comments == [row[4] for row in rows]
