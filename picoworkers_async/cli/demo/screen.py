"""Where the demo is shown: a terminal with tables that change in place, or plain lines."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import anyio
from rich import box
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_COLUMNS = 80
_REFRESH_SECONDS, _LINE_SECONDS = 0.1, 2.0


class Screen:
    """Paragraphs and tables on stdout, no wider than 80 columns.

    Without a terminal a table that changes is one line every two seconds, and whole at its end.
    """

    def __init__(self) -> None:
        console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False)
        console.width = min(console.width, _COLUMNS)
        self._console = console
        self._is_live = console.is_terminal and not console.is_dumb_terminal

    def title(self, text: str) -> None:
        """The heading of a part."""
        self._console.print(Text(f"\n{text}", style="bold cyan"))

    def say(self, text: str, style: str = "") -> None:
        """A paragraph."""
        self._console.print(Text(text, style=style))

    def step(self, when: float, text: str, style: str = "") -> None:
        """Something that happened so many seconds after the part began; long ones go on below their beginning."""
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text(f"  {when:5.2f} s", style="dim"), Text(text, style=style))
        self._show(grid)

    def table(self, table: Table) -> None:
        """A table that does not change."""
        self._show(Padding(table, (0, 0, 0, 2)))

    @asynccontextmanager
    async def watching(self, table: Callable[[], Table], line: Callable[[], str]) -> AsyncIterator[None]:
        """Keep this table new while the block lasts, or print this line now and then."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep_new if self._is_live else self._print_lines, table, line)
            yield
            group.cancel_scope.cancel()

    async def _keep_new(self, table: Callable[[], Table], _: Callable[[], str]) -> None:
        def now() -> Padding:
            return Padding(table(), (0, 0, 0, 2))

        live = Live(now(), console=self._console, auto_refresh=False, vertical_overflow="visible")
        with live:
            try:
                while True:
                    await anyio.sleep(_REFRESH_SECONDS)
                    live.update(now(), refresh=True)
            finally:
                live.update(now(), refresh=True)

    async def _print_lines(self, table: Callable[[], Table], line: Callable[[], str]) -> None:
        try:
            while True:
                await anyio.sleep(_LINE_SECONDS)
                self._console.print(Text(f"  ... {line()}"))
        finally:
            self.table(table())

    def _show(self, what: Table | Padding) -> None:
        self._console.print(what)


def table_of(headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Sequence[int]) -> Table:
    """A table; the columns of these places hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
