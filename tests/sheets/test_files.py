"""Files of every make: encodings, delimiters, headers, and what is not a sheet at all."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from picoworkers_async import Fate, InvalidRequestError, PicoworkersError, Rating, Verdict, sheets
from picoworkers_async.sheets import SheetError, csv_rows
from picoworkers_async.sheets.writing import open_writer

MARKETPLACE = (
    "TASK_ID;WORKER_ID;PROOF_1;PROOF_2;SATISFIED;NOT_SATISFIED;REVISE_TASK;BLOCK_WORKER;BONUS_AMOUNT;"
    "EMPLOYER_COMMENT;REVISION_NUMBER\r\n"
    "99900012abcd1f;w1;caf\xe9;=1+1;X;;;;0.05;;N/A\r\n"
    '99923817f2bce4;w2;"two\r\nlines; and a ""quote""";;;x;;x;;Copied;0\r\n'
    "81204582ff321c;w3;;;;;x;;;Which year?;1\r\n"
    "81204582ff321d;w3;;;;;;;;;1\r\n"
)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_marketplaces_own_file_is_read_as_it_is(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "tasks.csv"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    path.write_bytes(mark + MARKETPLACE.replace(";", delimiter).encode(encoding))
    ratings = sheets.read(path, job_id="j1")
    assert list(ratings) == [
        Rating("j1", "99900012abcd1f", "ok", bonus="0.05"),
        Rating("j1", "99923817f2bce4", "not_ok", comment="Copied", block_worker=True, revision_number=0),
        Rating("j1", "81204582ff321c", "revise", comment="Which year?", revision_number=1),
    ]
    summary = ratings.summary
    assert (summary.rows, summary.left_alone, summary.delimiter) == (4, 1, delimiter)
    assert summary.verdicts == {Verdict.OK: 1, Verdict.NOT_OK: 1, Verdict.REVISE: 1}
    assert summary.unknown_columns == ()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
@pytest.mark.parametrize(
    ("name", "columns", "cell", "worker"),
    [
        ("WORKER_ID", {}, "67d33033", "67d33033"),
        ("Worker_Id", {}, "=w1", "=w1"),
        ("Who", {"Who": "worker_id"}, "67d33033", "67d33033"),
        ("WORKER_ID", {}, "6.7E+07", None),
        ("WORKER_ID", {}, "#N/A", None),
        ("WORKER_ID", {}, "", None),
    ],
)
def test_a_rating_knows_whose_work_it_is_where_the_sheet_says_it(
    tmp_path: Path, kind: str, name: str, columns: dict[str, str], cell: str, worker: str | None
) -> None:
    path = tmp_path / f"mine.{kind}"
    with path.open("wb") as file, open_writer(kind, file, ["JOB_ID", "TASK_ID", name, "SATISFIED"]) as write:
        write(["j", "t", cell, "x"])
    (rating,) = sheets.read(path, columns=columns)
    assert rating == Rating("j", "t", "ok")
    assert rating.worker_id == worker


@pytest.mark.parametrize("told", [None, "cp1252"])
def test_an_encoding_matters_only_for_cells_that_are_read(tmp_path: Path, told: str | None) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes("ID,JOB_ID,NOT_SATISFIED,COMMENT,PROOF_1\nt,j,x,Déjà vu,\nu,j,x,no,é\n".encode("cp1252"))
    if told is None:
        with pytest.raises(SheetError) as raised:
            sheets.check(path)
        assert [problem.path for problem in raised.value.problems] == [("line", 2, "COMMENT")]
    else:
        assert [rating.comment for rating in sheets.read(path, encoding=told)] == ["Déjà vu", "no"]
        assert sheets.check(path, encoding=told).encoding == "cp1252"


def test_lines_are_those_of_an_editor_whatever_cells_hold(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes(b'\r\nID,JOB_ID,NOT_SATISFIED,COMMENT\r\nt,j,x,"a\r\nb\r\nc"\r\n\r\nu,j,x,\r\n')
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    assert raised.value.problems[0].path == ("line", 7, "COMMENT")


def test_the_separator_line_of_excel_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes(b"sep=|\r\nID|JOB_ID|SATISFIED|BONUS\r\nt|j|x|0,5\r\n")
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    assert raised.value.problems[0].path == ("line", 3, "BONUS")


@pytest.mark.parametrize(
    ("text", "where", "remedy"),
    [
        ("", ("line", 1), "a first line with the names"),
        ("\n\n", ("line", 3), "a first line with the names"),
        ("ID,SATISFIED\n", ("line", 1, "JOB_ID"), "or job_id="),
        ("JOB_ID,SATISFIED\n", ("line", 1, "TASK_ID"), "the first line has JOB_ID, SATISFIED"),
        ("JOB_ID,TASK_ID\n", ("line", 1, "SATISFIED"), "or VERDICT"),
        ("JOB_ID,ID,task id,SATISFIED\n", ("line", 1, "task id"), "'ID' means the same"),
        ("JOB_ID,ID,SATISFIED,SATISFIED\n", ("line", 1, "SATISFIED"), "delete one of them"),
        ("JOB_ID,ID,SATISFIED,COMMENT\nj,t,x,a, b\n", ("line", 2), "4 cells, as in the first line"),
        ("JOB_ID,ID,SATISFIED,COMMENT\nj,t,x,a\nj,u,x\n", ("line", 3), "not fewer"),
        ('JOB_ID,ID,SATISFIED,COMMENT\nj,t,x,a\nj,u,x,"b\nj,v,x,c\n', ("line", 3), "a closing quote"),
        ('JOB_ID,ID,SATISFIED,COMMENT\nj,t,x,a\nj,u,x,"b" c\n', ("line", 3), "a quote inside"),
        ('JOB_ID,ID,SATISFIED,COMMENT\nj,t,x,"' + "a" * 200_000 + '"\n', ("line", 2), "cells of at most"),
        ("JOB_ID,ID,SATISFIED\n".encode("utf-16-le").decode("latin-1"), ("line", 1), "NUL"),
    ],
)
def test_a_file_that_is_no_sheet_is_named(
    tmp_path: Path, text: str, where: tuple[object, ...], remedy: str
) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    assert raised.value.problems[0].path == where
    assert remedy in raised.value.problems[0].limit


def test_columns_of_any_name_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Task;Result;Why;Extra;Verdict\nt1;OK;fine;0.5;\nt2;not ok;bad;;\n")
    mapped = {"Task": "task_id", "Result": "verdict", "Why": "comment", "Extra": "bonus"}
    ratings = sheets.read(path, columns=mapped, job_id="j")
    assert list(ratings) == [
        Rating("j", "t1", "ok", comment="fine", bonus="0.5"),
        Rating("j", "t2", "not_ok", comment="bad"),
    ]
    assert ratings.summary.unknown_columns == ("Verdict",)
    with pytest.raises(SheetError, match="did you mean 'Result'"):
        sheets.read(path, columns=mapped | {"Results": "satisfaction"}, job_id="j")


def test_a_column_whose_name_is_nearly_right_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("JOB_ID,TASK_ID,SATISFIED,BONUS_AMMOUNT,Notes\nj,t,x,1,\n")
    summary = sheets.check(path)
    assert summary.unknown_columns == ("BONUS_AMMOUNT", "Notes")
    assert summary.warnings == ("the column 'BONUS_AMMOUNT' is not read; did you mean BONUS_AMOUNT?",)


@pytest.mark.parametrize(
    "text",
    [
        'TASK_ID,SATISFIED,EMPLOYER_COMMENT\nt0,x,fine\nt1,x,"hello\nt2,x,\nt3,x,oh"\nt4,x,\n',
        'TASK_ID,SATISFIED,EMPLOYER_COMMENT\nt0,x,fine\nt1,x,"hello\nt2,x,oh"\nt4,x,\n',
        'TASK_ID;SATISFIED;EMPLOYER_COMMENT;BONUS_AMOUNT\nt0;x;fine;\nt1;x;"hello;0.05\nt2;x;oh";\nt4;x;;\n',
        'EMPLOYER_COMMENT,SATISFIED,TASK_ID\nfine,x,t0\n"hello,x,t1\n,x,t2\noh",x,t3\n,x,t4\n',
    ],
    ids=["between", "next", "middle", "first"],
)
def test_a_comment_that_swallowed_rows_is_warned_of(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    (warning,) = sheets.check(path, job_id="j").warnings
    assert warning.startswith("1 comments seem to hold other rows (line 3)")


@pytest.mark.parametrize(
    "comment", ["thanks\nbut, next time, please more", "one, two\nyes, sure, why not", "a\n\nb", ",,\n,,\n,,"]
)
def test_a_comment_of_several_lines_is_no_reason_to_warn(tmp_path: Path, comment: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f'TASK_ID,SATISFIED,EMPLOYER_COMMENT\nt1,x,"{comment}"\n')
    assert sheets.check(path, job_id="j").warnings == ()


def test_a_row_over_very_many_lines_is_refused_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "MOST_OF_ROW", 5_000)
    path = tmp_path / "mine.csv"
    more = ',"\n"' * 2_000
    path.write_text("TASK_ID,SATISFIED\n" + "t0,x\n" * 2_000 + f"t1,x{more}\n")
    with pytest.raises(SheetError) as raised:
        sheets.check(path, job_id="j")
    (problem,) = raised.value.problems
    assert problem.path == ("line", 2002)
    assert "a row of at most 5000 characters" in problem.limit


def test_a_task_of_another_job_than_the_one_named_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("JOB_ID,TASK_ID,SATISFIED\nj,t,x\n,u,x\nk,v,x\n")
    with pytest.raises(SheetError) as raised:
        sheets.check(path, job_id="j")
    assert [problem.path for problem in raised.value.problems] == [("line", 4, "JOB_ID")]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"path": "tasks.txt"}, "path"),
        ({"columns": {"A": "nothing"}}, "columns.A"),
        ({"columns": {"A": "bonus", "B": "bonus"}}, "columns.B"),
        ({"columns": ["A"]}, "columns"),
        ({"job_id": " "}, "job_id"),
        ({"max_bonus": "much"}, "max_bonus"),
        ({"max_bonus": -1}, "max_bonus"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "hex"}, "encoding"),
    ],
)
def test_arguments_are_checked_before_the_file_is_opened(arguments: dict, field: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        sheets.read(**{"path": "missing.csv"} | arguments)
    assert [problem.field for problem in raised.value.problems] == [field]


def test_zeros_that_ids_may_have_lost_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    ids = [f"ab{number:012x}" for number in range(20)] + ["48490"]
    path.write_text("JOB_ID,TASK_ID,SATISFIED\n" + "".join(f"j,{name},x\n" for name in ids))
    (warning,) = sheets.check(path).warnings
    assert "shorter than the others: 1" in warning
    assert "line 22" in warning


def test_bonuses_far_above_the_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    bonuses = ["0.05"] * 9 + ["", "0.50", "0.51", "1.01", "50", "0.05"]
    rows = "".join(f"j,t{number},x,{bonus}\n" for number, bonus in enumerate(bonuses))
    path.write_text(f"JOB_ID,TASK_ID,SATISFIED,BONUS_AMOUNT\n{rows}")
    summary = sheets.check(path)
    assert [(high.line, str(high.bonus)) for high in summary.high_bonuses] == [(15, "50"), (14, "1.01")]
    assert (summary.high_bonus_count, str(summary.bonuses)) == (2, "52.52")
    assert summary.largest_bonus is not None
    assert summary.largest_bonus.line == 15


def test_the_errors_of_sheets_survive_pickling_and_say_what_they_know(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("JOB_ID,TASK_ID,SATISFIED\nj,,x\n")
    with pytest.raises(SheetError) as raised:
        sheets.check(path)
    changed = sheets.SheetChangedError(path, 1000)
    for error in (raised.value, changed):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
        assert isinstance(again, PicoworkersError)
    assert raised.value.fate is Fate.NOT_PROCESSED
    assert changed.fate is Fate.UNKNOWN
