"""Whatever is in a file, it is read, or refused with an error that says where: nothing else is raised."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from picoworkers_async import sheets
from picoworkers_async.rules.ratings import check_rating
from picoworkers_async.sheets import Field, SheetError
from picoworkers_async.sheets.writing import open_writer

NAMES = [field.value for field in Field]
TELLING = [
    *(
        "",
        "x",
        "X",
        "ok",
        "not ok",
        "revise",
        "t1",
        "t2",
        "0.05",
        "1e9",
        "-1",
        "NaN",
        "Infinity",
        "9" * 50,
        "good",
    ),
    *(
        "N/A",
        "\x00",
        "x\x00",
        "\udce9",
        "\u0663",
        " ",
        "=1",
        "'",
        '"',
        "\n",
        "TRUE",
        "1.5E+13",
        "no",
        "1,5",
        "1 000",
    ),
]
CELL = st.sampled_from(TELLING) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELL,
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def look(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sheet{suffix}"
        path.write_bytes(content)
        try:
            ratings = sheets.read(path)
        except SheetError as error:
            problems = error.problems
        else:
            problems = ()
        if problems:
            assert {problem.path[0] for problem in problems} == {"line"}
            return
        assert [problem for rating in ratings for problem in check_rating(rating)] == []
        assert len(list(ratings)) == ratings.summary.ratings


def as_csv(row: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([NAMES, *row])
    return text.getvalue().encode("utf-8", "surrogatepass")


def as_xlsx(rows: list[list[str]]) -> bytes:
    file = io.BytesIO()
    with open_writer("xlsx", file, NAMES) as write:
        for row in rows:
            write(row)
    return file.getvalue()


@pytest.mark.parametrize(("suffix", "write"), [(".csv", as_csv), (".xlsx", as_xlsx)])
@given(rows=st.lists(st.lists(CELL, min_size=len(NAMES), max_size=len(NAMES)), max_size=3))
@settings(max_examples=40)
def test_any_cells_are_read_or_refused(suffix: str, write: Callable[[list[list[str]]], bytes], rows: list) -> None:
    look(suffix, write(rows))


@given(rows=st.lists(st.dictionaries(st.sampled_from(NAMES), JSON), max_size=3))
@settings(max_examples=40)
def test_any_objects_are_read_or_refused(rows: list[dict[str, object]]) -> None:
    look(".jsonl", "\n".join(map(json.dumps, rows)).encode())


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx"])
@given(
    content=st.binary(max_size=60)
    | st.binary(max_size=20).map(lambda some: b"JOB_ID,ID,SATISFIED\nj,t,x\n" + some)
)
@settings(max_examples=40)
def test_any_bytes_are_read_or_refused(suffix: str, content: bytes) -> None:
    look(suffix, content)


@given(place=st.integers(0, 3_000), byte=st.integers(0, 255))
@settings(max_examples=40)
def test_a_damaged_workbook_is_read_or_refused(place: int, byte: int) -> None:
    whole = bytearray(as_xlsx([["j", f"t{number}", "0", "x", *[""] * (len(NAMES) - 4)] for number in (1, 2)]))
    whole[place % len(whole)] = byte
    look(".xlsx", bytes(whole))
