"""A journal's tables in PostgreSQL: a schema for each journal, and the row that says whose it is to write."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ..errors import JournalError, NotAJournalError
from .dialect import tables_in_postgres
from .failures import not_yours
from .formats import KEEP_META, SCHEMA, VERSION
from .places import JournalUrl
from .postgres_session import Session

NO_JOURNAL = (
    "there is no such journal; the first batch of a program that is given this address as journal= makes it"
)

# `token` is the writer's, one more with each; `commits` counts what it made durable.
_WRITER = """
CREATE TABLE writer (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    token BIGINT NOT NULL,
    commits BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO writer (token, commits) VALUES (0, 0);
"""
_NEXT_WRITER = "UPDATE writer SET token = token + 1, commits = 0 RETURNING token"
_TABLES = """
SELECT relname::text FROM pg_class
WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p', 'v')
"""
_HOLDERS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND classid::bigint = %s AND objid::bigint = %s
"""
# The server's own timeouts begin where a whole request is done. A program that is stopped amid one is waited for
# without end; its own user may end its session.
_END_STUCK = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid IN ({_HOLDERS}) AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
AND query_start < clock_timestamp() - make_interval(secs => %s)
"""  # noqa: S608


def lock_key(url: JournalUrl) -> int:
    """The number of the advisory lock that a journal's writer holds, in its database."""
    return int.from_bytes(hashlib.sha256(f"picoworkers {url.name}".encode()).digest()[:8], signed=True)


def try_lock(url: JournalUrl, session: Session) -> bool:
    """Take the lock for this session, if nobody has it."""
    row = session.connection.execute("SELECT pg_try_advisory_lock(%s)", (lock_key(url),)).fetchone()
    return row is not None and bool(row[0])


def unlock(url: JournalUrl, session: Session) -> None:
    """Let the lock go. The end of a session does that as well, but only some time after it was asked for."""
    session.connection.execute("SELECT pg_advisory_unlock(%s)", (lock_key(url),))


def end_stuck(url: JournalUrl, session: Session, silent_seconds: float) -> None:
    """End the session that has the lock, if its program fell silent in the middle of a request so long ago."""
    session.connection.execute(_END_STUCK, (*_lock_parts(url), silent_seconds))


def is_locked(url: JournalUrl, session: Session) -> bool:
    """Whether somebody has the lock."""
    return session.connection.execute(_HOLDERS, _lock_parts(url)).fetchone() is not None


def _lock_parts(url: JournalUrl) -> tuple[int, int]:
    """The lock's number as the server lists it."""
    return divmod(lock_key(url) % 2**64, 2**32)


def check_format(url: JournalUrl, session: Session) -> None:
    """Raises `JournalError` unless the tables are those of a journal, in the one format that there is."""
    tables = _tables(url, session)
    if not tables:
        raise JournalError(url, NO_JOURNAL)
    found = None
    if {"meta", "ratings", "writer"} <= tables:
        query = "SELECT value FROM meta WHERE name = 'format'"
        found = session.connection.execute(query).fetchone()
    if found is None:
        raise NotAJournalError(url, "its schema holds tables of something else, not a journal")
    if found[0] != str(VERSION):
        raise JournalError(url, f"it is of format {found[0]}; in PostgreSQL this version reads format {VERSION}")


def is_made(url: JournalUrl, session: Session) -> bool:
    """Whether there are any tables."""
    return bool(_tables(url, session))


def take_over(url: JournalUrl, session: Session, owner: Mapping[str, str] | None) -> int:
    """Make the tables if they are not there and there is an owner, and become their writer: gives its token.

    To be called with the lock. Raises `JournalError` for a journal of another owner, and of something else.
    """
    with session.connection.transaction():
        (read_only,) = session.connection.execute("SHOW transaction_read_only").fetchone() or ("on",)
        if read_only == "on":
            raise JournalError(url, "its database is a read-only replica, or set so: name the primary server")
        if owner is not None and not _tables(url, session):
            _make(url, session)
        check_format(url, session)
        session.executemany(KEEP_META, () if owner is None else owner.items())
        kept = dict(session.execute("SELECT name, value FROM meta").fetchall())
        for name, value in (owner or {}).items():
            if kept[name] != value:
                raise JournalError(url, not_yours(name, kept[name]))
        token = session.execute(_NEXT_WRITER).fetchone()
        if token is None:
            raise NotAJournalError(url, "its row of the writer is gone")
        session.execute("DELETE FROM meta WHERE name IN ('running', 'progress')")
        return int(token[0])


def _make(url: JournalUrl, session: Session) -> None:
    query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
    if session.connection.execute(query, (url.name,)).fetchone() is None:
        # The name was checked: it has no sign that would end the quotes. Without them it could be a word of SQL.
        session.connection.execute(f'CREATE SCHEMA "{url.name}"'.encode())
    session.connection.execute(tables_in_postgres(SCHEMA).encode())
    session.connection.execute(_WRITER.encode())
    session.execute(KEEP_META, ("format", str(VERSION)))


def _tables(url: JournalUrl, session: Session) -> set[str]:
    return {name for (name,) in session.connection.execute(_TABLES, (url.name,)).fetchall()}
