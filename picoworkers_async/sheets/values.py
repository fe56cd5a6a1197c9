"""Values of single cells: marks, ids, amounts, numbers. An invalid one is reported with its remedy."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from ..problems import ProblemCode
from .cells import Cell, Odd, unguarded

_MOST_DIGITS = 40
_EXACT_DIGITS = 15
"""A spreadsheet program keeps this many digits of a number."""

_AMOUNT = re.compile(r"\d{1,40}(?:\.\d{0,40})?|\.\d{1,40}", re.ASCII)
_ROUNDED = re.compile(r"\d+[.,]\d*(?:[eE][+-]?\d+)?|\d+[eE]\+\d+", re.ASCII)
"""A number, by its point or its plus: without either, `158004285e3523` is an id like any other."""

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"(?:\d{{4}}([-/.])\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2\d\d(?:\d\d)?)(?:[ T][\d:. apm]*)?"
    rf"|\d\d?-{_MONTH}(?:-\d\d(?:\d\d)?)?|{_MONTH}-\d\d(?:\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_WHOLE = re.compile(r"\d{1,40}", re.ASCII)
_INVISIBLE = " \t\r\n\xa0\u2007\u202f\u200b\ufeff\v\f\x85\u2028\u2029\u3000"


class CellError(Exception):
    """What a cell should be instead."""

    def __init__(self, remedy: str, code: ProblemCode = ProblemCode.FORMAT) -> None:
        super().__init__(remedy)
        self.remedy: str = remedy
        self.code: ProblemCode = code


def plain(text: str) -> str:
    """A text without the blanks around it, no-break spaces and byte order marks included."""
    return text.strip(_INVISIBLE)


def is_blank(cell: Cell) -> bool:
    """Whether a cell shows nothing."""
    return cell is None or cell is False or (isinstance(cell, str) and not plain(cell))


def is_empty(cell: Cell) -> bool:
    """Whether a cell has no value; FALSE is one."""
    return cell is None or cell == "" or (isinstance(cell, str) and not plain(cell))


def readable(text: str) -> str:
    """The text, if it is one. Raises `CellError` for bytes that could not be decoded, and for NUL."""
    if text.isascii():
        if "\x00" in text:
            raise CellError("text without NUL bytes; save the file as CSV in UTF-8")
        return text
    if "\x00" in text:
        raise CellError("text without NUL bytes; save the file as CSV in UTF-8")
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise CellError('text in UTF-8; save the file as "CSV UTF-8", or say encoding="cp1252"')
    return text


def mark(cell: Cell) -> bool:
    """Whether the cell is marked: `x` in either case, or a spreadsheet program's TRUE."""
    if cell is None or cell is False or cell == "":
        return False
    if cell is True:
        return True
    if isinstance(cell, str):
        text = plain(cell).lower()
        if text in ("", "false"):
            return False
        if text in ("x", "true"):
            return True
    raise CellError("x, or nothing at all", ProblemCode.CHOICE)


def identifier(cell: Cell) -> str:
    """An id. Raises `CellError` for one that a spreadsheet program turned into something else."""
    if isinstance(cell, str):
        if cell.isalnum() and cell.isascii():  # nearly all are
            return cell
        text = unguarded(plain(readable(cell)))
        if not text:
            raise CellError("an id", ProblemCode.REQUIRED)
        made = "a rounded number" if _ROUNDED.fullmatch(text) else "a date" if _DATE.fullmatch(text) else None
        if made is not None:
            raise CellError(
                f"the id itself: a spreadsheet program turned it into {made}. Export again, and import the column "
                "as text, or use .xlsx"
            )
        if text.startswith("#"):
            raise CellError("the id itself: a spreadsheet program shows that where it has no room, or no value")
        for character in text:
            # Two ids that look alike would be two tasks, each with its bonus.
            if unicodedata.category(character) in ("Cf", "Cc", "Zs", "Zl", "Zp"):
                raise CellError(f"an id without blanks and invisible characters, such as U+{ord(character):04X}")
        return text
    if isinstance(cell, Decimal):
        if cell == cell.to_integral_value() and 0 <= cell < Decimal(10) ** _EXACT_DIGITS:
            return str(int(cell))
        raise CellError("the id itself, as text: as a number it was rounded. Export again")
    if cell is None:
        raise CellError("an id", ProblemCode.REQUIRED)
    raise _wrong(cell, "an id")


def worker(cell: Cell) -> str | None:
    """The id of a worker; None for what is none, because it is never sent and keeps nobody from being paid."""
    if isinstance(cell, str) and cell.isalnum() and cell.isascii():  # nearly all are
        return cell
    try:
        return identifier(cell)
    except CellError:
        return None


def amount(cell: Cell) -> Decimal:
    """An amount in US dollars. Raises `CellError` for what can be read in two ways."""
    if isinstance(cell, Decimal):
        return cell
    if not isinstance(cell, str):
        raise _wrong(cell, "an amount such as 0.05")
    text = plain(readable(cell))
    if _AMOUNT.fullmatch(text):
        return Decimal(text)
    raise CellError(_amount_remedy(text))


def _amount_remedy(text: str) -> str:
    bare = re.sub(r"[\s\xa0]|\$|€|US\$|USD", "", text[:_MOST_DIGITS], flags=re.IGNORECASE)
    if re.fullmatch(r"\d+,\d{1,2}|\d*,\d{4,}|0+,\d*", bare):
        return f"{bare.replace(',', '.')}, with a point instead of the comma"
    if re.fullmatch(r"[\d,.']+", bare) and ("," in bare or "'" in bare or bare.count(".") > 1):
        return "an amount without thousands separators, such as 1000.50"
    if _AMOUNT.fullmatch(bare):
        if re.search(r"\d\s+\d", text):
            return f"{bare}, without spaces"
        return f"{bare}, without the currency"
    if re.fullmatch(r"[+-]?[\d.]+[eE][+-]?\d{1,2}", bare):
        try:
            return f"{Decimal(bare):f}, written out"
        except ArithmeticError:
            pass
    if bare.startswith(("-", "\u2212")):
        return "an amount of at least 0"
    return "an amount in US dollars such as 0.05, or nothing at all"


def whole(cell: Cell) -> int:
    """A whole number of at least 0."""
    if isinstance(cell, Decimal):
        if cell == cell.to_integral_value() and 0 <= cell < Decimal(10) ** _MOST_DIGITS:
            return int(cell)
    elif isinstance(cell, str):
        text = plain(readable(cell))
        if _WHOLE.fullmatch(text):
            return int(text)
    else:
        raise _wrong(cell, "a whole number")
    raise CellError("a whole number, or nothing at all")


def revision(cell: Cell) -> int | None:
    """A revision number; None for N/A, which the marketplace's own file has."""
    if isinstance(cell, str) and cell.isdigit() and cell.isascii() and len(cell) <= _MOST_DIGITS:  # nearly all are
        return int(cell)
    if isinstance(cell, str) and not cell.isdecimal() and plain(cell).upper() in ("N/A", "NA"):
        return None
    return whole(cell)


def words(cell: Cell) -> str:
    """A text, exactly as it is."""
    if isinstance(cell, str):
        return readable(cell)
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    raise _wrong(cell, "a text")


def word(cell: Cell) -> str:
    """One of a few words, without regard to blanks."""
    return re.sub(r"[\s-]+", "_", plain(words(cell)).lower())


def _wrong(cell: Cell, wanted: str) -> CellError:
    what = f"{cell.kind}" if isinstance(cell, Odd) else "TRUE or FALSE" if isinstance(cell, bool) else "nothing"
    return CellError(f"{wanted}, not {what}", ProblemCode.TYPE)
