"""Between the two passes the file may change: nothing is given out that was not checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import length_hint
from pathlib import Path

import pytest

from picoworkers_async import sheets
from picoworkers_async.sheets import SheetChangedError, checking

HEAD = "JOB_ID,TASK_ID,SATISFIED,BONUS_AMOUNT,PROOF_1\n"


def rows(count: int) -> list[str]:
    return [f"j,t{number},{'x' if number % 2 else ''},,words\n" for number in range(count)]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text(HEAD + "".join(lines))
    return path


def with_another_bonus(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1].replace(",x,,", ",x,5,")]


def shorter(lines: list[str]) -> list[str]:
    return lines[:-1]


def shorter_by_a_block(lines: list[str]) -> list[str]:
    return lines[:-20]


def longer(lines: list[str]) -> list[str]:
    return [*lines, "j,new,x,,\n"]


def with_a_bad_row(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1].replace(",x,,", ',x,"0,5",')]


def with_a_row_before(lines: list[str]) -> list[str]:
    return [*lines[:-1], "j,before,,,\n", lines[-1]]


def cut(lines: list[str]) -> list[str]:
    return [*lines[:-1], 'j,"t']


@pytest.mark.parametrize(
    "change",
    [with_another_bonus, shorter, shorter_by_a_block, longer, with_a_bad_row, with_a_row_before, cut],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize("count", [44, 60])
def test_a_change_ends_what_is_given_out_before_the_block_it_is_in(
    tmp_path: Path, change: Callable[[list[str]], list[str]], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BLOCK", 10)
    lines = rows(count)
    path = written(tmp_path / "sheet.csv", lines)
    ratings = sheets.read(path)
    written(path, change(lines))
    iterator = iter(ratings)
    # All but the last block, which is the one that changed; behind a whole one, a longer file has another.
    unchanged = 30 if change is longer and count == 60 else 20
    if change is shorter_by_a_block and count == 44:
        unchanged = 10
    assert [next(iterator).task_id for _ in range(unchanged)] == [
        f"t{2 * number + 1}" for number in range(unchanged)
    ]
    with pytest.raises(SheetChangedError, match="changed after it was checked") as raised:
        next(iterator)
    assert raised.value.given == unchanged


def test_a_change_of_what_is_not_read_does_no_harm(tmp_path: Path) -> None:
    lines = rows(10)
    path = written(tmp_path / "sheet.csv", lines)
    ratings = sheets.read(path)
    written(path, [line.replace("words", "other words") for line in lines])
    assert len(list(ratings)) == 5


def test_a_header_that_changed_ends_it_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "sheet.csv", rows(10))
    ratings = sheets.read(path)
    path.write_text(path.read_text().replace("TASK_ID", "TASKS"))
    with pytest.raises(SheetChangedError):
        next(iter(ratings))


def test_ratings_may_be_read_many_times_and_tell_how_many_are_to_come(tmp_path: Path) -> None:
    ratings = sheets.read(written(tmp_path / "sheet.csv", rows(10)))
    iterator = iter(ratings)
    assert length_hint(iterator) == 5
    next(iterator)
    assert length_hint(iterator) == 4
    assert list(ratings) == list(ratings)
    assert repr(ratings).startswith("<5 ratings of ")


@pytest.mark.parametrize("becomes", ["gone", "pipe", "folder"])
def test_a_sheet_that_is_no_file_any_more_has_changed(tmp_path: Path, becomes: str) -> None:
    path = written(tmp_path / "s.csv", rows(4))
    ratings = sheets.read(path)
    path.unlink()
    if becomes == "pipe":
        os.mkfifo(path)
    elif becomes == "folder":
        path.mkdir()
    with pytest.raises(SheetChangedError):
        list(ratings)
    with pytest.raises(SheetChangedError):
        list(ratings.numbered())


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "xlsx"])
def test_a_pipe_is_refused_by_its_name_and_not_waited_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"s.{suffix}"
    os.mkfifo(path)
    for read in (sheets.check, lambda file: list(sheets.rows(file))):
        with pytest.raises(OSError, match=f"not a regular file: '.*s.{suffix}'"):
            read(path)
