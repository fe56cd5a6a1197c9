"""A sheet of any format as rows of cells, in the order of `Field`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import IO

import attrs

from ..problems import Problem, ProblemCode
from ..regular_file import open_regular
from .cells import Cell
from .columns import (
    MOST_UNKNOWN,
    Field,
    Header,
    field_of,
    header_problems,
    is_unknown,
    missing_problems,
    no_header,
    read_header,
    to_mapped,
)
from .csv_rows import CsvRows
from .json_rows import json_rows
from .problems import UnreadableError, at, whole
from .raw import RawRow
from .values import is_blank
from .xlsx_rows import XlsxRows, column_name

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx"}
FIELDS = tuple(Field)
MOST_NAMES = 5_000
"""At most this many different names in a JSON Lines file, those of proofs aside: each is remembered."""

_NOTHING: Cell = None


@attrs.frozen
class Layout:
    """How to read a file: what each column is, and what it does not say itself."""

    columns: Mapping[str, str] = attrs.field(factory=dict)
    job_id: str | None = None
    encoding: str | None = None
    sheet: str | None = None


@attrs.define
class Table:
    """An open sheet. `problems` keep it from being read; `rows` has the cells of each row in the order of `Field`.

    The `header` of JSON Lines is complete once the rows were read.
    """

    format: str
    header: Header
    rows: Iterator[RawRow]
    problems: list[Problem] = attrs.field(factory=list)
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    line: int = 1
    xlsx: XlsxRows | None = None

    def late_problems(self, layout: Layout) -> Iterator[Problem]:
        """Problems known once all rows were read: merged cells over columns that are read, and missing names."""
        if self.format == "jsonl":
            mapped = to_mapped(layout.columns)
            yield from missing_problems(self.line, self.header, mapped, has_job=layout.job_id is not None)
        if self.xlsx is None:
            return
        names = self.header.names
        # A worker whose cells are merged is known in the first of the rows, and unknown in the others.
        read = {place for field, place in self.header.places.items() if field is not Field.WORKER_ID}
        for first, left, last, right in self.xlsx.merged:
            column = next((place for place in range(left, right + 1) if place in read), None)
            if column is not None and last > self.line:
                cells = f"{column_name(left)}{first}:{column_name(right)}{last}"
                remedy = "cells that are not merged: only the first of them has a value"
                yield at(max(first, self.line), names[column], cells, remedy, ProblemCode.CONFLICT)


@contextmanager
def open_table(path: Path, layout: Layout) -> Iterator[Table]:
    """The sheet in this file, by its suffix. Raises `UnreadableError`, and `OSError` for what cannot be opened
    and for what is no regular file.
    """
    kind = FORMATS[path.suffix.lower()]
    mapped = to_mapped(layout.columns)
    with open_regular(path) as file:
        if kind == "csv":
            with closing(CsvRows(file, layout.encoding, mapped)) as lines:
                yield _csv(lines, layout, mapped)
        elif kind == "jsonl":
            yield _jsonl(file, layout, mapped)
        else:
            with closing(XlsxRows(file, layout.sheet, mapped)) as rows:
                yield _xlsx(rows, layout, mapped)


def _csv(rows: CsvRows, layout: Layout, mapped: Mapping[str, Field]) -> Table:
    header, _ = read_header(rows.names, mapped)
    problems = _header_problems(rows.line, rows.names, mapped, layout)
    encoding = "utf-8" if rows.encoding == "utf-8-sig" else rows.encoding
    return Table("csv", header, _projected(rows, header), problems, encoding, rows.delimiter, line=rows.line)


def _xlsx(rows: XlsxRows, layout: Layout, mapped: Mapping[str, Field]) -> Table:
    header, _ = read_header(rows.names, mapped)
    problems = _header_problems(rows.line, rows.names, mapped, layout)
    name = rows.sheet.name
    return Table("xlsx", header, _projected(rows, header), problems, sheet=name, line=rows.line, xlsx=rows)


def _header_problems(line: int, names: list[str], mapped: Mapping[str, Field], layout: Layout) -> list[Problem]:
    if not names:
        return [no_header(line)]
    if any("\x00" in name for name in names):
        return [whole(line, names[0], "text without NUL bytes; save the file as CSV in UTF-8")]
    return header_problems(line, names, mapped, has_job=layout.job_id is not None)


def _projected(rows: CsvRows | XlsxRows, header: Header) -> Iterator[RawRow]:
    """The rows with their cells in the order of `Field`."""
    nowhere = len(header.names)
    pick = itemgetter(*(header.places.get(field, nowhere) for field in FIELDS))
    for row in rows:
        if row.problem is None:
            yield RawRow(row.line, pick([*row.cells, _NOTHING]), None, row.hidden)
        else:
            yield row


def _jsonl(file: IO[bytes], layout: Layout, mapped: Mapping[str, Field]) -> Table:
    """JSON Lines have no header: each row has its own width, and the columns are known at the end."""
    table = Table("jsonl", Header((), {}, ()), iter(()), encoding="utf-8")
    table.rows = _json_projected(file, table, mapped)
    first = next(table.rows, None)
    if first is None:
        table.problems = [whole(1, None, "a JSON object in each line", ProblemCode.REQUIRED)]
    if first is not None:
        table.rows = _again(first, table.rows)
    return table


def _again(first: RawRow, rest: Iterator[RawRow]) -> Iterator[RawRow]:
    yield first
    yield from rest


def _json_projected(file: IO[bytes], table: Table, mapped: Mapping[str, Field]) -> Iterator[RawRow]:
    order = {field: place for place, field in enumerate(FIELDS)}
    names = _JsonNames(mapped)
    for line, values, problem in json_rows(file):
        if problem is not None:
            yield RawRow(line, (), problem)
            continue
        cells: list[Cell] = [None] * len(FIELDS)
        twice = None
        seen: set[Field] = set()
        for name, cell in values.items():
            field = names.field_of(name, line)
            if field is None:
                continue
            if field in seen:
                twice = at(line, name, cell, "one name for it; another means the same", ProblemCode.CONFLICT)
            seen.add(field)
            cells[order[field]] = cell
        table.header = names.header
        if twice is not None or not all(map(is_blank, cells)):
            yield RawRow(line, cells, twice)
    table.header = names.whole_header()


class _JsonNames:
    """The names in the lines of a file so far. `header` has those of fields."""

    def __init__(self, mapped: Mapping[str, Field]) -> None:
        self._mapped = mapped
        self._fields: dict[str, Field | None] = {}
        self._told: set[str] = set()
        self.header: Header = Header((), {}, ())

    def field_of(self, name: str, line: int) -> Field | None:
        """The field of this name. Raises `UnreadableError` if there are too many names."""
        if name in self._fields:
            return self._fields[name]
        if name in self._told:
            return None
        field = field_of(name, self._mapped)
        if field is None and not is_unknown(name):
            # A task may have any number of proofs.
            if len(self._told) < MOST_NAMES:
                self._told.add(name)
            return None
        if len(self._fields) >= MOST_NAMES:
            remedy = f"at most {MOST_NAMES} different names in all lines together, as columns have"
            raise UnreadableError(whole(line, name[:100], remedy, ProblemCode.LENGTH))
        self._fields[name] = field
        if field is not None:
            places = {field: len(self.header.names)} | dict(self.header.places)
            self.header = Header((*self.header.names, name), places, ())
        return field

    def whole_header(self) -> Header:
        """The header with the names that are no field, too."""
        others = [name for name, field in self._fields.items() if field is None]
        return attrs.evolve(self.header, names=(*self.header.names, *others), unknown=tuple(others[:MOST_UNKNOWN]))
