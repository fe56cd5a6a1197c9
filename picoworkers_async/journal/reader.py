"""The journal of a batch, opened to be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from ..errors import JournalError
from ..models import Rating
from ..models.account import CONTEXT
from .schema import COLUMNS, JournalState, check_format, connect, journal_errors, recorded_of

if TYPE_CHECKING:
    import sqlite3


@attrs.frozen
class JournalRow:
    """One rating of a journal: its state, what the service or the library said of it, and when it came to that."""

    rating: Rating
    state: JournalState
    message: str | None
    at: datetime


class Journal:
    """A batch's journal, given to `rate` or `review` by this or by its path, and opened here to read.

    Reading goes on beside a batch that writes. Every method raises `JournalError` for a file that is missing,
    damaged, or none of ours.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def counts(self) -> dict[JournalState, int]:
        """How many ratings are in each state; states without any are left out."""
        with self._reading() as database:
            rows = database.execute("SELECT state, count(*) FROM ratings GROUP BY state")
            return {JournalState(state): count for state, count in rows}

    def bonus_paid(self) -> Decimal:
        """The bonuses of all ratings that took effect, in US dollars, exact."""
        with self._reading() as database:
            query = "SELECT bonus FROM ratings WHERE state = 'rated' AND bonus IS NOT NULL"
            amounts = (Decimal(bonus, CONTEXT) for (bonus,) in database.execute(query))
            return reduce(CONTEXT.add, amounts, Decimal(0))

    def rows(self) -> Iterator[JournalRow]:
        """All ratings, by job, task and revision, one at a time."""
        with self._reading() as database:
            query = f"SELECT {COLUMNS} FROM ratings ORDER BY job_id, task_id, revision"  # noqa: S608
            for recorded in map(recorded_of, database.execute(query)):
                at = datetime.fromtimestamp(recorded.at, UTC)
                yield JournalRow(recorded.rating, recorded.state, recorded.message, at)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with journal_errors(self.path):
            if not self.path.is_file():
                raise JournalError(self.path, "there is no such file")
        with journal_errors(self.path), closing(connect(self.path, read_only=True)) as database:
            check_format(self.path, database)
            yield database
