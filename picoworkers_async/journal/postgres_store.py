"""A journal in PostgreSQL, held by one batch at a time: by a lock of its session, and a token in each commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

import psycopg

from ..errors import JournalBusyError, JournalError, JournalTakenError, JournalUnreachableError
from . import postgres_tables as tables
from .database import Database
from .places import JournalUrl
from .postgres_session import Session, connect, explained, session_errors

LEASE_SECONDS = 12.0
"""A batch that was silent for so long, by the server's clock, no longer has its journal."""
RECONNECT_SECONDS = 60.0
"""How long a batch waits for a server that went away, before it ends."""

# The server may not yet have noticed that the program before was killed.
_DYING_SECONDS = 1.0
_AGAIN_SECONDS = 0.1
_FENCE = """
UPDATE writer SET commits = commits + 1
WHERE token = ? AND current_schema() = ? AND pg_backend_pid() = ? RETURNING commits
"""
_SESSION = "SELECT current_schema()::text, pg_backend_pid()"
_WRITER = "SELECT token, commits FROM writer"
_BUSY = "another batch has it open; it serves one at a time"
_POOLED = (
    "the server's session behind its connection is another one: a pooler in between pools transactions; name the "
    "server itself, or have the pooler pool sessions"
)
_TAKEN = "another batch took it over while this one was silent: nothing more is written, and nothing is sent"

T = TypeVar("T")


class PostgresStore:
    """A journal in PostgreSQL, from `open` to `close`. `owner` is as `JournalFile` has it.

    Each commit checks in its own transaction that the token is still this writer's. So one that was stopped or cut
    off, and taken for dead, makes nothing durable any more, and sends nothing: `sent` is durable before the wire.
    """

    def __init__(self, url: JournalUrl, owner: Mapping[str, str] | None) -> None:
        self.place: JournalUrl = url
        self.renew_seconds: float | None = LEASE_SECONDS / 4
        self.token: int = 0
        self._owner = owner
        self._session: Session | None = None
        self._commits = 0
        self._held = False
        self._durable = 0
        self._lost_at: float | None = None
        self._is_taken = False
        self._held_at = 0.0

    def open(self) -> None:
        """Take hold of it, and make it if it has an owner. After `JournalBusyError` it may be tried again."""
        if self._session is None or self._session.connection.closed:
            self._session = connect(self.place, silent_seconds=LEASE_SECONDS)
            patience = time.monotonic() + _DYING_SECONDS
        else:
            patience = time.monotonic()
        session = self._session
        try:
            with session_errors(self.place):
                while not tables.try_lock(self.place, session):
                    tables.end_stuck(self.place, session, LEASE_SECONDS)
                    if time.monotonic() >= patience:
                        raise JournalBusyError(self.place, _BUSY)
                    time.sleep(_AGAIN_SECONDS)
                self._held_at = _now()
                self.token = tables.take_over(self.place, session, self._owner)
                self._held = True
        except JournalBusyError:
            raise
        except BaseException:
            self._drop()
            raise

    def write(self, work: Callable[[Database], T]) -> T:
        """Do this in one transaction, and give what it gives once that is durable.

        If the connection is lost, it waits for another one, asks the server whether the transaction was made
        durable, and does it again only if not. Raises `JournalTakenError` if another batch took the journal over.
        """
        given: list[T] = []
        asked_at = 0.0
        while True:
            session = self._ready()
            # What was asked for last was done, though the answer was lost: the counter is of the same transaction.
            if given and self._durable > self._commits:
                break
            given = []
            asked_at = _now()
            try:
                given.append(self._begin(session, work))
                session.connection.execute("COMMIT")
                break
            except psycopg.Error as error:
                self._lose(session, error)
            except BaseException:
                _roll_back(session)
                raise
        self._commits += 1
        self._lost_at, self._held_at = None, asked_at
        return given[0]

    def read(self, work: Callable[[Database], T]) -> T:
        """Ask the database, and give what that gives; as `write`, if the connection is lost."""
        while True:
            session = self._ready()
            try:
                found = work(session)
            except psycopg.Error as error:
                self._lose(session, error)
            else:
                self._lost_at = None
                return found

    def renew(self) -> None:
        """Show the server that the batch lives."""
        with suppress(JournalError):
            if self._held and self._session is not None:
                try:
                    self._session.connection.execute("SELECT")
                except psycopg.Error as error:
                    self._lose(self._session, error)
            if self._held and self._session is None:
                self._reconnect()

    def is_stale(self) -> bool:
        """Whether another batch may have taken it over meanwhile, or soon might: this program was stopped."""
        return _now() - self._held_at > LEASE_SECONDS / 2

    def close(self) -> None:
        """Let it go; never raises."""
        session, self._session = self._session, None
        held, self._held = self._held, False
        if session is not None:
            with suppress(psycopg.Error):
                if held:
                    tables.unlock(self.place, session)
            session.close()

    def _begin(self, session: Session, work: Callable[[Database], T]) -> T:
        """All of a transaction but its end, in as few turns of the network as its questions allow."""
        with session.connection.pipeline():
            session.connection.execute("BEGIN")
            fence = session.execute(_FENCE, (self.token, self.place.name, session.backend))
            given = work(session)
            counted = fence.fetchone()
        if counted is None:
            if session.connection.execute(_SESSION).fetchone() != (self.place.name, session.backend):
                raise JournalError(self.place, _POOLED)
            raise self._taken()
        return given

    def _ready(self) -> Session:
        """The session; another one, if it was lost and the journal is still this writer's."""
        if self._is_taken:
            raise self._taken()
        if not self._held:
            raise JournalError(self.place, "it is closed")
        while self._session is None:
            try:
                self._reconnect()
            except JournalTakenError:
                raise
            except (JournalBusyError, JournalUnreachableError):
                if self._waited_long():
                    raise
                time.sleep(_AGAIN_SECONDS)
        return self._session

    def _reconnect(self) -> None:
        session = connect(self.place, silent_seconds=LEASE_SECONDS)
        try:
            with session_errors(self.place):
                has_lock = tables.try_lock(self.place, session)
                token, commits = session.execute(_WRITER).fetchone() or (None, 0)
            if token != self.token:
                raise self._taken()
            if not has_lock:
                with session_errors(self.place):
                    tables.end_stuck(self.place, session, LEASE_SECONDS)
                raise JournalBusyError(self.place, _BUSY)
        except BaseException:
            session.close()
            raise
        self._session, self._durable = session, commits

    def _lose(self, session: Session, error: psycopg.Error) -> None:
        """Drop a session that is over. Raises `JournalError` for any other error, and after too long a time."""
        if not session.is_lost(error):
            _roll_back(session)
            raise explained(self.place, error) from None
        self._drop()
        was_lost_before = self._lost_at is not None
        if self._waited_long():
            raise explained(self.place, error) from None
        if was_lost_before:
            time.sleep(_AGAIN_SECONDS)

    def _waited_long(self) -> bool:
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        return now - self._lost_at >= RECONNECT_SECONDS

    def _taken(self) -> JournalTakenError:
        self._is_taken = True
        self._drop()
        return JournalTakenError(self.place, _TAKEN)

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _now() -> float:
    """Seconds that pass while the machine sleeps, too."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


def _roll_back(session: Session) -> None:
    with suppress(psycopg.Error):
        session.connection.execute("ROLLBACK")
