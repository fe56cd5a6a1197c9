"""What a command prints: tables for people or JSON for programs on stdout, words on stderr."""

from __future__ import annotations

import csv
import errno
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Literal, TextIO

import attrs
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..models.dollars import in_dollars
from ..models.to_plain import to_jsonable
from ..sheets.cells import guarded
from .safe_text import safe, safe_json

_UNBOUNDED_COLUMNS = 100_000
_MOST_ROWS = 1_000
"""The width of each column is known when all rows of a table are."""
_GAP = 3
"""Spaces between two columns."""
_LEAST_OF_TEXT = 16
"""A longer word of a text may be broken, such as a web address."""
_TEXTS = frozenset(
    (
        *("title", "name", "group", "message", "proofs", "why", "found", "remedy", "value", "was", "is"),
        *("expected", "excludable", "least pay by zone"),
    )
)
_LEAST_FIRST = (
    *("revision", "country", "verdict", "days to rate", "handed in", "group", "at", "bonus", "pay", "unpriced"),
    *("proofs", "message", "worker", "unrated"),
)
"""What is left out if there is no room for all, the least important first."""
_COLOURS = {
    **dict.fromkeys(("running", "rated", "done", "ok"), "green"),
    **dict.fromkeys(("paused", "paused_system", "paused_admin", "sent", "unknown", "note"), "yellow"),
    **dict.fromkeys(("blocked", "declined", "refused", "failed", "problem"), "red"),
}


@attrs.frozen
class Column:
    """A column of a table: its heading, whether it holds numbers, and whether its words have colours."""

    name: str
    is_number: bool = False
    is_state: bool = False
    is_text: bool = attrs.field(kw_only=True)
    """Whether it may be wrapped; decided by its heading if left out."""

    @is_text.default
    def _is_text(self) -> bool:
        return self.name in _TEXTS


class PipeConsole(Console):
    """A console that raises `BrokenPipeError` where its reader left; rich itself raises `SystemExit(1)`."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def say(*lines: str) -> None:
    """Lines for the person at the terminal, on stderr. Each stays one line, whatever it quotes from outside."""
    try:
        sys.stderr.write("".join(f"{safe(line)}\n" for line in lines))
        sys.stderr.flush()
    except OSError:
        # What cannot be said changes nothing of what is done.
        _write_nowhere(sys.stderr)
    except (ValueError, AttributeError):
        # A function of the user's closed the stream, or took it away.
        return


def shown(value: object) -> str:
    """A value of a model in words, safe to show."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return in_dollars(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return safe(str(value))


def counted(count: int, what: str) -> str:
    """So many of these, such as "1 task" and "1,200 tasks"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, whole: str = "--json") -> None:
    """Print a table on stdout, as wide as the terminal or, without one, as it needs. An empty one says `none`.

    An id, a number and a time are never broken, texts are. Columns without room are left out, and named on
    stderr. Of more than 1,000 rows the first are shown, and `whole` is the option that prints all.
    """
    left = iter(rows)
    texts = [[shown(value) for value in row] for row in islice(left, _MOST_ROWS)]
    if not texts:
        say("none")
        return
    is_free = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
    console = Console(
        file=sys.stdout,
        markup=False,
        highlight=False,
        emoji=False,
        width=_UNBOUNDED_COLUMNS if is_free else None,
    )
    least = [_least_width(column, [row[at] for row in texts]) for at, column in enumerate(columns)]
    kept = _with_room(columns, least, console.width)
    console.width = max(console.width, _width(least, kept))
    with console.capture() as captured:
        console.print(_table(columns, texts, kept, least))
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    left_out = [column.name for at, column in enumerate(columns) if at not in kept]
    if left_out:
        say(f"not shown: {', '.join(left_out)}; use a wider terminal, or --json")
    more = sum(1 for _ in left)
    if more:
        say(f"{more:,} more rows are not shown; use {whole} for all")


def _table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], kept: Sequence[int], least: Sequence[int]
) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=any(column.name for column in columns)
    )
    for at in kept:
        justify: Literal["left", "right"] = "right" if columns[at].is_number else "left"
        table.add_column(columns[at].name, justify=justify, overflow="fold", min_width=least[at])
    for row in rows:
        table.add_row(*(_cell(columns[at], row[at]) for at in kept))
    return table


def _least_width(column: Column, texts: Sequence[str]) -> int:
    """The least width of the column in which nothing is broken that must stay whole."""
    heading = max(map(len, column.name.split()), default=0)
    if not column.is_text:
        return max(heading, *map(cell_len, texts))
    longest = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return max(heading, min(longest, _LEAST_OF_TEXT))


def _with_room(columns: Sequence[Column], least: Sequence[int], width: int) -> list[int]:
    """The columns that are shown in this width; the first always is."""
    kept = list(range(len(columns)))
    ranks = {name: rank for rank, name in enumerate(_LEAST_FIRST)}
    droppable = sorted(kept[1:], key=lambda at: (ranks.get(columns[at].name, len(ranks)), -at))
    while droppable and _width(least, kept) > width:
        kept.remove(droppable.pop(0))
    return kept


def _width(least: Sequence[int], kept: Sequence[int]) -> int:
    return sum(least[at] + _GAP for at in kept) - _GAP


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line, on stdout."""
    print_table([Column(""), Column("", is_text=True)], pairs)


def print_json(value: object) -> None:
    """One JSON document, or one line of JSON Lines, on stdout."""
    sys.stdout.write(safe_json(to_jsonable(value)) + "\n")
    # Whoever reads a watch, or the address of a sandbox, waits for each line.
    sys.stdout.flush()


def print_csv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV on stdout, with a heading; what is not known is an empty cell, times are in UTC."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """What the block prints may go nowhere: a reader of stdout that has left changes no exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        print_nowhere()
    except OSError as error:
        print_nowhere()
        say(f"warning: stdout cannot be written: {error.strerror or error}")


def open_closed_streams() -> None:
    """Discard what goes to streams that were closed before Python began; no file of ours gets their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def print_nowhere() -> None:
    """Discard stdout from here on: Python would complain again about the reader who left, at its end."""
    _write_nowhere(sys.stdout)


def _write_nowhere(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _cell(column: Column, text: str) -> Text:
    return Text(text, style=_COLOURS.get(text, "") if column.is_state else "")


def _csv_cell(value: object) -> str:
    plain: Any = to_jsonable(value)
    return "" if plain is None else guarded(safe(str(plain)))
