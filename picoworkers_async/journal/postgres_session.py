"""One session with PostgreSQL: how it is opened, what it is asked, and what its errors mean for a journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.types.string import TextLoader

from ..errors import JournalError, JournalFullError, JournalUnreachableError, NotAJournalError
from .dialect import given, in_postgres, kept
from .places import JournalUrl

OLDEST_VERSION = 140000
"""The server must be PostgreSQL 14 or later: earlier ones do not end a session that is silent for too long."""

_CONNECT_SECONDS = 5
_ROWS_AT_ONCE = 1000
# The session is over, or about to be: what it was asked last may have been done, or not.
_LOST = (
    pg.AdminShutdown,
    pg.CrashShutdown,
    pg.CannotConnectNow,
    pg.IdleSessionTimeout,
    pg.IdleInTransactionSessionTimeout,
)
_MEANINGS: tuple[tuple[tuple[type[psycopg.Error], ...], type[JournalError], str], ...] = (
    ((pg.DiskFull,), JournalFullError, "the disk of its database is full"),
    ((pg.ReadOnlySqlTransaction,), JournalError, "its database cannot be written"),
    ((pg.InsufficientPrivilege,), JournalError, "its user lacks a right in the database"),
    ((pg.UndefinedTable, pg.InvalidSchemaName), NotAJournalError, "its tables are not there, or not a journal's"),
)


class _Text(TextLoader):
    def load(self, data: Any) -> str | bytes:
        text = super().load(data)
        return given(text) if isinstance(text, str) else text


class Session:
    """A session with the server, as a journal's database: statements are SQLite's.

    `backend` is the server's process behind it. A pooler of transactions puts others in its place, which hold no
    lock of this session, and look for their tables where somebody else told them to.
    """

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], backend: int) -> None:
        self.connection: psycopg.Connection[tuple[Any, ...]] = connection
        self.backend: int = backend

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[tuple[Any, ...]]:
        """Do this."""
        return self.connection.execute(in_postgres(statement).encode(), [kept(value) for value in values])

    def stream(self, statement: str, values: Sequence[Any] = (), /) -> Iterator[tuple[Any, ...]]:
        """What this finds, with no more than a piece of it in memory."""
        with self.connection.cursor(name="rows") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            yield from cursor.execute(in_postgres(statement).encode(), [kept(value) for value in values])

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> None:
        """Do this for each of these."""
        filled = [[kept(value) for value in row] for row in values]
        if filled:
            self.connection.cursor().executemany(in_postgres(statement).encode(), filled)

    def change(self, statement: str, values: Sequence[Any] = (), /) -> int:
        """Do this, and give how many rows it changed."""
        with self.connection.pipeline() as pipeline:
            cursor = self.execute(statement, values)
            pipeline.sync()
            return cursor.rowcount

    def select_each(self, statement: str, keys: Iterable[Sequence[Any]], /) -> list[list[Any]]:
        """What this finds for each of these, in their order: asked at once, in one turn of the network."""
        asked = in_postgres(statement).encode()
        with self.connection.pipeline():
            cursors = [self.connection.execute(asked, [kept(value) for value in key]) for key in keys]
            return [cursor.fetchall() for cursor in cursors]

    def is_lost(self, error: psycopg.Error) -> bool:
        """Whether this error is that of a session that is over."""
        return isinstance(error, _LOST) or self.connection.closed or self.connection.broken

    def close(self) -> None:
        """End it; never raises."""
        self.connection.close()


def connect(url: JournalUrl, *, silent_seconds: float | None = None) -> Session:
    """Open a session, in which the journal's tables have their plain names.

    With `silent_seconds`, the server itself ends it when nothing was asked for so long, and lets go of what is
    held by a program that was stopped, or cut off. Raises `JournalUnreachableError`, and `JournalError`
    for a server that will not do.
    """
    settings = {"connect_timeout": _CONNECT_SECONDS, "application_name": "picoworkers_async", **url.settings()}
    settings["client_encoding"] = "utf8"
    if silent_seconds is not None:
        # A server that is gone without a word is noticed in time, too.
        milliseconds = int(silent_seconds * 1000)
        ours = {"keepalives_idle": 3, "keepalives_interval": 2, "keepalives_count": 3}
        settings = {**ours, "tcp_user_timeout": milliseconds, **settings}
    try:
        connection = psycopg.connect(autocommit=True, **settings)
    except psycopg.Error as error:
        # Without the cause: it holds libpq's own connection, and that the password.
        raise JournalUnreachableError(url, f"its database cannot be reached: {words_of(url, error)}") from None
    try:
        if connection.info.server_version < OLDEST_VERSION:
            version = connection.info.server_version // 10000
            oldest = OLDEST_VERSION // 10000
            raise JournalError(url, f"its server is PostgreSQL {version}; a journal needs {oldest} or later")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise JournalError(url, f"its database has the encoding {encoding}; a journal needs one with UTF8")
        connection.adapters.register_loader("text", _Text)
        # The name has no sign that would need quoting.
        asked = [("search_path", url.name), ("synchronous_commit", "on"), ("statement_timeout", "0")]
        # The check of the token waits for a commit before it, and must see what that left.
        asked += [("default_transaction_isolation", "read committed")]
        if silent_seconds is not None:
            asked += [("idle_session_timeout", f"{milliseconds}ms")]
            asked += [("idle_in_transaction_session_timeout", f"{milliseconds}ms")]
        with session_errors(url):
            for name, value in asked:
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    except BaseException:
        connection.close()
        raise
    return Session(connection, backend)


@contextmanager
def session_errors(url: JournalUrl) -> Iterator[None]:
    """Turn what the server and libpq say into a `JournalError`."""
    try:
        yield
    except psycopg.Error as error:
        raise explained(url, error) from None


def explained(url: JournalUrl, error: psycopg.Error) -> JournalError:
    """What an error of psycopg's means for a journal."""
    for kinds, kind, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return kind(url, f"{meaning} ({words_of(url, error)})")
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return JournalUnreachableError(url, f"its database cannot be reached: {words_of(url, error)}")
    return JournalError(url, words_of(url, error))


def words_of(url: JournalUrl, error: psycopg.Error) -> str:
    """What an error says, in one line, without the password."""
    said = url.hide(str(error)).strip() or type(error).__name__
    return "; ".join(line.strip() for line in said.splitlines() if line.strip())


@contextmanager
def reading_session(url: JournalUrl) -> Iterator[Session]:
    """A session that sees the journal as it is at one moment, and cannot write."""
    session = connect(url)
    try:
        with session_errors(url):
            session.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield session
    finally:
        session.close()
