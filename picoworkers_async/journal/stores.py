"""Where a journal is kept: in a file, or in PostgreSQL. What is not used is not loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import JournalError
from .database import Database, Store
from .failures import NO_FILE, journal_errors
from .formats import connect, read_as_this_format
from .lock import is_held
from .places import JournalUrl, Place

if TYPE_CHECKING:
    from .file_database import FileDatabase


def store_of(place: Place, owner: Mapping[str, str] | None) -> Store:
    """A journal's store, to be opened to write by this owner, or by whoever looks after it."""
    if isinstance(place, JournalUrl):
        from .postgres_store import PostgresStore

        return PostgresStore(place, owner)
    from .file import JournalFile

    return JournalFile(place, owner)


@contextmanager
def reading(place: Place) -> Iterator[Database]:
    """A journal of any format, opened to be read as one of this. Raises `JournalError`."""
    if isinstance(place, JournalUrl):
        from .postgres_session import reading_session
        from .postgres_tables import check_format

        with reading_session(place) as session:
            check_format(place, session)
            yield session
        return
    with reading_file(place) as database:
        yield database


@contextmanager
def reading_file(path: Path) -> Iterator[FileDatabase]:
    """As `reading`, of a journal in a file."""
    with journal_errors(path):
        if not path.is_file():
            raise JournalError(path, NO_FILE)
    with journal_errors(path), closing(connect(path, read_only=True)) as database:
        read_as_this_format(path, database)
        yield database


def is_there(place: Place) -> bool:
    """Whether there is a journal to be read; a batch makes one of an empty file, or of none."""
    if isinstance(place, JournalUrl):
        from .postgres_session import reading_session
        from .postgres_tables import is_made

        with reading_session(place) as session:
            return is_made(place, session)
    return place.is_file() and place.stat().st_size > 0


def is_open(place: Place) -> bool:
    """Whether a batch has the journal open now. Raises `JournalError`."""
    if isinstance(place, JournalUrl):
        from .postgres_session import reading_session
        from .postgres_tables import is_locked

        with reading_session(place) as session:
            return is_locked(place, session)
    with journal_errors(place):
        return is_held(place)
