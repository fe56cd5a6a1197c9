"""A workbook's description of its sheets, and of how numbers are shown in them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

import attrs

from .xlsx_zip import Archive, Attributes, local

_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_PERCENTAGES = frozenset((9, 10))
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_DATE_LETTERS = re.compile(r"[dmyhs]", re.IGNORECASE)


@attrs.frozen
class SheetPart:
    """A sheet: its name, the part that holds it, and whether it is shown."""

    name: str
    part: str
    shown: bool


@attrs.frozen
class Book:
    """A workbook: its sheets in order, the part with its strings, and how each style shows numbers."""

    sheets: Sequence[SheetPart]
    strings: str | None
    kinds: Sequence[str | None]


def read_book(archive: Archive) -> Book:
    """The workbook's description of itself. Raises `UnreadableError` if it says too little."""
    root = _relations(archive, "_rels/.rels", "")
    book = next((target for kind, target in root.values() if kind == "officeDocument"), "xl/workbook.xml")
    folder, name = posixpath.split(book)
    relations = _relations(archive, posixpath.join(folder, "_rels", f"{name}.rels"), folder)
    sheets = []

    def start(element: str, attributes: Attributes) -> None:
        if element == "sheet":
            by_name = {local(key): value for key, value in attributes.items()}
            key = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            kind, part = relations.get(key, ("", ""))
            is_shown = by_name.get("state", "visible") == "visible"
            if kind == "worksheet":
                sheets.append(SheetPart(by_name.get("name", ""), part, is_shown))

    archive.read(book, start)
    by_kind = dict(relations.values())
    styles = by_kind.get("styles")
    kinds = _number_kinds(archive, styles) if styles and archive.has(styles) else []
    return Book(sheets, by_kind.get("sharedStrings"), kinds)


def _relations(archive: Archive, part: str, folder: str) -> dict[str, tuple[str, str]]:
    """The parts that a part refers to: kind and part by id."""
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, attributes: Attributes) -> None:
        if element == "Relationship":
            target = attributes.get("Target", "")
            path = target if target.startswith("/") else posixpath.join(folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = kind, posixpath.normpath(path).lstrip("/")

    if archive.has(part):
        archive.read(part, start)
    return found


def _number_kinds(archive: Archive, part: str) -> list[str | None]:
    """How each style shows numbers: as a date, a percentage, or None for a number."""
    formats: dict[str, str | None] = {str(number): "a date" for number in _DATES}
    formats |= {str(number): "a percentage" for number in _PERCENTAGES}
    kinds: list[str | None] = []
    within = False

    def start(element: str, attributes: Attributes) -> None:
        nonlocal within
        if element == "numFmt":
            formats[attributes.get("numFmtId", "")] = _kind_of(attributes.get("formatCode", ""))
        elif element in ("cellXfs", "cellStyleXfs", "dxfs"):
            within = element == "cellXfs"
        elif element == "xf" and within:
            kinds.append(formats.get(attributes.get("numFmtId", "")))

    archive.read(part, start)
    return kinds


def _kind_of(code: str) -> str | None:
    bare = _QUOTED.sub("", code)
    if bare.lower().startswith("general"):
        return None
    if "%" in bare:
        return "a percentage"
    return "a date" if _DATE_LETTERS.search(bare) else None
