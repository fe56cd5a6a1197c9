"""What a command prints: tables for people or JSON for programs on stdout, words on stderr."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..models.to_plain import to_jsonable
from ..sheets.cells import guarded
from .safe_text import safe, safe_json

_UNBOUNDED_COLUMNS = 100_000
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


def say(*lines: str) -> None:
    """Lines for the person at the terminal, on stderr. One stays one, whatever it quotes from outside."""
    sys.stderr.write("".join(f"{safe(line)}\n" for line in lines))
    sys.stderr.flush()


def shown(value: object) -> str:
    """A value of a model in words, safe to show."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return safe(str(value))


def dollars(amount: Decimal) -> str:
    """An amount with its cents, and with what is finer where it is."""
    whole, _, parts = f"{amount:f}".partition(".")
    return f"{whole}.{parts.rstrip('0').ljust(2, '0')}"


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout, as wide as the terminal; where there is none, as wide as it needs."""
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=any(column.name for column in columns)
    )
    for column in columns:
        table.add_column(column.name, justify="right" if column.is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(column, value) for column, value in zip(columns, row, strict=True)))
    is_free = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
    console = Console(
        file=sys.stdout,
        markup=False,
        highlight=False,
        emoji=False,
        width=_UNBOUNDED_COLUMNS if is_free else None,
    )
    console.print(table)


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line, on stdout."""
    print_table([Column(""), Column("")], pairs)


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
    """What is printed in the block may go nowhere: who read stdout has enough, and that changes no exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        print_nowhere()


def print_nowhere() -> None:
    """From here on: Python would complain of a reader who left once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cell(column: Column, value: object) -> Text:
    text = shown(value)
    return Text(text, style=_COLOURS.get(text, "") if column.is_state else "")


def _csv_cell(value: object) -> str:
    plain: Any = to_jsonable(value)
    return "" if plain is None else guarded(safe(str(plain)))
