"""A journal's rows, changed behind the library's back, whichever its database is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from picoworkers_async import Journal
from picoworkers_async.journal.places import JournalUrl
from picoworkers_async.journal.postgres_session import connect


def altered(place: Any, statement: str, rows: Iterable[Sequence[Any]] = ((),)) -> None:
    """Do this for each of these, in SQLite's words."""
    path = Journal(place).path
    if isinstance(path, JournalUrl):
        session = connect(path)
        session.executemany(statement, rows)
        session.close()
        return
    with closing(sqlite3.connect(path)) as database:
        database.executemany(statement, rows)
        database.commit()
