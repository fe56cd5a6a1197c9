"""Every bad cell is named by its line, column, value and remedy, before one rating is given out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from picoworkers_async import ProblemCode, sheets
from picoworkers_async.sheets import SheetError, tables

HEAD = (
    "JOB_ID,TASK_ID,SATISFIED,NOT_SATISFIED,REVISE_TASK,SATISFACTION,EMPLOYER_COMMENT,BONUS_AMOUNT,"
    "BLOCK_WORKER,LIST_ID"
)
GOOD = {"JOB_ID": "j1", "TASK_ID": "t1", "SATISFIED": "x"}


def sheet_of(folder: Path, **cells: str) -> Path:
    """A CSV whose third line has these cells, those of a good rating where they are not given."""
    values = GOOD | cells
    row = ",".join('"{}"'.format(values.get(name, "").replace('"', '""')) for name in HEAD.split(","))
    path = folder / "sheet.csv"
    path.write_bytes(f"{HEAD}\r\nj1,t0,x,,,,,,,\r\n{row}\r\n".encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.parametrize(
    ("cells", "column", "value", "remedy", "code"),
    [
        ({"SATISFIED": "", "NOT_SATISFIED": "x"}, "EMPLOYER_COMMENT", None, "a comment is required", "required"),
        ({"SATISFIED": "", "REVISE_TASK": "X"}, "EMPLOYER_COMMENT", None, "a comment is required", "required"),
        ({"NOT_SATISFIED": "x", "EMPLOYER_COMMENT": "no"}, "NOT_SATISFIED", "x", "one mark", "conflict"),
        (
            {"SATISFIED": "", "EMPLOYER_COMMENT": "hm"},
            "SATISFIED",
            None,
            "since EMPLOYER_COMMENT is fi",
            "required",
        ),
        ({"SATISFIED": "", "BONUS_AMOUNT": "1"}, "SATISFIED", None, "since BONUS_AMOUNT is filled in", "required"),
        ({"SATISFIED": "", "BLOCK_WORKER": "x"}, "SATISFIED", None, "since BLOCK_WORKER is filled in", "required"),
        ({"SATISFIED": "", "SATISFACTION": "good"}, "SATISFIED", None, "since SATISFACTION is", "required"),
        ({"SATISFIED": "", "LIST_ID": "4"}, "SATISFIED", None, "since LIST_ID is filled in", "required"),
        ({"SATISFIED": "yes"}, "SATISFIED", "yes", "x, or nothing", "choice"),
        ({"SATISFIED": "xx"}, "SATISFIED", "xx", "x, or nothing", "choice"),
        ({"BLOCK_WORKER": "maybe"}, "BLOCK_WORKER", "maybe", "x, or nothing", "choice"),
        ({"BONUS_AMOUNT": "0,05"}, "BONUS_AMOUNT", "0,05", "0.05, with a point", "format"),
        ({"BONUS_AMOUNT": "$0.05"}, "BONUS_AMOUNT", "$0.05", "0.05, without the currency", "format"),
        ({"BONUS_AMOUNT": "0.05 USD"}, "BONUS_AMOUNT", "0.05 USD", "0.05, without the currency", "format"),
        ({"BONUS_AMOUNT": "$0,05"}, "BONUS_AMOUNT", "$0,05", "0.05, with a point", "format"),
        ({"BONUS_AMOUNT": "1e-2"}, "BONUS_AMOUNT", "1e-2", "0.01, written out", "format"),
        ({"BONUS_AMOUNT": "1,000.50"}, "BONUS_AMOUNT", "1,000.50", "without thousands separators", "format"),
        ({"BONUS_AMOUNT": "1,000"}, "BONUS_AMOUNT", "1,000", "without thousands separators", "format"),
        ({"BONUS_AMOUNT": "1.000,50"}, "BONUS_AMOUNT", "1.000,50", "without thousands separators", "format"),
        ({"BONUS_AMOUNT": "1'000"}, "BONUS_AMOUNT", "1'000", "without thousands separators", "format"),
        ({"BONUS_AMOUNT": "1\xa0000"}, "BONUS_AMOUNT", "1\xa0000", "1000, without spaces", "format"),
        ({"BONUS_AMOUNT": "-1"}, "BONUS_AMOUNT", "-1", "at least 0", "format"),
        ({"BONUS_AMOUNT": "N/A"}, "BONUS_AMOUNT", "N/A", "such as 0.05, or nothing", "format"),
        ({"BONUS_AMOUNT": "nan"}, "BONUS_AMOUNT", "nan", "such as 0.05", "format"),
        ({"BONUS_AMOUNT": "٣"}, "BONUS_AMOUNT", "٣", "such as 0.05", "format"),
        ({"BONUS_AMOUNT": "01.May"}, "BONUS_AMOUNT", "01.May", "such as 0.05", "format"),
        ({"BONUS_AMOUNT": "0.00001"}, "BONUS_AMOUNT", "Decimal('0.00001')", "at most 4 decimal places", "range"),
        ({"BONUS_AMOUNT": "9" * 12}, "BONUS_AMOUNT", f"Decimal('{'9' * 12}')", "at most 1000000000", "range"),
        ({"TASK_ID": ""}, "TASK_ID", "", "an id", "required"),
        ({"TASK_ID": " \xa0"}, "TASK_ID", " \xa0", "an id", "required"),
        ({"TASK_ID": "1.5E+13"}, "TASK_ID", "1.5E+13", "a spreadsheet program turned it", "format"),
        ({"TASK_ID": "1,5E+13"}, "TASK_ID", "1,5E+13", "a spreadsheet program turned it", "format"),
        ({"TASK_ID": "2E+013"}, "TASK_ID", "2E+013", "a spreadsheet program turned it", "format"),
        ({"TASK_ID": "1.5E13"}, "TASK_ID", "1.5E13", "a spreadsheet program turned it", "format"),
        ({"TASK_ID": "1,58004285e14"}, "TASK_ID", "1,58004285e14", "a spreadsheet program turned it", "format"),
        ({"TASK_ID": "158004285.0"}, "TASK_ID", "158004285.0", "a spreadsheet program turned it", "format"),
        (
            {"TASK_ID": "01/05/2026"},
            "TASK_ID",
            "01/05/2026",
            "a spreadsheet program turned it into a date",
            "format",
        ),
        (
            {"TASK_ID": "2026-05-01"},
            "TASK_ID",
            "2026-05-01",
            "a spreadsheet program turned it into a date",
            "format",
        ),
        (
            {"TASK_ID": "1.5.26 10:00"},
            "TASK_ID",
            "1.5.26 10:00",
            "a spreadsheet program turned it into a date",
            "format",
        ),
        ({"JOB_ID": "12-Dec"}, "JOB_ID", "12-Dec", "a spreadsheet program turned it", "format"),
        ({"JOB_ID": "Feb-26"}, "JOB_ID", "Feb-26", "a spreadsheet program turned it", "format"),
        ({"TASK_ID": "t1\u200b0"}, "TASK_ID", "t1\u200b0", "invisible characters, such as U+200B", "format"),
        ({"TASK_ID": "t1\u00ad"}, "TASK_ID", "t1\u00ad", "invisible characters, such as U+00AD", "format"),
        ({"TASK_ID": "t 1"}, "TASK_ID", "t 1", "invisible characters, such as U+0020", "format"),
        ({"TASK_ID": "#######"}, "TASK_ID", "#######", "where it has no room", "format"),
        ({"JOB_ID": ""}, "JOB_ID", "", "an id", "required"),
        ({"JOB_ID": "9.1E+11"}, "JOB_ID", "9.1E+11", "a spreadsheet program turned it", "format"),
        ({"SATISFACTION": "fine"}, "SATISFACTION", "fine", "one of excellent, good", "choice"),
        ({"SATISFACTION": "spam"}, "SATISFACTION", "spam", "when the verdict is ok", "conflict"),
        ({"LIST_ID": "one"}, "LIST_ID", "one", "a whole number", "format"),
        ({"LIST_ID": "1.5"}, "LIST_ID", "1.5", "a whole number", "format"),
        ({"EMPLOYER_COMMENT": "a\x00b"}, "EMPLOYER_COMMENT", "a\x00b", "without NUL", "format"),
        ({"EMPLOYER_COMMENT": "caf\udce9"}, "EMPLOYER_COMMENT", "caf\udce9", 'say encoding="cp1252"', "format"),
        ({"TASK_ID": "t\udce9"}, "TASK_ID", "t\udce9", "text in UTF-8", "format"),
    ],
)
def test_a_bad_cell_is_named(
    tmp_path: Path, cells: dict[str, str], column: str, value: object, remedy: str, code: str
) -> None:
    with pytest.raises(SheetError) as raised:
        sheets.check(sheet_of(tmp_path, **cells))
    (problem,) = raised.value.problems
    assert problem.path == ("line", 3, column)
    shown = problem.value if isinstance(problem.value, str | None) else repr(problem.value)
    assert shown == value
    assert remedy in problem.limit
    assert problem.code == code
    assert f"line[3].{column}=" in str(raised.value)


def test_several_bad_cells_of_one_row_are_all_named(tmp_path: Path) -> None:
    path = sheet_of(tmp_path, TASK_ID="1.5E+13", SATISFIED="", NOT_SATISFIED="x", BONUS_AMOUNT="0,1", LIST_ID="?")
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    columns = [problem.path[2] for problem in raised.value.problems]
    assert columns == ["TASK_ID", "LIST_ID", "BONUS_AMOUNT", "EMPLOYER_COMMENT"]


@pytest.mark.parametrize(
    "task_id",
    [
        "99900012abcd1f",
        "1416896140ecb7",
        "158004285e3523",
        "1e5000000000",
        "12dec2026feb01",
        "1E5",
        "20260501",
        "task-12",
    ],
)
def test_an_id_that_only_looks_like_a_number_or_a_date_is_taken_as_it_is(tmp_path: Path, task_id: str) -> None:
    assert [one.task_id for one in sheets.read(sheet_of(tmp_path, TASK_ID=task_id))] == ["t0", task_id]


@pytest.mark.parametrize(
    ("cells", "bonus"),
    [
        ({"SATISFIED": " X\xa0"}, 0),
        ({"SATISFIED": "TRUE"}, 0),
        ({"TASK_ID": "\ufeff t1 "}, 0),
        ({"TASK_ID": "'t1"}, 0),
        ({"BONUS_AMOUNT": " .5 "}, "0.5"),
        ({"BONUS_AMOUNT": "2."}, 2),
        ({"BLOCK_WORKER": "FALSE"}, 0),
    ],
)
def test_what_can_only_be_meant_in_one_way_is_taken(tmp_path: Path, cells: dict[str, str], bonus: object) -> None:
    ratings = list(sheets.read(sheet_of(tmp_path, **cells)))
    assert [rating.task_id for rating in ratings] == ["t0", "t1"]
    assert str(ratings[1].bonus) == str(bonus)


def test_a_bonus_above_the_most_is_a_problem(tmp_path: Path) -> None:
    path = sheet_of(tmp_path, BONUS_AMOUNT="5")
    assert sheets.check(path, max_bonus=5).largest_bonus == sheets.HighBonus(3, 5)
    with pytest.raises(SheetError) as raised:
        sheets.check(path, max_bonus="4.99")
    assert raised.value.problems[0].path == ("line", 3, "BONUS_AMOUNT")
    assert "at most 4.99" in raised.value.problems[0].limit


def test_of_many_bad_rows_the_first_hundred_are_named_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    rows = "".join(f"j,t{number},,x,,\n" for number in range(250))
    path.write_text(f"job_id,task_id,satisfied,not_satisfied,employer_comment,bonus\n{rows}")
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    assert raised.value.count == 250
    assert [problem.path[1] for problem in raised.value.problems] == list(range(2, 102))
    assert "and 150 more" in str(raised.value)


def test_a_task_that_stands_there_twice_is_taken_once_if_both_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("JOB_ID,ID,SATISFIED,BONUS_AMOUNT\nj,t1,x,0.10\nj,t2,x,\nj, t1,X,0.1\nk,t1,x,\n")
    ratings = sheets.read(path)
    assert [(rating.job_id, rating.task_id) for rating in ratings] == [("j", "t1"), ("j", "t2"), ("k", "t1")]
    summary = ratings.summary
    assert (summary.ratings, summary.repeated, str(summary.bonuses)) == (3, 1, "0.10")
    assert "the same task: 1;" in summary.warnings[0]


def test_a_task_with_two_different_ratings_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("JOB_ID,ID,SATISFIED,BONUS_AMOUNT\nj,t1,x,0.10\nj,t2,x,\nj,t1,x,0.20\nj,t1,x,0.10\n")
    with pytest.raises(SheetError) as raised:
        sheets.read(path)
    (problem,) = raised.value.problems
    assert problem.path == ("line", 4, "ID")
    assert "line 2 rates it differently" in problem.limit
    assert problem.code is ProblemCode.CONFLICT


def test_a_row_in_which_nothing_is_filled_is_left_alone_whatever_else_it_says(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(
        "JOB_ID,ID,SATISFIED,BLOCK_WORKER\n,1.5E+13, ,false\nj,t,x,\n,,,\n\n ,\xa0,,\n", encoding="utf-8"
    )
    summary = sheets.check(path)
    assert (summary.rows, summary.left_alone, summary.ratings) == (2, 1, 1)


@pytest.mark.parametrize(
    ("line", "where", "remedy"),
    [
        ('{"job_id": "j", "task_id": "t", "satisfied": "x"', ("line", 2), "one JSON object in UTF-8"),
        ("[1]", ("line", 2), "one JSON object a line"),
        ('{"task_id": "t", "task_id": "u"}', ("line", 2), "'task_id' appears twice"),
        ('{"job_id": "j", "task_id": "t", "TASK_ID": "t", "satisfied": "x"}', ("line", 2, "TASK_ID"), "one name"),
        ('{"job_id": "j", "task_id": ["t"], "satisfied": "x"}', ("line", 2, "task_id"), "not a list"),
        ('{"job_id": "j", "task_id": 1.5, "satisfied": "x"}', ("line", 2, "task_id"), "as text"),
        ('{"job_id": "j", "task_id": "t", "satisfied": 1}', ("line", 2, "satisfied"), "x, or nothing"),
        ('{"job_id": "j", "task_id": "t", "satisfied": true, "bonus": true}', ("line", 2, "bonus"), "not TRUE"),
        ('{"job_id": "j", "task_id": "t", "satisfied": true, "bonus": NaN}', ("line", 2), "NaN is not JSON"),
        ('{"job_id": "j", "task_id": "t", "satisfied": true, "bonus": ' + "9" * 99 + "}", ("line", 2), "digits"),
        ('{"job_id": "j", "task_id": "t", "verdict": "well"}', ("line", 2, "verdict"), "ok, not_ok or revise"),
        ('{"job_id": "j", "task_id": "t", "verdict": "nok", "comment": 1e99999999}', ("line", 2), "digits"),
        ('{"job_id": "j", "task_id": "t", "verdict": "ok", "bonus": 1e' + "9" * 30 + "}", ("line", 2), "digits"),
        ("[" * 100_000, ("line", 2), "JSON"),
    ],
)
def test_a_bad_line_of_json_is_named(tmp_path: Path, line: str, where: tuple[object, ...], remedy: str) -> None:
    path = tmp_path / "sheet.jsonl"
    good = {"job_id": "j", "task_id": 7, "satisfied": True, "bonus": 0.1, "list_id": 3, "bonus_note": None}
    path.write_text(f"{json.dumps(good)}\n{line}\n")
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    assert raised.value.problems[0].path == where
    assert remedy in raised.value.problems[0].limit


def test_a_file_whose_lines_have_ever_new_names_is_refused_and_the_limit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_NAMES", 50)
    path = tmp_path / "sheet.jsonl"
    good = '{"job_id": "j", "task_id": "t%d", "satisfied": "x", "PROOF_%d": "", "new %d": 1}\n'
    path.write_text("".join(good % (number, number, number) for number in range(47)))
    assert sheets.check(path).ratings == 47
    path.write_text("".join(good % (number, number, number) for number in range(80)))
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    (problem,) = raised.value.problems
    assert problem.path == ("line", 48)
    assert "at most 50 different names" in problem.limit
