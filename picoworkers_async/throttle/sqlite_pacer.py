"""One pace for all processes of a machine, in an SQLite file: nothing to install, nothing to run."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from . import pacer_file
from . import pacing as paces
from .pacers import Departure, PacerLost, Reservation

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

_MINUTE_SECONDS = 60.0
_DAY_SECONDS = 86400.0
_OPENING_ATTEMPTS = 5
_UNUSABLE = ("SQLITE_NOTADB", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_ERROR")
_SELECT = """
SELECT epoch, next_slot, next_departure, silent_until, margin, margin_at, first_after_pause
FROM paces WHERE account = ?
"""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS paces (
    account TEXT PRIMARY KEY, epoch TEXT NOT NULL, next_slot REAL NOT NULL, next_departure REAL NOT NULL,
    silent_until REAL NOT NULL, margin REAL NOT NULL, margin_at REAL NOT NULL, first_after_pause INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS clients (account TEXT, client TEXT, seen REAL NOT NULL, PRIMARY KEY (account, client));
"""
# A file of an earlier version may have any number of clients that are long gone. Whoever is not comes again.
_FORGET_ALL = """
BEGIN IMMEDIATE; DELETE FROM clients;
CREATE INDEX IF NOT EXISTS clients_by_time ON clients (account, seen, client); COMMIT;
"""
_HAS_INDEX = "SELECT count(*) FROM sqlite_schema WHERE name = 'clients_by_time'"
_ACTIVE = "SELECT count(*), sum(client < ?) FROM clients WHERE account = ? AND seen BETWEEN ? AND ?"
# Some at a time, so that no reservation pays for all that came before it. A time ahead is from before a restart.
_FORGET_SOME = """
DELETE FROM clients WHERE rowid IN (
    SELECT rowid FROM clients WHERE account = :account AND seen < :since
    UNION ALL SELECT rowid FROM clients WHERE account = :account AND seen > :now LIMIT 20
)
"""

# A connection that came with a fork is the parent's: not even closing it is for the child to do, nor for its
# garbage collector.
_of_parents: list[sqlite3.Connection] = []


class SqlitePacer:
    """Shares the pace of an account between all processes of this machine that use the same file.

    `path` left out, it is a file named after the account (by a hash, without the secret), in the first of these
    folders: the one that `PICOWORKERS_PACER_FOLDER` in the environment names; `/var/lib/picoworkers_async`, if an
    administrator made it and this user may write there; the user's own state folder, which no other user of the
    machine shares. The first two must belong to root or the user, and not be for everybody to write.

    Times are of the machine's monotonic clock, the same in every process; a restart of the machine starts anew. A
    process that is killed costs the others one slot at most. A file that is deleted or replaced while it is in use
    is noticed by the next request of each process: everybody waits 6 s, and goes on with the new one. It may be
    made before a fork and used on both sides. Raises `PacerError`, at the first call, for a file or folder that
    cannot be used, with the reason. Source: one request a second for an account, in the document of 2024.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = None if path is None else Path(path)
        self._named = path is not None
        self._account: str | None = None
        self._database: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._begin()

    def __repr__(self) -> str:
        return f"SqlitePacer({str(self._path)!r})"

    def _begin(self) -> None:
        """What a process has for itself: a copy of this object in a child of it is another client."""
        self._process = os.getpid()
        self._client = secrets.token_hex(8)
        # Whichever event loops use it, and a transaction may go on after a native cancellation.
        self._one_at_a_time = threading.Lock()

    def _begin_in_child(self) -> None:
        """The connection of a parent process is of no use in its child."""
        if self._database is not None:
            _of_parents.append(self._database)
            self._database = None
        self._begin()

    def close(self) -> None:
        """Close the file. It is opened again when it is needed."""
        if self._process != os.getpid():
            self._begin_in_child()
        if self._database is not None:
            self._database.close()
            self._database = None

    def __del__(self) -> None:
        # Clients come and go with their throttle; the file must not stay open behind the last of them.
        if getattr(self, "_database", None) is not None:
            self.close()

    def bind(self, account: str) -> None:
        if self._account is None:
            self._account = account

    async def reserve(self, interval: float) -> Reservation:
        def work(database: sqlite3.Connection, now: float) -> Reservation:
            epoch, pace = self._load(database, now, interval)
            pace, slot = paces.reserve(pace, now)
            self._store(database, epoch, pace)
            row = (self._account, self._client, now)
            database.execute("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", row)
            since = now - _MINUTE_SECONDS
            database.execute(_FORGET_SOME, {"account": self._account, "since": since, "now": now})
            active = (self._client, self._account, since, now)
            sharers, rank = database.execute(_ACTIVE, active).fetchone()
            return Reservation(
                slot - now, slot, pace.next_slot, sharers, rank, self._epoch(epoch), paces.margin(pace, now)
            )

        return await self._transact(work)

    async def depart(self, interval: float, held: Departure | None) -> Departure:
        def work(database: sqlite3.Connection, now: float) -> Departure:
            epoch, pace = self._load(database, now, interval)
            mine = held if held is not None and held.epoch == self._epoch(epoch) else None
            pace, at, until = paces.depart(
                pace, now, held=None if mine is None else mine.at, until=None if mine is None else mine.until
            )
            self._store(database, epoch, pace)
            return Departure(at - now, at, until, self._epoch(epoch))

        return await self._transact(work)

    async def give_back(self, reservation: Reservation) -> None:
        def work(database: sqlite3.Connection, now: float) -> None:
            epoch, pace = self._load(database, now, 0.0)
            if self._epoch(epoch) == reservation.epoch:
                self._store(database, epoch, paces.give_back(pace, reservation.slot, reservation.until))

        await self._transact(work)

    async def pause(self, seconds: float, *, widen: bool) -> None:
        def work(database: sqlite3.Connection, now: float) -> None:
            epoch, pace = self._load(database, now, 0.0)
            change = paces.too_many if widen else paces.silence
            self._store(database, epoch, change(pace, now, seconds))

        await self._transact(work)

    async def _transact(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        """One transaction, in a thread. A cancellation waits for it, a moment, and loses no slot."""

        import sqlite3  # only who uses a file of SQLite's pays for loading it

        if self._process != os.getpid():
            self._begin_in_child()

        def run() -> T:
            with self._one_at_a_time:
                try:
                    return self._run(work)
                except sqlite3.Error as error:
                    self.close()
                    if error.sqlite_errorname.startswith(_UNUSABLE):
                        path = self._path or Path()
                        raise pacer_file.unusable(path, pacer_file.why_unusable(path, error)) from None
                    raise PacerLost(str(error)) from None

        with anyio.CancelScope(shield=True):
            # A limiter belongs to one event loop, and the program's own must not keep this waiting.
            return await anyio.to_thread.run_sync(run, limiter=anyio.CapacityLimiter(1))
        raise AssertionError("unreachable: a shielded scope is never cancelled")

    def _run(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        """Run it on the file that is there; once more, if that was deleted in the middle."""
        import sqlite3  # only who uses a file of SQLite's pays for loading it

        try:
            return self._attempt(work)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_READONLY_DBMOVED":
                raise
        self.close()
        return self._attempt(work)

    def _attempt(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        import sqlite3  # only who uses a file of SQLite's pays for loading it

        if self._database is None or self._file != _identity(self._path):
            self.close()
            self._database = self._open()
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            result = work(database, monotonic())
            database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        """Open the file that is there now, or make it, and note which one it is."""
        import sqlite3  # only who uses a file of SQLite's pays for loading it

        if self._account is None:
            self.bind("default")
        if self._path is None:
            self._path = pacer_file.default_file(self._account or "default")
        for _ in range(_OPENING_ATTEMPTS):
            before = _identity(self._path)
            database = pacer_file.connect(self._path, named=self._named)
            try:
                # No write-ahead log: its files go by name, and those of a deleted file would spoil the new one.
                with contextlib.suppress(sqlite3.OperationalError):
                    database.execute("PRAGMA journal_mode = TRUNCATE")
                # A crash of the machine may lose the last slots, which are past by the time it is up again.
                database.execute("PRAGMA synchronous = OFF")
                database.executescript(_SCHEMA)
                if database.execute(_HAS_INDEX).fetchone() == (0,):
                    database.executescript(_FORGET_ALL)
                self._file = _identity(self._path)
            except BaseException:
                database.close()
                raise
            if before is not None and before == self._file:
                return database
            # It was made just now, by whomever, or replaced in between: what was opened may be another one.
            database.close()
        raise PacerLost(f"{self._path} is replaced again and again")

    def _load(self, database: sqlite3.Connection, now: float, interval: float) -> tuple[str, paces.Pace]:
        row = database.execute(_SELECT, (self._account,)).fetchone()
        # Times far ahead are of a machine that was up for longer: it has started anew since.
        if row is None or row[1] > now + _DAY_SECONDS or row[5] > now:
            # What was sent before this state began is not known, so the first keeps its distance from now.
            first = now + interval
            fresh = paces.Pace(interval, first, first, margin_at=now, alone=paces.ALONE_SECONDS)
            return secrets.token_hex(8), fresh
        epoch, next_slot, next_departure, silent_until, margin, margin_at, first_after_pause = row
        pace = paces.Pace(
            interval=interval,
            next_slot=next_slot,
            next_departure=next_departure,
            silent_until=silent_until,
            margin=margin,
            margin_at=margin_at,
            alone=paces.ALONE_SECONDS,
            first_after_pause=bool(first_after_pause),
        )
        return epoch, pace

    def _epoch(self, stored: str) -> str:
        """The state's name; a copy of it in another file is not the same."""
        return stored if self._file is None else f"{stored}-{self._file[1]}"

    def _store(self, database: sqlite3.Connection, epoch: str, pace: paces.Pace) -> None:
        times = (pace.next_slot, pace.next_departure, pace.silent_until)
        row = (self._account, epoch, *times, pace.margin, pace.margin_at, pace.first_after_pause)
        database.execute("INSERT OR REPLACE INTO paces VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file a path leads to now; None if there is none."""
    try:
        found = os.stat(path or "")
    except OSError:
        return None
    return found.st_dev, found.st_ino
