"""`rows`: the cells of a sheet as data, with guards and escapes removed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs

from ..errors import InvalidRequestError
from ..regular_file import open_regular
from .cells import Cell, unescaped, unguarded
from .csv_rows import CsvRows
from .json_rows import json_rows
from .layout import BEFORE, IDENTIFIERS
from .problems import SheetError, UnreadableError
from .raw import RawRow
from .reading import encoding_problems, path_problems
from .tables import FORMATS
from .xlsx_rows import XlsxRows

_PART = re.compile(r"(PROOF_\d+)_PART_\d+")
_OF_WORKERS = re.compile(r"PROOF_\d+(?:_PART_\d+)?")


@attrs.frozen
class SheetRow:
    """A row that is not blank: the line in which it begins, and its cells by the names of their columns."""

    line: int
    cells: dict[str, Cell]


def rows(
    path: str | os.PathLike[str], *, encoding: str | None = None, sheet: str | None = None
) -> Iterator[SheetRow]:
    """Iterate over the rows of a .csv, .jsonl or .xlsx as they are, without interpreting them.

    In a sheet that `export` made, the texts of workers are as they were handed in: what made them harmless in a
    CSV is undone, and the parts of a long proof are joined. Such a text may be a formula, so be careful where
    you write it. A cell is a text or, where the format has such a type, a bool, a `Decimal`, None, or an `Odd`
    for anything else. `encoding` and `sheet` are as in `check`. Raises `SheetError` for a file or a row that
    cannot be read, when it reaches it; `InvalidRequestError` for arguments; and `OSError`.
    """
    file = Path(path)
    problems = path_problems(file) + encoding_problems(encoding)
    if problems:
        raise InvalidRequestError("sheets.rows", problems, sends=False)
    return _rows(file, encoding, sheet)


def _rows(path: Path, encoding: str | None, sheet: str | None) -> Iterator[SheetRow]:
    kind = FORMATS[path.suffix.lower()]
    try:
        with open_regular(path) as file:
            if kind == "csv":
                with closing(CsvRows(file, encoding, {})) as lines:
                    yield from _named(path, lines.names, lines, is_csv=True)
            elif kind == "xlsx":
                with closing(XlsxRows(file, sheet, {})) as book:
                    yield from _named(path, book.names, book, is_csv=False)
            else:
                for line, cells, problem in json_rows(file):
                    if problem is not None:
                        raise SheetError(path, [problem])
                    yield SheetRow(line, dict(cells))
    except UnreadableError as error:
        raise SheetError(path, [error.problem]) from None


def _named(path: Path, names: list[str], rows: CsvRows | XlsxRows, *, is_csv: bool) -> Iterator[SheetRow]:
    is_ours = set(BEFORE) <= set(names)
    keys = [name or f"(column {place})" for place, name in enumerate(names, 1)]
    for row in rows:
        if row.problem is not None:
            raise SheetError(path, [row.problem])
        yield SheetRow(
            row.line, _undone(keys, row, is_csv=is_csv) if is_ours else dict(zip(keys, row.cells, strict=True))
        )


def _undone(names: list[str], row: RawRow, *, is_csv: bool) -> dict[str, Cell]:
    """The cells of one of our sheets as they were before they were written."""
    found: dict[str, Cell] = {}
    for name, cell in zip(names, row.cells, strict=True):
        value = cell
        if isinstance(cell, str) and is_csv and (name in IDENTIFIERS or _OF_WORKERS.fullmatch(name)):
            value = unescaped(unguarded(cell))
        part = _PART.fullmatch(name)
        if part is None:
            found[name] = "" if value is None else value
        elif isinstance(value, str):
            found[part[1]] = f"{found.get(part[1], '')}{value}"
    return found
