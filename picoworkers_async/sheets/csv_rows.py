"""The rows of a CSV from any program: finds its encoding and delimiter, and keeps line numbers right."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import IO

from ..problems import ProblemCode
from .columns import Field, field_of
from .problems import UnreadableError, whole
from .raw import RawRow
from .values import plain

MOST_CHARACTERS = 4 * 1024 * 1024
"""No line is longer: an unbounded one would fill the memory."""

MOST_OF_ROW = 16 * 1024 * 1024
"""No row is longer, over however many lines it goes: its cells are in memory at once."""

_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


class CsvRows:
    """The names of the columns and, when iterated, the rows below them. Close it.

    `encoding` and `delimiter` are those that were found. Bytes that are not of the encoding become lone
    surrogates, so that they matter only to who reads such a cell. Raises `UnreadableError` for a file that
    cannot be read as CSV.
    """

    def __init__(self, file: IO[bytes], encoding: str | None, mapped: Mapping[str, Field]) -> None:
        self.encoding: str = _encoding(file, encoding)
        # A lone surrogate cannot stand for half of a character of two bytes.
        errors = "strict" if self.encoding.startswith("utf-16") else "surrogateescape"
        self._text = io.TextIOWrapper(file, self.encoding, errors, newline="")
        try:
            self._read_header(mapped)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the file, which stays open."""
        self._text.detach()

    def _read_header(self, mapped: Mapping[str, Field]) -> None:
        self._lines = _lines(self._text, self.encoding)
        self._before = 0
        first = next(self._lines, "")
        self.delimiter: str = ""
        if told := _SEPARATOR.fullmatch(first):
            self.delimiter = told[1]
            self._before += 1
            first = next(self._lines, "")
        while first and not plain(first):
            self._before += 1
            first = next(self._lines, "")
        self.delimiter = self.delimiter or _delimiter(first, mapped)
        self._length = 0
        self._reader = csv.reader(self._bounded(first), delimiter=self.delimiter, strict=True)
        self.line: int = self._before + 1
        header = next(self._rows(), None)
        self.names: list[str] = [] if header is None else [plain(str(cell)) for cell in header.cells]
        while self.names and not self.names[-1]:
            self.names.pop()

    def __iter__(self) -> Iterator[RawRow]:
        width = len(self.names)
        for row in self._rows():
            cells = row.cells
            if len(cells) == width:
                if any(cells) and not "".join(map(str, cells)).isspace():
                    yield row
            elif not any(plain(str(cell)) for cell in cells):
                continue
            elif len(cells) > width and not any(plain(str(cell)) for cell in cells[width:]):
                yield RawRow(row.line, cells[:width])
            else:
                few = "fewer" if len(cells) < width else "more"
                remedy = (
                    f"{width} cells, as in the first line, and not {few}: a text with {self.delimiter!r} or a "
                    "line break in it needs quotes, and a file that ends early is not whole"
                )
                problem = whole(row.line, f"{len(cells)} cells", remedy, ProblemCode.LENGTH)
                yield RawRow(row.line, (), problem)

    def _bounded(self, first: str) -> Iterator[str]:
        """The lines from this first one on; none that makes a row too long."""
        for line in _again(first, self._lines):
            self._length += len(line)
            if self._length > MOST_OF_ROW:
                raise _TooLongError
            yield line

    def _rows(self) -> Iterator[RawRow]:
        reader = self._reader
        while True:
            line = self._before + reader.line_num + 1
            self._length = 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _TooLongError:
                remedy = f"a row of at most {MOST_OF_ROW} characters; perhaps a quote in it is never closed"
                raise UnreadableError(whole(line, None, remedy, ProblemCode.LENGTH)) from None
            except csv.Error as error:
                raise UnreadableError(whole(line, str(error), _remedy(str(error)))) from None
            if cells:
                yield RawRow(line, cells)


class _TooLongError(Exception):
    """The row goes over too many lines."""


def _remedy(error: str) -> str:
    if "limit" in error:
        most = csv.field_size_limit()
        return f"cells of at most {most} characters; perhaps a quote that begins a cell here is never closed"
    if "end of data" in error:
        return "a closing quote for the cell that begins with one here"
    return "a quote inside of a quoted cell written twice, and nothing but a delimiter after a closing one"


def _encoding(file: IO[bytes], told: str | None) -> str:
    start = file.read(4)
    file.seek(0)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return codecs.lookup(told).name if told else "utf-8"


def _lines(text: io.TextIOWrapper, encoding: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        try:
            line = text.readline(MOST_CHARACTERS)
        except UnicodeError as error:
            raise UnreadableError(whole(number, None, f"a file in {encoding}: {error}")) from None
        if not line:
            return
        if len(line) >= MOST_CHARACTERS:
            remedy = f"lines of fewer than {MOST_CHARACTERS} characters"
            raise UnreadableError(whole(number, None, remedy, ProblemCode.LENGTH))
        yield line


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _delimiter(first: str, mapped: Mapping[str, Field]) -> str:
    """The delimiter by which the first line has the most known columns, then the most columns."""

    def worth(delimiter: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:
            # With this one it is a single huge cell.
            return 0, 0
        return sum(field_of(name.strip(), mapped) is not None for name in names), len(names)

    return max(_DELIMITERS, key=worth)
