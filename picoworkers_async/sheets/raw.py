"""One row of a file as it stands, before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..problems import Problem
from .cells import Cell


class RawRow(NamedTuple):
    """The cells of a row, and the line it begins in; with a `problem`, it is not to be used.

    `hidden` says that a spreadsheet program does not show it.
    """

    line: int
    cells: Sequence[Cell]
    problem: Problem | None = None
    hidden: bool = False
