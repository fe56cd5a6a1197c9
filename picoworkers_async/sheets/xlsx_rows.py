"""The rows of an XLSX, one piece of the file after the other.

Read by the standard library's own parser, not by a library for spreadsheets: openpyxl keeps every shared string
in memory and, when it streams, says nothing about merged and hidden cells; python-calamine keeps whole sheets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from ..problems import ProblemCode
from .cells import Cell, Odd, unescaped
from .columns import Field, field_of
from .problems import UnreadableError, whole
from .raw import RawRow
from .values import is_blank
from .xlsx_book import SheetPart, read_book
from .xlsx_strings import SharedStrings, TextParts
from .xlsx_zip import Archive, Attributes, local, unreadable

MOST_COLUMNS = 16_384
MOST_ROWS = 1_048_576
_MOST_MERGED = 100_000
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_A_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?", re.ASCII)

Merged = tuple[int, int, int, int]
"""The first row and column of merged cells, and the last; columns count from 0, rows from 1."""


class XlsxRows:
    """The names of the columns of one sheet and, when iterated, the rows below them. Close it.

    Without `sheet`, the only one that is shown and has known columns. `merged` is known at the end. Raises
    `UnreadableError` for a file that cannot be read as a workbook.
    """

    def __init__(self, file: IO[bytes], sheet: str | None, mapped: Mapping[str, Field]) -> None:
        self._archive = Archive(file)
        book = read_book(self._archive)
        self._kinds = book.kinds
        self._strings = SharedStrings(self._archive, book.strings)
        try:
            self.sheet: SheetPart = self._choose(book.sheets, sheet, mapped)
            self.merged: list[Merged] = []
            self._rows = self._read(self.sheet)
            header = self._header(self._rows)
        except BaseException:
            self._strings.close()
            raise
        self.line: int = 1 if header is None else header.line
        self.names: list[str] = [] if header is None else _names(header.cells)

    def close(self) -> None:
        """Remove its temporary files."""
        self._strings.close()

    def __iter__(self) -> Iterator[RawRow]:
        width = len(self.names)
        for row in self._rows:
            cells = list(row.cells[:width])
            cells += [None] * (width - len(cells))
            if not all(map(is_blank, cells)):
                yield row._replace(cells=cells)

    def _choose(self, sheets: Sequence[SheetPart], wanted: str | None, mapped: Mapping[str, Field]) -> SheetPart:
        names = ", ".join(repr(sheet.name) for sheet in sheets[:20])
        if wanted is not None:
            for sheet in sheets:
                if sheet.name == wanted:
                    return sheet
            raise unreadable(f"a workbook with a sheet {wanted!r}; it has {names or 'none'}", ProblemCode.CHOICE)
        shown = [sheet for sheet in sheets if sheet.shown]
        if len(shown) < 2:
            if shown:
                return shown[0]
            raise unreadable("a workbook with a sheet that is shown", ProblemCode.REQUIRED)
        fitting = [sheet for sheet in shown if self._means_something(sheet, mapped)]
        if len(fitting) > 1:
            both = ", ".join(repr(sheet.name) for sheet in fitting[:20])
            raise unreadable(f"sheet= to say which sheet is meant: {both}", ProblemCode.CONFLICT)
        return fitting[0] if fitting else shown[0]

    def _means_something(self, sheet: SheetPart, mapped: Mapping[str, Field]) -> bool:
        self.merged = []
        header = self._header(self._read(sheet))
        names = [] if header is None else _names(header.cells)
        return any(field_of(name, mapped) is Field.TASK_ID for name in names)

    def _header(self, rows: Iterator[RawRow]) -> RawRow | None:
        return next((row for row in rows if not all(map(is_blank, row.cells))), None)

    def _read(self, sheet: SheetPart) -> Iterator[RawRow]:
        parts = _SheetParser(self._strings, self._kinds, self.merged)
        for _ in self._archive.parse(sheet.part, parts.prepare):
            yield from parts.take()


def _names(cells: Sequence[Cell]) -> list[str]:
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


class _SheetParser:
    """Makes rows from the elements of a sheet."""

    def __init__(self, strings: SharedStrings, kinds: Sequence[str | None], merged: list[Merged]) -> None:
        self._strings, self._kinds, self._merged = strings, kinds, merged
        self._rows: list[RawRow] = []
        self._cells: list[Cell] = []
        self._width = MOST_COLUMNS
        self._line = self._column = 0
        self._hidden = self._in_value = self._has_value = self._has_formula = False
        self._type = self._style = ""
        self._text = TextParts()
        self._value: list[str] = []
        self._size = 0

    def take(self) -> list[RawRow]:
        """The rows that are complete."""
        rows, self._rows = self._rows, []
        return rows

    def prepare(self, parser: Any) -> None:
        """Give the parser its handlers."""
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._data

    def _start(self, full_name: str, attributes: Attributes) -> None:
        name = local(full_name)
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            if self._has_value:
                raise unreadable(f"a whole workbook: a cell of row {self._line} has two values")
            self._in_value = self._has_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._line = _number(attributes.get("r"), self._line + 1, MOST_ROWS, self._line)
            self._hidden = attributes.get("hidden") in ("1", "true")
            self._cells, self._column = [], -1
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        else:
            self._text.start(name)

    def _begin_cell(self, attributes: Attributes) -> None:
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        column = self._column + 1 if found is None else _column(found[1])
        if not self._column < column < MOST_COLUMNS:
            raise unreadable(f"a whole workbook: row {self._line} has its cells out of order")
        self._column = column
        self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._has_formula = self._has_value = False
        self._value.clear()
        self._size = 0
        self._text.take()

    def _data(self, text: str) -> None:
        if self._in_value:
            self._size += len(text)
            if self._size > MOST_COLUMNS * 64:
                raise unreadable("cells of at most a million characters", ProblemCode.LENGTH)
            self._value.append(text)
        else:
            self._text.data(text)

    def _end(self, full_name: str) -> None:
        name = local(full_name)
        if name == "c":
            cell = self._cell()
            if cell is not None:
                # Right of the header it only matters that there is something.
                column = min(self._column, self._width)
                if len(self._cells) <= column:
                    self._cells += [None] * (column - len(self._cells))
                    self._cells.append(cell)
        elif name == "v":
            self._in_value = False
        elif name == "row":
            if self._cells and self._width == MOST_COLUMNS:
                # The first that has any is the header.
                self._width = len(self._cells)
            self._rows.append(RawRow(self._line, self._cells, None, self._hidden))
        else:
            self._text.end(name)

    def _cell(self) -> Cell:
        kind, value = self._type, "".join(self._value)
        if kind == "inlineStr":
            return unescaped(self._text.take())
        if self._has_formula and not value and not (kind == "str" and self._has_value):
            return Odd("a formula without a value", "(open it in a spreadsheet program, and save it)")
        if kind == "s":
            index = value.strip()
            if not (index.isascii() and index.isdigit()):
                return Odd("a text that is not in the workbook", value) if self._has_value else None
            return unescaped(self._strings.get(int(index)))
        if kind == "str":
            return unescaped(value)
        if kind == "b":
            return value.strip() in ("1", "true")
        if kind == "e":
            return Odd("an error", value)
        if kind == "d":
            return Odd("a date", value)
        return self._numeric(value.strip()) if value.strip() else None

    def _numeric(self, value: str) -> Cell:
        style = int(self._style) if self._style.isdigit() and len(self._style) < 7 else 0
        kind = self._kinds[style] if style < len(self._kinds) else None
        if kind is not None:
            return Odd(kind, value)
        if _A_NUMBER.fullmatch(value) is None:
            return Odd("no number", value)
        try:
            # A number is kept in binary; its 15 digits are those that are shown.
            return Decimal(f"{float(value):.15g}")
        except (ValueError, InvalidOperation, OverflowError):
            return Odd("no number", value)

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        begin, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
        if begin and end and len(self._merged) < _MOST_MERGED:
            self._merged.append((int(begin[2]), _column(begin[1]), int(end[2]), _column(end[1])))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_name(place: int) -> str:
    """The letters of a column, counted from 0."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def _number(text: str | None, otherwise: int, most: int, before: int) -> int:
    number = otherwise if text is None or not (text.isascii() and text.isdigit()) else int(text[:9])
    if not before < number <= most:
        raise UnreadableError(whole(before or 1, text, "a whole workbook, with its rows in order"))
    return number
