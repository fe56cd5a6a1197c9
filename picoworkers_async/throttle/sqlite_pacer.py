"""One pace for all processes of a machine, in an SQLite file: nothing to install, nothing to run."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from . import pacing as paces
from .pacers import PacerError, PacerLost, Reservation

T = TypeVar("T")

_MINUTE = 60.0
_DAY = 86400.0
_ALONE = 1.0
_UNUSABLE = ("SQLITE_NOTADB", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_ERROR")
_FIELDS = "next_slot, silent_until, margin, margin_at, first_after_pause"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pace (
    account TEXT PRIMARY KEY, epoch TEXT NOT NULL, next_slot REAL NOT NULL, silent_until REAL NOT NULL,
    margin REAL NOT NULL, margin_at REAL NOT NULL, first_after_pause INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS clients (account TEXT, client TEXT, seen REAL NOT NULL, PRIMARY KEY (account, client));
"""


class SqlitePacer:
    """Shares the pace of an account between all processes of this machine that use the same file.

    `path` left out, it is a file in the user's state folder named after the account (by a hash, without the
    secret). Times are of the machine's monotonic clock, the same in every process; a restart of the machine starts
    anew. A process that is killed costs the others one slot at most. Raises `PacerError`, at the first call, for a
    file that is no database or cannot be written. Source: one request a second for an account, in the document
    of 2024.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = None if path is None else Path(path)
        self._account: str | None = None
        self._client = secrets.token_hex(8)
        self._database: sqlite3.Connection | None = None
        self._threads = anyio.CapacityLimiter(1)

    def __repr__(self) -> str:
        return f"SqlitePacer({str(self._path)!r})"

    def close(self) -> None:
        """Close the file. It is opened again when it is needed."""
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
            if self._path is None:
                from platformdirs import user_state_path

                self._path = user_state_path("picoworkers_async", ensure_exists=True) / f"pace-{account}.db"

    async def reserve(self, interval: float) -> Reservation:
        def work(database: sqlite3.Connection, now: float) -> Reservation:
            epoch, pace = self._load(database, now, interval)
            pace, slot = paces.reserve(pace, now)
            self._store(database, epoch, pace)
            row = (self._account, self._client, now)
            database.execute("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", row)
            query = "SELECT count(*), sum(client < ?) FROM clients WHERE account = ? AND seen > ?"
            active = (self._client, self._account, now - _MINUTE)
            sharers, rank = database.execute(query, active).fetchone()
            return Reservation(slot - now, slot, pace.next_slot, sharers, rank, epoch, paces.margin(pace, now))

        return await self._transact(work)

    async def silent_for(self) -> float:
        def work(database: sqlite3.Connection, now: float) -> float:
            return self._load(database, now, 0.0)[1].silent_until - now

        return await self._transact(work)

    async def give_back(self, reservation: Reservation) -> None:
        def work(database: sqlite3.Connection, now: float) -> None:
            epoch, pace = self._load(database, now, 0.0)
            if epoch == reservation.epoch:
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

        def run() -> T:
            try:
                database = self._database or self._open()
                database.execute("BEGIN IMMEDIATE")
                try:
                    result = work(database, time.monotonic())
                    database.execute("COMMIT")
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                self.close()
                if error.sqlite_errorname.startswith(_UNUSABLE):
                    raise PacerError(
                        f"pacer {self._path}: it is no database, or cannot be written ({error})"
                    ) from None
                raise PacerLost(str(error)) from None
            return result

        with anyio.CancelScope(shield=True):
            return await anyio.to_thread.run_sync(run, limiter=self._threads)
        raise AssertionError("unreachable: a shielded scope is never cancelled")

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            self.bind("default")
        self._database = sqlite3.connect(
            str(self._path), timeout=1.0, isolation_level=None, check_same_thread=False
        )
        # A crash of the machine may lose the last slots, which are past by the time it is up again.
        with contextlib.suppress(sqlite3.OperationalError):
            # Another process that opens the file in the same moment may be in the way, and does this as well.
            self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_SCHEMA)
        return self._database

    def _load(self, database: sqlite3.Connection, now: float, interval: float) -> tuple[str, paces.Pace]:
        row = database.execute(f"SELECT epoch, {_FIELDS} FROM pace WHERE account = ?", (self._account,)).fetchone()  # noqa: S608
        # Times far ahead are of a machine that was up for longer: it has started anew since.
        if row is None or row[1] > now + _DAY or row[4] > now:
            # What was sent before this state began is not known, so the first slot keeps its distance from now.
            fresh = paces.Pace(interval=interval, next_slot=now + interval, margin_at=now, alone=_ALONE)
            return secrets.token_hex(8), fresh
        epoch, next_slot, silent_until, margin, margin_at, first = row
        pace = paces.Pace(interval, next_slot, silent_until, margin, margin_at, _ALONE, bool(first))
        return epoch, pace

    def _store(self, database: sqlite3.Connection, epoch: str, pace: paces.Pace) -> None:
        values = (pace.next_slot, pace.silent_until, pace.margin, pace.margin_at, pace.first_after_pause)
        row = (self._account, epoch, *values)
        database.execute("INSERT OR REPLACE INTO pace VALUES (?, ?, ?, ?, ?, ?, ?)", row)
