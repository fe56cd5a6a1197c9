"""Cells of a sheet: values, and texts written so that no program runs them and that are read back unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import attrs

MOST_UNITS = 32_767
"""A cell of Excel holds this many characters, counted in UTF-16."""

_EXECUTED = "['=+@\\-\uff1d\uff0b\uff0d\uff20]"
"""What begins a formula, full-width forms included, and the apostrophe that guards from it."""

# Quotes are passed over: after a delimiter that is not ours, a doubled one reads as a quoted text's begin and end.
_BEGINS_FORMULA = re.compile(rf"""^(?=[\s"]*{_EXECUTED}|[\t\r\n])|[;\t\r\n](?=(?:[^\S\t\r\n]|")*{_EXECUTED})""")
_GUARD = re.compile(r"(^|[;\t\r\n])'")

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNHELD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_UNHELD_OR_CR = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_LIKE_A_NUMBER = re.compile(r"[0-9.,+-]+(?:[eE][+-]?[0-9]+)?")


@attrs.frozen
class Odd:
    """A value that none of our columns has, such as a date: `kind` says what it is, `text` how it is written."""

    kind: str
    text: str

    def __repr__(self) -> str:
        return f"{self.kind} {self.text}"


Cell = str | bool | Decimal | Odd | None
"""A text, a truth value, a number, something else, or nothing. CSV has texts only."""


def escaped(text: str, *, carriage_returns: bool) -> str:
    """The text without characters that a sheet cannot hold, each as `_xHHHH_`, as Excel itself does.

    What looks like that already is escaped too, so that `unescaped` returns any text unchanged. XML cannot hold
    carriage returns, for example.
    """
    unheld = _UNHELD_OR_CR if carriage_returns else _UNHELD
    return unheld.sub(lambda found: f"_x{ord(found.group()):04X}_", text)


def unescaped(text: str) -> str:
    """The text that was given to `escaped`."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)


def guarded(text: str) -> str:
    """The text for a CSV, where an apostrophe keeps what looks like a formula from being run.

    There is one inside the text, too, where a program that splits at semicolons or tabs, even within quotes,
    would begin a cell.
    """
    return _BEGINS_FORMULA.sub(r"\g<0>'", text)


def unguarded(text: str) -> str:
    """The text that was given to `guarded`."""
    return _GUARD.sub(r"\1", text) if "'" in text else text


def guarded_id(text: str) -> str:
    """An id for a CSV, guarded if a spreadsheet program would take it for a number."""
    return f"'{text}" if _LIKE_A_NUMBER.fullmatch(text) else guarded(text)


def units(text: str) -> int:
    """The length of a text as Excel counts it."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def split(text: str) -> Iterator[str]:
    """The text in pieces that each fit a cell, even escaped and guarded."""
    if len(text) * 7 < MOST_UNITS or _fits(text):
        yield text
        return
    begin = 0
    while begin < len(text):
        end = min(len(text), begin + MOST_UNITS - 1)
        while not _fits(text[begin:end]):
            end = begin + (end - begin) * 3 // 4
        yield text[begin:end]
        begin = end


def _fits(text: str) -> bool:
    return len(text) < MOST_UNITS and units(escaped(text, carriage_returns=True)) < MOST_UNITS
