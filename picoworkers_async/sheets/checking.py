"""The first pass over a sheet: it finds every bad row before any rating is yielded."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import attrs

from ..models import Rating, Verdict
from ..problems import ProblemCode
from .columns import Field, Header, like_a_field
from .interpret import Interpreter
from .problems import Problems, UnreadableError, at
from .seen import SeenRows, digest_of
from .summary import SheetSummary, Tally
from .swallowed import holds_rows
from .tables import Layout, Table, open_table

BLOCK = 1_000
"""Ratings are compared with the first pass, and then yielded, in blocks of this size."""


@attrs.frozen
class Checked:
    """The result of the first pass: its summary, a digest of each block of ratings, and the lines to skip."""

    summary: SheetSummary
    digests: list[bytes]
    repeated: array[int]


class BlockDigests:
    """Digests of ratings in their order, one for each block."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._count = 0
        self.done: list[bytes] = []

    def add(self, line: int, digest: bytes) -> None:
        """Add the rating of a line."""
        self._hash.update(digest)
        self._hash.update(line.to_bytes(8))
        self._count += 1
        if self._count == BLOCK:
            self.end()

    def end(self) -> None:
        """The block ends here."""
        if self._count:
            self.done.append(self._hash.digest())
            self._hash, self._count = hashlib.blake2b(digest_size=16), 0


def check_sheet(path: Path, layout: Layout, max_bonus: Decimal | None) -> Checked:
    """Read the whole sheet. Raises `SheetError` with everything that is wrong with it."""
    problems = Problems()
    try:
        with open_table(path, layout) as table, SeenRows() as seen:
            for problem in table.problems:
                problems.add(problem)
            if problems.count:
                raise problems.error(path)
            tally, digests = Tally(), BlockDigests()
            for line, rating, hidden in _ratings(table, layout, max_bonus, problems, tally):
                digest = digest_of(rating)
                tally.add(line, rating, hidden=hidden)
                if (
                    table.delimiter
                    and rating.comment
                    and holds_rows(rating.comment, table.header, table.delimiter)
                ):
                    tally.add_swallowing(line)
                seen.add(line, rating, digest)
                digests.add(line, digest)
            digests.end()
            for problem in table.late_problems(layout):
                problems.add(problem)
            repeated = _repeated(seen, table.header, tally, problems)
            if problems.count:
                raise problems.error(path)
            return Checked(_summary(path, table, tally, seen, len(repeated)), digests.done, repeated)
    except UnreadableError as error:
        problems.add(error.problem)
        raise problems.error(path) from None


def _ratings(
    table: Table, layout: Layout, max_bonus: Decimal | None, problems: Problems, tally: Tally
) -> Iterator[tuple[int, Rating, bool]]:
    interpreter = Interpreter(layout.job_id, max_bonus)
    for line, cells, problem, hidden in table.rows:
        tally.rows += 1
        if problem is not None:
            problems.add(problem)
            continue
        rating, wrong = interpreter.read(line, cells, table.header)
        if rating is not None:
            yield line, rating, hidden
        elif wrong:
            for one in wrong:
                problems.add(one)
        else:
            tally.left_alone += 1


def _repeated(seen: SeenRows, header: Header, tally: Tally, problems: Problems) -> array[int]:
    """The lines that repeat an earlier one; a different rating of the same task is a problem."""
    lines = array("q")
    for row in seen.twice():
        if row.same:
            lines.append(row.line)
            tally.take_back(row.verdict, row.bonus)
        else:
            remedy = f"one rating of this task; line {row.first_line} rates it differently"
            problems.add(at(row.line, header.name(Field.TASK_ID), None, remedy, ProblemCode.CONFLICT))
    return lines


def _slips(header: Header) -> Iterator[str]:
    """Ignored columns whose names are nearly those of known ones."""
    for name in header.unknown:
        like = like_a_field(name)
        if like is not None:
            yield f"the column {name!r} is not read; did you mean {like}?"


def _summary(path: Path, table: Table, tally: Tally, seen: SeenRows, repeated: int) -> SheetSummary:
    count, high = tally.high_bonuses(seen)
    return SheetSummary(
        path=str(path),
        format=table.format,
        encoding=table.encoding,
        delimiter=table.delimiter,
        sheet=table.sheet,
        rows=tally.rows,
        ratings=tally.verdicts.total(),
        verdicts={verdict: tally.verdicts[verdict] for verdict in Verdict},
        left_alone=tally.left_alone,
        repeated=repeated,
        hidden=tally.hidden,
        bonuses=tally.bonuses,
        largest_bonus=tally.largest,
        high_bonuses=high,
        high_bonus_count=count,
        unknown_columns=table.header.unknown,
        warnings=(*_slips(table.header), *tally.warnings(repeated)),
    )
