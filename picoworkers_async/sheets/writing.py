"""Write rows to a CSV, JSON Lines or XLSX: no program runs their texts, and they can be read back unchanged."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO
from xml.sax.saxutils import escape

from .cells import escaped, guarded, guarded_id
from .layout import IDENTIFIERS
from .xlsx_rows import column_name

WriteRow = Callable[[Sequence[str]], None]

_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_RELATIONS}">'
    '<sheets><sheet name="Tasks" sheetId="1" r:id="rId1"/></sheets></workbook>',
    # Format 49 is text: what somebody types into such a cell stays as it was typed, an id or 0,05 too.
    "xl/styles.xml": f'<styleSheet xmlns="{_NAMESPACE}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_BLANKS = re.compile(r"^\s|\s$|\s\s|\n")


@contextmanager
def open_writer(kind: str, file: IO[bytes], columns: Sequence[str]) -> Iterator[WriteRow]:
    """What writes rows in this format into the file, below a first line with the names of the columns."""
    writers = {"csv": csv_writer, "jsonl": jsonl_writer, "xlsx": xlsx_writer}
    with writers[kind](file, columns) as write:
        yield write


@contextmanager
def csv_writer(file: IO[bytes], columns: Sequence[str]) -> Iterator[WriteRow]:
    """CSV in UTF-8, with the byte order mark by which Excel knows it."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(columns)
    ids = [name in IDENTIFIERS for name in columns]

    def write(cells: Sequence[str]) -> None:
        safe = (escaped(cell, carriage_returns=False) for cell in cells)
        writer.writerow(
            guarded_id(cell) if is_id else guarded(cell) for cell, is_id in zip(safe, ids, strict=True)
        )

    yield write
    text.flush()
    text.detach()


@contextmanager
def jsonl_writer(file: IO[bytes], columns: Sequence[str]) -> Iterator[WriteRow]:
    """JSON Lines, where every text is data already."""

    def write(cells: Sequence[str]) -> None:
        file.write(json.dumps(dict(zip(columns, cells, strict=True))).encode() + b"\n")

    yield write


@contextmanager
def xlsx_writer(file: IO[bytes], columns: Sequence[str]) -> Iterator[WriteRow]:
    """A workbook of one sheet whose cells have the type text.

    Written here and not by a library: xlsxwriter, when it streams, takes a text from `<r>` to `</r>` for its own
    XML, and openpyxl takes one that begins with = for a formula. Both keep memory flat; neither keeps every
    text.
    """
    letters = [column_name(place) for place in range(len(columns))]
    with tempfile.TemporaryFile() as part:
        write_part = io.TextIOWrapper(part, "utf-8", newline="")
        write_part.write(f'{_HEAD}<worksheet xmlns="{_NAMESPACE}"><sheetViews><sheetView workbookViewId="0">')
        write_part.write('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>')
        write_part.write(f'</sheetView></sheetViews><cols><col min="1" max="{len(columns)}" width="18" style="1"')
        write_part.write(' customWidth="1"/></cols><sheetData>')
        rows = 0

        def write(cells: Sequence[str], style: int = 1) -> None:
            nonlocal rows
            rows += 1
            write_part.write(f'<row r="{rows}">')
            for letter, cell in zip(letters, cells, strict=True):
                if cell:
                    write_part.write(f'<c r="{letter}{rows}" s="{style}" t="inlineStr"><is>{_text(cell)}</is></c>')
            write_part.write("</row>")

        write(columns, 2)
        yield write
        write_part.write("</sheetData></worksheet>")
        write_part.flush()
        _pack(file, part)
        write_part.detach()


def _text(cell: str) -> str:
    safe = escape(escaped(cell, carriage_returns=True))
    return f'<t xml:space="preserve">{safe}</t>' if _BLANKS.search(safe) else f"<t>{safe}</t>"


def _pack(file: IO[bytes], part: IO[bytes]) -> None:
    size = part.tell()
    part.seek(0)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, xml in _PARTS.items():
            archive.writestr(name, _HEAD + xml)
        info = zipfile.ZipInfo("xl/worksheets/sheet1.xml", (1980, 1, 1, 0, 0, 0))
        info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, size
        with archive.open(info, "w") as packed:
            while chunk := part.read(256 * 1024):
                packed.write(chunk)
