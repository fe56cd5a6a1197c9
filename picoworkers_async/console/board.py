"""What a page shows and offers: the same shape for a sandbox and for a journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import attrs

from .html import Node
from .plot import Plot

MOST_PAGES = 500
Kind = Literal["plain", "id", "time", "number", "words", "state"]
Row = Mapping[str, str]
"""The cells of a row by the names of its columns, all safe to show. `key` is the row's own name."""


@attrs.frozen
class Column:
    """A column. `words` and `time` hold a stranger's text, `state` one of a few words, which style sheets know."""

    name: str
    label: str
    kind: Kind = "plain"


@attrs.frozen
class Control:
    """The last cell of a row: a form to an action.

    `fields` are the inputs that a person fills in; `shown_if` names the value of the row without which the form
    is hidden. The inputs named in `from_row` take the value of that name from the row.
    """

    action: str
    inputs: tuple[Node, ...]
    from_row: tuple[str, ...]
    shown_if: str | None = None


@attrs.frozen
class Table:
    """A table. With `scrolls` it has a height of its own. `empty` is shown if there are no rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    empty: str
    controls: tuple[Control, ...] = ()
    scrolls: bool = False


@attrs.frozen
class Rows:
    """The content of a table: its rows, a note about those left out, and whether another page follows."""

    rows: Sequence[Row]
    note: str = ""
    has_next: bool = False


@attrs.frozen
class Snapshot:
    """Everything at one moment, as texts to show."""

    numbers: Mapping[str, str]
    tables: Mapping[str, Rows]
    plot: Plot

    def parts(self) -> dict[str, Any]:
        """As JSON, in parts that are sent if they differ from what a viewer has."""
        tables = {
            f"table:{name}": {"rows": list(map(dict, rows.rows)), "note": rows.note, "next": rows.has_next}
            for name, rows in self.tables.items()
        }
        return {"numbers": dict(self.numbers), "plot": self.plot.shape(), **tables}


class RefusedError(Exception):
    """An action that cannot be done; its text says why."""


class Board(Protocol):
    """What is shown, and what can be done to it."""

    @property
    def title(self) -> str:
        """The page's title."""
        ...

    @property
    def numbers(self) -> Sequence[tuple[str, str]]:
        """Names and labels."""
        ...

    @property
    def plot_title(self) -> str:
        """What the plot shows."""
        ...

    @property
    def plot_note(self) -> str:
        """What its colours and lines mean."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """The tables, in their order on the page."""
        ...

    @property
    def pages_of(self) -> str | None:
        """The table that has pages."""
        ...

    async def snapshot(self, page: int) -> Snapshot:
        """Everything now, with this page, from 1, of the table that has pages."""
        ...

    def act(self, action: str, fields: Mapping[str, str]) -> str:
        """Do it, and return what was done. Raises `RefusedError`."""
        ...
