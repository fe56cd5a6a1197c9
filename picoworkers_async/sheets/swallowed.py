"""Rows that a quote which is closed too late made part of a comment: a worker would be sent them."""

from __future__ import annotations

import re

from . import values
from .columns import Field, Header

_LINE_END = re.compile(r"\r\n|\r|\n")
_MARKS = (Field.SATISFIED, Field.NOT_SATISFIED, Field.REVISE_TASK, Field.BLOCK_WORKER)


def holds_rows(comment: str, header: Header, delimiter: str) -> bool:
    """Whether lines of this comment of a CSV look like rows of it.

    They do where they have as many delimiters as a row, an id and marks in their places. This may be meant, as
    where a comment quotes a table, so it is a reason to warn, not to refuse.
    """
    if "\n" not in comment and "\r" not in comment:
        return False
    first, *between, last = _LINE_END.split(comment)
    place = header.places[Field.COMMENT]
    after = len(header.names) - 1 - place
    if any(line.count(delimiter) >= place + after and _is_like_a_row(line, header, delimiter) for line in between):
        return True
    # Of two rows that became one, the first ends in this cell's first line, and the second begins in its last.
    is_torn = first.count(delimiter) >= after and last.count(delimiter) == place
    return bool(is_torn and place and _is_like_a_row(last, header, delimiter))


def _is_like_a_row(line: str, header: Header, delimiter: str) -> bool:
    """Whether, as far as the line goes, one word is where the task's id would be, and marks where marks would."""
    cells = [cell.strip(' "') for cell in line.split(delimiter)]
    here = {field: cells[place] for field, place in header.places.items() if place < len(cells)}
    if len(here.get(Field.TASK_ID, "-").split()) != 1:
        return False
    try:
        for field in _MARKS:
            values.mark(here.get(field, ""))
    except values.CellError:
        return False
    return True
