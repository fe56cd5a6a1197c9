"""One row of a file as it is, before it is interpreted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..problems import Problem
from .cells import Cell


class RawRow(NamedTuple):
    """The cells of a row, and the line in which it begins; with a `problem`, it must not be used.

    `hidden` says that a spreadsheet program does not show it.
    """

    line: int
    cells: Sequence[Cell]
    problem: Problem | None = None
    hidden: bool = False
