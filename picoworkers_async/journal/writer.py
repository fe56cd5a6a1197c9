"""The journal while a batch writes it: one writer, and one commit for all that wait for one."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import attrs

from ..errors import JournalError
from ..models import Rating
from . import steps
from .lock import FileLock
from .reader import Journal
from .schema import JournalState, Key, Recorded, connect, create_or_migrate, journal_errors
from .thread import WorkerThread

Given = TypeVar("Given")
T = TypeVar("T")

_SMALL_PAGES = 1000

_WITHOUT_LOG = (
    "the batch before was killed, and the file -wal that belongs beside it, with what that batch did last, is not "
    "there; was it copied, renamed or linked without it? Bring both together again"
)


@attrs.define(eq=False, repr=False)
class _Commit:
    """The next commit: what goes into it, and what came of it."""

    steps: list[tuple[Callable[[sqlite3.Connection, Any, float], object], object]] = attrs.field(factory=list)
    results: list[Any] = attrs.field(factory=list)
    error: JournalError | None = None
    done: anyio.Event = attrs.field(factory=anyio.Event)


class JournalWriter:
    """An open journal. What a method is given is durable when it returns.

    Steps that wait at the same time share a commit. Only one process, and one batch in it, has a journal open
    to write: whoever comes second gets a `JournalError` at once. All work on the file is done in one thread, which
    ends with `aclose`.
    """

    def __init__(self, journal: Journal, *, account: str, edition: str) -> None:
        self._path = journal.path
        self._account = account
        self._edition = edition
        self._next: _Commit | None = None
        self._idle = True
        self._thread: WorkerThread | None = None
        self._prepared = False
        self._file: FileLock | None = None
        self._database: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file to write, or make it.

        Raises `JournalError` for a file that cannot be written, is damaged, or belongs to something else. The
        whole file is checked for damage if it is small (4 MB) or was not closed by the batch before; that takes
        about 0.3 s for a million ratings. Of a large one that was closed, only its length and what is read at
        once are checked, so that opening it takes no longer than a small one: damage elsewhere ends the batch
        when it is met.
        """
        self._thread = WorkerThread(f"journal {self._path.name}")
        try:
            with anyio.CancelScope(shield=True):
                await self._thread.run(self._open)
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close and let go, after what is being written; an opening that still goes on is waited for."""
        if self._thread is not None:
            with anyio.CancelScope(shield=True):
                await self._thread.end(self._close)

    async def unfinished(self, after: Rating | None) -> list[Recorded]:
        """Some ratings that were sent and whose fate is unknown, in the order of their keys, behind `after`."""
        return await self._read(steps.unfinished, after)

    async def known(self, keys: Iterable[Key]) -> dict[Key, Recorded]:
        """What the journal has of these."""
        return await self._read(steps.known, list(keys))

    async def decide(self, ratings: Sequence[Rating]) -> None:
        """Note decisions."""
        await self._write(steps.decide, ratings)

    async def send(self, ratings: Sequence[Rating]) -> list[Recorded | None]:
        """Note that these are about to be sent; for one that must not be, give what the journal has instead."""
        return await self._write(steps.send, ratings)

    async def conclude(self, outcomes: Sequence[tuple[Rating, JournalState, str | None]]) -> None:
        """Note outcomes (rating, state, message), whatever is cancelled meanwhile."""
        with anyio.CancelScope(shield=True):
            await self._write(steps.conclude, outcomes)

    async def _read(self, read: Callable[[sqlite3.Connection, Given], T], given: Given) -> T:
        return await self._open_thread().run(lambda: read(self._connection, given))

    async def _write(self, step: Callable[[sqlite3.Connection, Given, float], T], given: Given) -> T:
        """Have this step in the next commit, and wait for that. Cancelled, it is written all the same."""
        thread = self._open_thread()
        if self._next is None:
            self._next = _Commit()
        commit = self._next
        number = len(commit.steps)
        commit.steps.append((step, given))
        if self._idle:
            self._idle = False
            # Whoever comes as far in the same turn of the event loop goes along.
            thread.call_in_loop(self._start_next)
        await commit.done.wait()
        if commit.error is not None:
            raise commit.error
        result: T = commit.results[number]
        return result

    def _start_next(self) -> None:
        """Have the thread commit what waits, and again what came meanwhile, until nothing does."""
        commit, self._next = self._next, None
        if commit is None:
            self._idle = True
            return
        try:
            thread = self._open_thread()
        except JournalError as error:
            self._idle = True
            commit.error = error
            commit.done.set()
            return

        def committed() -> None:
            commit.done.set()
            # Those who waited go first: their next steps go along, and the thread does not hold them up.
            thread.call_in_loop(self._start_next)

        thread.start(partial(self._apply, commit), committed)

    def _apply(self, commit: _Commit) -> None:
        try:
            with journal_errors(self._path):
                if self._file is None or not self._file.is_there():
                    raise JournalError(self._path, "the file was removed or replaced while the batch ran")
                database = self._connection
                now = time.time()
                database.execute("BEGIN IMMEDIATE")
                try:
                    for step, given in commit.steps:
                        commit.results.append(step(database, given, now))
                    database.execute("COMMIT")
                except BaseException:
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    raise
        except JournalError as error:
            commit.error = error
        except BaseException as error:
            commit.error = JournalError(
                self._path, f"a step could not be written ({type(error).__name__}: {error})"
            )

    def _open_thread(self) -> WorkerThread:
        """The thread; raises `JournalError` if it serves no more, as after `aclose` and in a forked child."""
        if self._thread is None or not self._thread.serves:
            raise JournalError(self._path, "it is closed")
        return self._thread

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise JournalError(self._path, "it is closed")
        return self._database

    def _open(self) -> None:
        with journal_errors(self._path):
            if self._path.is_dir():
                raise JournalError(self._path, "it is a folder; name a file")
            self._file = FileLock(self._path)
            has_log = self._file.path.with_name(self._file.path.name + "-wal").exists()
            self._database = connect(self._file.path)
            self._prepare(self._database, has_log=has_log)
            self._prepared = True

    def _prepare(self, database: sqlite3.Connection, *, has_log: bool) -> None:
        database.execute("PRAGMA synchronous = FULL")
        create_or_migrate(self._path, database)
        database.execute("PRAGMA journal_mode = WAL")
        owner = {"account": self._account, "edition": self._edition}
        database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", owner.items())
        kept = dict(database.execute("SELECT name, value FROM meta"))
        for name, value in owner.items():
            if kept[name] != value:
                raise JournalError(self._path, f"it belongs to another {name}; batches must not be mixed")
        if kept.get("closed") == "0" and not has_log:
            raise JournalError(self._path, _WITHOUT_LOG)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        if kept.get("closed") != "1" or pages <= _SMALL_PAGES:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise JournalError(self._path, f"it is damaged ({verdict})")
        # This write also shows a file or folder that cannot be written, before anything is sent. It has to be in
        # the file itself, whatever becomes of the one beside it.
        database.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '0')")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _close(self) -> None:
        database, self._database = self._database, None
        held, self._file = self._file, None
        try:
            if database is not None:
                with contextlib.suppress(sqlite3.Error), contextlib.closing(database):
                    # Only a batch that got as far as to be a journal's may say so.
                    if self._prepared:
                        database.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '1')")
        finally:
            if held is not None:
                held.release()
