"""`check` and `read`: a sheet is checked whole, and then yields its ratings one by one."""

from __future__ import annotations

import codecs
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import merge
from pathlib import Path
from typing import Any

import attrs

from ..errors import InvalidRequestError
from ..models import Rating
from ..models.account import to_money_or_none
from ..problems import Problem, ProblemCode
from ..rules import values
from .checking import BlockDigests, Checked, check_sheet
from .columns import mapping_problems
from .interpret import Interpreter
from .problems import SheetChangedError, UnreadableError
from .seen import digest_of
from .summary import SheetSummary, Tally
from .tables import FORMATS, Layout, open_table


def check(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    job_id: str | None = None,
    max_bonus: Decimal | int | float | str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> SheetSummary:
    """Check a sheet and add up what it says. Nothing is rated, and nothing is sent.

    The file is a .csv, .jsonl or .xlsx: one that `export` made, the marketplace's own for rating many tasks, or
    any other. Its first line has the names of its columns, in any case: TASK_ID or ID, JOB_ID, SATISFIED,
    NOT_SATISFIED, REVISE_TASK (one `x` among the three), EMPLOYER_COMMENT, SATISFACTION, BONUS_AMOUNT,
    BLOCK_WORKER, LIST_ID, REVISION_NUMBER; or VERDICT (`ok`, `not_ok`, `revise`) instead of the marks.

    - `columns` says what others mean, such as `{"Result": "verdict"}`, by the names of `Field`.
    - `job_id` is the job of all tasks, if the sheet does not have it.
    - `max_bonus` is the highest bonus allowed, in US dollars.
    - `encoding` is that of a CSV, such as `cp1252`; left out, it is UTF-8, or UTF-16 with a byte order mark. It
      matters only for cells that are read.
    - `sheet` names the sheet to read of a workbook that has several.

    A row in which nothing was filled in is left alone. A row that says the same of a task as an earlier row is
    taken once. Memory does not grow with the file; temporary files take disk space. This blocks; in an async
    program with a large file, call it by `anyio.to_thread.run_sync`.

    Raises `SheetError` with every bad row, `InvalidRequestError` for arguments, and `OSError`.
    """
    _, checked, _, _ = _checked("check", path, columns, job_id, max_bonus, encoding, sheet)
    return checked.summary


def read(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    job_id: str | None = None,
    max_bonus: Decimal | int | float | str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> SheetRatings:
    """Check a sheet, and return its ratings for `pico.rate`. Arguments and errors are those of `check`."""
    file, checked, layout, most = _checked("read", path, columns, job_id, max_bonus, encoding, sheet)
    return SheetRatings(file, checked, layout, most)


class SheetRatings:
    """The ratings of a sheet that was checked; `summary` adds them up. Iterate over it as often as you like.

    The file is read again, a thousand ratings at a time, and each thousand is compared with what was checked
    before any of it is yielded. If the file has changed by then, `SheetChangedError` is raised.
    """

    def __init__(self, path: Path, checked: Checked, layout: Layout, max_bonus: Decimal | None) -> None:
        self.summary: SheetSummary = checked.summary
        self._path, self._checked, self._layout, self._max_bonus = path, checked, layout, max_bonus

    def __iter__(self) -> Iterator[Rating]:
        return _Ratings(self._blocks(), self.summary.ratings)

    def numbered(self) -> Iterator[tuple[int, Rating]]:
        """The ratings with their lines, as the file has them now: for inspection, not for sending.

        Raises `SheetChangedError` if the file can no longer be read.
        """
        given = skip = 0
        repeated = self._checked.repeated
        try:
            for line, rating in self._again():
                if skip < len(repeated) and repeated[skip] == line:
                    skip += 1
                else:
                    given += 1
                    yield line, rating
        except (UnreadableError, _OtherwiseError):
            raise SheetChangedError(self._path, given) from None

    def without(self, lines: Sequence[int]) -> SheetRatings:
        """The same ratings without those of these lines, which `numbered` gave, in that order; added up anew."""
        repeated = array("q", merge(self._checked.repeated, lines))
        rest = SheetRatings(
            self._path, attrs.evolve(self._checked, repeated=repeated), self._layout, self._max_bonus
        )
        tally = Tally()
        for line, rating in rest.numbered():
            tally.add(line, rating, hidden=False)
        rest.summary = tally.of_some(self.summary, frozenset(lines))
        return rest

    def __repr__(self) -> str:
        return f"<{self.summary.ratings} ratings of {str(self._path)!r}>"

    def _blocks(self) -> Iterator[list[Rating]]:
        """The ratings in blocks, each as it was checked."""
        given = blocks = 0
        digests = BlockDigests()
        waiting: list[tuple[int, Rating]] = []
        skip = 0
        repeated, expected = self._checked.repeated, self._checked.digests

        def block() -> list[Rating]:
            nonlocal blocks, given, skip
            if digests.done[blocks : blocks + 1] != expected[blocks : blocks + 1]:
                raise SheetChangedError(self._path, given)
            blocks += 1
            ratings = []
            for line, rating in waiting:
                if skip < len(repeated) and repeated[skip] == line:
                    skip += 1
                else:
                    ratings.append(rating)
            waiting.clear()
            given += len(ratings)
            return ratings

        try:
            for line, rating in self._again():
                waiting.append((line, rating))
                digests.add(line, digest_of(rating))
                if len(digests.done) > blocks:
                    yield block()
        except (UnreadableError, _OtherwiseError):
            raise SheetChangedError(self._path, given) from None
        digests.end()
        if waiting:
            yield block()
        if blocks != len(expected):
            raise SheetChangedError(self._path, given)

    def _again(self) -> Iterator[tuple[int, Rating]]:
        interpreter = Interpreter(self._layout.job_id, self._max_bonus)
        try:
            with open_table(self._path, self._layout) as table:
                if table.problems:
                    raise _OtherwiseError
                for line, cells, problem, _ in table.rows:
                    if problem is not None:
                        raise _OtherwiseError
                    rating, wrong = interpreter.read(line, cells, table.header)
                    if wrong:
                        raise _OtherwiseError
                    if rating is not None:
                        yield line, rating
        except OSError as error:
            if error.filename is None or Path(error.filename) != self._path:
                raise
            # It is gone, or is a pipe by now.
            raise _OtherwiseError from error


class _OtherwiseError(Exception):
    """The sheet has a problem that it did not have before."""


class _Ratings(Iterator[Rating]):
    """Ratings of blocks, which know about how many are to come. Dropped early, the file is closed."""

    def __init__(self, blocks: Iterator[list[Rating]], count: int) -> None:
        self._blocks = blocks
        self._block: Iterator[Rating] = iter(())
        self._left = count

    def __next__(self) -> Rating:
        while True:
            for rating in self._block:
                self._left -= 1
                return rating
            self._block = iter(next(self._blocks))

    def __length_hint__(self) -> int:
        return max(self._left, 0)


def _checked(
    call: str,
    path: str | os.PathLike[str],
    columns: Mapping[str, str] | None,
    job_id: str | None,
    max_bonus: Any,
    encoding: str | None,
    sheet: str | None,
) -> tuple[Path, Checked, Layout, Decimal | None]:
    file, most = Path(path), to_money_or_none(max_bonus)
    problems = path_problems(file)
    if columns is not None:
        problems += mapping_problems(columns)
    if job_id is not None:
        problems += values.text("job_id", job_id)
    if most is not None:
        problems += values.money("max_bonus", most)
    problems += encoding_problems(encoding)
    if problems:
        raise InvalidRequestError(f"sheets.{call}", problems, sends=False)
    layout = Layout(dict(columns or {}), job_id, encoding, sheet)
    return file, check_sheet(file, layout, most), layout, most


def path_problems(path: Path) -> list[Problem]:
    """What is wrong with a file's name, whose suffix says its format."""
    if path.suffix.lower() in FORMATS:
        return []
    return [Problem("path", str(path), "a file whose name ends in .csv, .jsonl or .xlsx", ProblemCode.CHOICE)]


def encoding_problems(encoding: object) -> list[Problem]:
    """What is wrong with the name of an encoding."""
    if encoding is None:
        return []
    try:
        "TASK_ID".encode(codecs.lookup(str(encoding)).name)
    except (LookupError, ValueError):
        return [Problem("encoding", encoding, "an encoding of Python's, such as cp1252", ProblemCode.CHOICE)]
    return []
