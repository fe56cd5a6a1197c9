"""One pace for all processes of a machine, in an SQLite file: nothing to install, nothing to run."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from ..errors import InvalidRequestError
from . import kept_pace, pacer_file, pacer_tables
from . import pacing as paces
from .pacers import Departure, PacerLost, Reservation

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("picoworkers_async")

_MINUTE_SECONDS = 60.0
_OPENING_ATTEMPTS = 5
# SQLite's work is interrupted after the first, and a file system that does not answer is no longer waited for
# after the second.
_LONGEST_WORK_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 2.0
_STEPS_BETWEEN_LOOKS = 10_000
# A connection that came with a fork is the parent's: not even closing it is for the child to do, nor for its
# garbage collector.
_of_parents: list[sqlite3.Connection] = []


class SqlitePacer:
    """Shares the pace of an account between all processes on this machine that use the same file.

    If you leave out `path`, the file is named after the account (by a hash, without the secret), in the first of
    these folders: the one that `PICOWORKERS_PACER_FOLDER` in the environment names;
    `/var/lib/picoworkers_async`, if an administrator made it for this user; the user's own state folder. In any
    case only root and this user may be able to write in its folder, because whoever can may have SQLite delete
    the user's files: so /tmp itself is refused. Windows has no such modes to check.

    Times are of the machine's monotonic clock, the same in every process; a restart of the machine starts anew.
    A process that is killed costs the others one slot at most. If the file is deleted or replaced while it is in
    use, the next request of each process notices: everybody waits 6 s, and goes on with the new one. If the file
    does not answer within 2 s, clients do without it for a while. The pacer may be created before a fork and
    used on both sides.

    Raises `InvalidRequestError` for a `path` that is none, and `PacerError`, at the first call, for a file or
    folder that cannot be used, with the reason. Source: the API document of 2024 allows one request a second for
    an account.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        problems = [] if path is None else pacer_file.path_problems(path)
        if problems:
            raise InvalidRequestError("SqlitePacer", problems, sends=False)
        self._path = None if path is None else Path(path)
        self._named = path is not None
        self._account: str | None = None
        self._database: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._told_of_nonsense = False
        self._work_until = 0.0
        self._begin()

    def __repr__(self) -> str:
        return f"SqlitePacer({str(self._path)!r})"

    def _begin(self) -> None:
        """State of one process: a copy of this object in its child is another client."""
        self._process = os.getpid()
        self._client = secrets.token_hex(8)
        # Whichever event loops use it, and a transaction may go on after a native cancellation.
        self._one_at_a_time = threading.Lock()

    def _begin_in_child(self) -> None:
        """The connection of a parent process cannot be used in its child."""
        if self._database is not None:
            _of_parents.append(self._database)
            self._database = None
        self._begin()

    def close(self) -> None:
        """Close the file. It is opened again when it is needed."""
        if self._process != os.getpid():
            self._begin_in_child()
        # Whoever hangs in a transaction has it open until that ends.
        if self._one_at_a_time.acquire(timeout=_LONGEST_WAIT_SECONDS):
            try:
                self._close()
            finally:
                self._one_at_a_time.release()

    def _close(self) -> None:
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
            database.execute(pacer_tables.FORGET_SOME, {"account": self._account, "since": since, "now": now})
            active = (self._client, self._account, since, now)
            sharers, rank = database.execute(pacer_tables.ACTIVE, active).fetchone()
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
            self._store(database, epoch, change(pace, now, min(seconds, paces.MOST_RETRY_AFTER_SECONDS)))

        await self._transact(work)

    async def _transact(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        """One transaction, in a thread. A cancellation waits for it, a moment, and loses no slot."""

        import sqlite3  # only who uses a file of SQLite's pays for loading it

        if self._process != os.getpid():
            self._begin_in_child()

        def run() -> T:
            if not self._one_at_a_time.acquire(timeout=_LONGEST_WORK_SECONDS):
                raise PacerLost(f"{self._path}: the transaction before it does not end")
            try:
                self._work_until = time.perf_counter() + _LONGEST_WORK_SECONDS
                return self._run(work)
            except sqlite3.Error as error:
                self._close()
                raise pacer_file.error_of(self._path or Path(), error) from None
            except OSError as error:
                self._close()
                raise pacer_file.system_error(self._path or Path(), error) from None
            finally:
                self._one_at_a_time.release()

        with anyio.move_on_after(_LONGEST_WAIT_SECONDS, shield=True):
            # A limiter belongs to one event loop, and the program's own must not keep this waiting.
            return await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
        raise PacerLost(f"{self._path} does not answer within {_LONGEST_WAIT_SECONDS:g} s")

    def _run(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        """Run it on the existing file; once more, if that was deleted meanwhile."""
        import sqlite3  # only who uses a file of SQLite's pays for loading it

        try:
            return self._attempt(work)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_READONLY_DBMOVED":
                raise
        self._close()
        return self._attempt(work)

    def _attempt(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        import sqlite3  # only who uses a file of SQLite's pays for loading it

        if self._database is None or self._file != _identity(self._path):
            self._close()
            self._database = self._open()
        elif self._path is not None:
            pacer_file.check_journal(self._path)
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
        """Open the existing file, or create it, and note which one it is."""
        import sqlite3  # only who uses a file of SQLite's pays for loading it

        if self._account is None:
            self.bind("default")
        if self._path is None:
            self._path = pacer_file.default_file(self._account or "default")
        for _ in range(_OPENING_ATTEMPTS):
            before = _identity(self._path)
            database = pacer_file.connect(self._path, named=self._named)
            try:
                database.set_progress_handler(self._takes_too_long, _STEPS_BETWEEN_LOOKS)
                # Text may be anything, where somebody else wrote it.
                database.text_factory = lambda text: text.decode(errors="replace")
                # No write-ahead log: its files go by name, and those of a deleted file would spoil the new one.
                with contextlib.suppress(sqlite3.OperationalError):
                    database.execute("PRAGMA journal_mode = TRUNCATE")
                # A crash of the machine may lose the last slots, which are past by the time it is up again.
                database.execute("PRAGMA synchronous = OFF")
                pacer_tables.prepare(database)
                self._file = _identity(self._path)
            except BaseException:
                database.close()
                raise
            if before is not None and before == self._file:
                return database
            # It was made just now, by whomever, or replaced in between: what was opened may be another one.
            database.close()
        raise PacerLost(f"{self._path} keeps being replaced")

    def _takes_too_long(self) -> bool:
        return time.perf_counter() > self._work_until

    def _load(self, database: sqlite3.Connection, now: float, interval: float) -> tuple[str, paces.Pace]:
        row = database.execute(pacer_tables.SELECT, (self._account,)).fetchone()
        kept = None
        if row is not None and row[7] == kept_pace.boot_id():
            try:
                kept = kept_pace.understood(row, now, interval)
            except ValueError as error:
                if not self._told_of_nonsense:
                    self._told_of_nonsense = True
                    logger.warning("pacer %s: its state cannot be read (%s); it starts over", self._path, error)
        if kept is not None:
            return kept
        # What was sent before this state began is not known, so the first keeps its distance from now.
        first = now + interval
        fresh = paces.Pace(interval, first, first, margin_at=now, alone=paces.ALONE_SECONDS)
        return secrets.token_hex(8), fresh

    def _epoch(self, stored: str) -> str:
        """The state's name; a copy of it in another file has another."""
        return stored if self._file is None else f"{stored}-{self._file[1]}"

    def _store(self, database: sqlite3.Connection, epoch: str, pace: paces.Pace) -> None:
        times = (pace.next_slot, pace.next_departure, pace.silent_until)
        margin = (pace.margin, pace.margin_at)
        row = (self._account, epoch, *times, *margin, pace.first_after_pause, kept_pace.boot_id())
        database.execute(pacer_tables.STORE, row)


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file a path leads to now; None if there is none."""
    try:
        found = os.stat(path or "")
    except OSError:
        return None
    return found.st_dev, found.st_ino
