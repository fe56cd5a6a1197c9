"""Where the demo is shown: a terminal with tables that change in place, or plain lines."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import anyio
from rich import box
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..output import PipeConsole

_COLUMNS, _LEAST_COLUMNS = 80, 20
_REFRESH_SECONDS, _LINE_SECONDS = 0.1, 2.0


class Screen:
    """Paragraphs and tables on stdout, no wider than 80 columns.

    Without a terminal, a table that changes is one line every two seconds, and is printed whole at its end.
    """

    def __init__(self) -> None:
        console = PipeConsole(file=sys.stdout, markup=False, highlight=False, emoji=False)
        console.width = min(console.width, _COLUMNS)
        self._console = console
        self._is_live = console.is_terminal and not console.is_dumb_terminal

    def title(self, text: str) -> None:
        """The heading of a part."""
        self._print(Text(f"\n{text}", style="bold cyan"))

    def say(self, text: str, style: str = "") -> None:
        """A paragraph, on lines of its own."""
        self._print(Text("\n".join(_lines(text, self._console.width)), style=style))

    def gap(self) -> None:
        """An empty line."""
        self._print(Text())

    def step(self, when: float, text: str, style: str = "") -> None:
        """Something that happened this many seconds after the part began; long texts wrap below their start."""
        begins = f"  {when:5.2f} s  "
        width = max(self._console.width - len(begins), _LEAST_COLUMNS)
        lines = f"\n{' ' * len(begins)}".join(_lines(text, width))
        self._print(Text.assemble((begins, "dim"), (lines, style)))

    def table(self, table: Table) -> None:
        """A table that does not change."""
        self._print(_indented(table))

    @asynccontextmanager
    async def watching(self, table: Callable[[], Table], line: Callable[[], str]) -> AsyncIterator[None]:
        """Keep this table up to date while the block lasts, or print this line now and then."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep_new if self._is_live else self._print_lines, table, line)
            yield
            group.cancel_scope.cancel()

    async def _keep_new(self, table: Callable[[], Table], _: Callable[[], str]) -> None:
        shown = _indented(table())
        with Live(shown, console=self._console, auto_refresh=False, vertical_overflow="visible") as live:
            try:
                while True:
                    await anyio.sleep(_REFRESH_SECONDS)
                    live.update(_indented(table()), refresh=True)
            finally:
                live.update(_indented(table()), refresh=True)

    async def _print_lines(self, table: Callable[[], Table], line: Callable[[], str]) -> None:
        try:
            while True:
                await anyio.sleep(_LINE_SECONDS)
                self.say(f"  ... {line()}")
        finally:
            self.table(table())

    def _print(self, what: Text | Padding) -> None:
        if self._is_live:
            self._console.print(what)
            return
        with self._console.capture() as captured:
            self._console.print(what)
        # Cells are filled up with spaces, which a file need not have.
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
        # Whoever reads a pipe, a log of CI for instance, waits for each line.
        sys.stdout.flush()


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _indented(table: Table) -> Padding:
    return Padding(table, (1, 0, 1, 2), expand=False)


def table_of(headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Sequence[int]) -> Table:
    """A table; the columns at these indices hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
