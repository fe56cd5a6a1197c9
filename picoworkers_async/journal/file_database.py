"""SQLite's connection, as a journal's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class FileDatabase(sqlite3.Connection):
    """A connection to a journal's file."""

    def change(self, statement: str, values: Sequence[Any] = (), /) -> int:
        """Do this, and give how many rows it changed."""
        return self.execute(statement, values).rowcount

    def stream(self, statement: str, values: Sequence[Any] = (), /) -> Iterator[Any]:
        """What this finds, row by row."""
        return self.execute(statement, values)

    def select_each(self, statement: str, keys: Iterable[Sequence[Any]], /) -> list[list[Any]]:
        """What this finds for each of these, in their order."""
        return [self.execute(statement, key).fetchall() for key in keys]
