"""What a page shows and lets one do: the same shape for a sandbox and for a journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import attrs

from .html import Node
from .plot import Plot

MOST_PAGES = 500
Kind = Literal["plain", "id", "time", "number", "words", "state"]
Row = Mapping[str, str]
"""The cells of a row by the names of its columns, all fit to be shown. `key` is its own name."""


@attrs.frozen
class Column:
    """A column: `words` and a `time` are a stranger's, `state` is one of few words, which style sheets know."""

    name: str
    label: str
    kind: Kind = "plain"


@attrs.frozen
class Control:
    """What stands in the last cell of a row: a form to an action.

    `fields` are the inputs that a person fills in, `shown_if` names the value of the row without which the form is
    hidden. Its inputs named in `from_row` take the value of that name from the row.
    """

    action: str
    inputs: tuple[Node, ...]
    from_row: tuple[str, ...]
    shown_if: str | None = None


@attrs.frozen
class Table:
    """A table. A `scrolls` one has a height of its own. `empty` is said where there are no rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    empty: str
    controls: tuple[Control, ...] = ()
    scrolls: bool = False


@attrs.frozen
class Rows:
    """What a table holds: its rows, a note about those that are left out, and whether a page comes after this."""

    rows: Sequence[Row]
    note: str = ""
    has_next: bool = False


@attrs.frozen
class Snapshot:
    """Everything at one moment, as texts to be shown."""

    numbers: Mapping[str, str]
    tables: Mapping[str, Rows]
    plot: Plot

    def parts(self) -> dict[str, Any]:
        """As JSON has it, in parts that are sent when they differ from what a viewer has."""
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
        """What the page is called."""
        ...

    @property
    def numbers(self) -> Sequence[tuple[str, str]]:
        """Names and labels."""
        ...

    @property
    def plot_title(self) -> str:
        """What the plot is of."""
        ...

    @property
    def plot_note(self) -> str:
        """What its colours and lines mean."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """In their order on the page."""
        ...

    @property
    def pages_of(self) -> str | None:
        """The table of which there are pages."""
        ...

    async def snapshot(self, page: int) -> Snapshot:
        """Everything now, and this page, from 1, of the table that has pages."""
        ...

    def act(self, action: str, fields: Mapping[str, str]) -> str:
        """Do it, and say what was done. Raises `RefusedError`."""
        ...
