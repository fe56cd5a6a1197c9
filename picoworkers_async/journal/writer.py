"""The journal while a batch writes it: one writer, and one commit for all that wait for one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import attrs

from ..errors import JournalError
from ..models import Rating
from .reader import (
    APPLICATION_ID,
    COLUMNS,
    NO_REVISION,
    SCHEMA,
    VERSION,
    Journal,
    check_format,
    connect,
    rating_of,
    row_of,
    told,
)

T = TypeVar("T")

_AT_ONCE = 1000

_REPLACE = f"INSERT OR REPLACE INTO ratings ({COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608
_SELECT = f"SELECT {COLUMNS} FROM ratings"  # noqa: S608


@attrs.frozen
class Recorded:
    """A rating as the journal has it."""

    rating: Rating
    state: str
    message: str | None


@attrs.define(eq=False)
class _Commit:
    """The next commit: what goes into it, and what came of it."""

    steps: list[Callable[[sqlite3.Connection], None]] = attrs.field(factory=list)
    done: bool = False
    error: JournalError | None = None


class Record:
    """An open journal. What a method is given is durable when it returns.

    Steps that wait at the same time share a commit. Only one process, and one batch in it, has a journal open
    to write: whoever comes second gets a `JournalError` at once.
    """

    def __init__(self, journal: Journal, *, account: str, edition: str) -> None:
        self._path = journal.path
        self._account = account
        self._edition = edition
        self._next = _Commit()
        self._lock = anyio.Lock()
        self._threads = anyio.CapacityLimiter(1)

    async def open(self) -> None:
        """Raises `JournalError` for a file that cannot be written, is damaged, or belongs to something else."""
        await self._in_thread(self._open)

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._in_thread(self._close)

    async def unfinished(self, states: tuple[str, ...], after: Rating | None) -> list[Recorded]:
        """Some ratings in one of these states, in the order of their keys, from the one behind `after` on."""
        marks = ", ".join("?" * len(states))
        query = f"{_SELECT} WHERE state IN ({marks}) AND (task_id, revision) > (?, ?)"
        query += " ORDER BY task_id, revision LIMIT ?"
        key = ("", NO_REVISION) if after is None else _key(after)

        def read() -> list[Recorded]:
            return [_recorded(row) for row in self._database.execute(query, (*states, *key, _AT_ONCE))]

        return await self._in_thread(read)

    async def known(self, keys: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        """Which of these tasks, by id and revision, were decided before."""
        wanted = list(keys)

        def read() -> set[tuple[str, int]]:
            query = "SELECT 1 FROM ratings WHERE task_id = ? AND revision = ?"
            return {key for key in wanted if self._database.execute(query, key).fetchone()}

        return await self._in_thread(read)

    async def decide(self, rating: Rating) -> None:
        """Note a decision."""
        await self._commit(lambda database: _put(database, rating, "decided"))

    async def send(self, ratings: Sequence[Rating]) -> list[Recorded | None]:
        """Note that these are about to be sent; for one that must not be, give what the journal has instead."""
        found: list[Recorded | None] = []

        def step(database: sqlite3.Connection) -> None:
            for rating in ratings:
                recorded = _find(database, rating)
                if recorded is not None and recorded.state not in ("decided", "failed"):
                    found.append(recorded)
                else:
                    _put(database, rating, "sent")
                    found.append(None)

        await self._commit(step)
        return found

    async def conclude(self, outcomes: Sequence[tuple[Rating, str, str | None]]) -> None:
        """Note outcomes (rating, state, message), whatever is cancelled meanwhile."""

        def step(database: sqlite3.Connection) -> None:
            for outcome in outcomes:
                _put(database, *outcome)

        with anyio.CancelScope(shield=True):
            await self._commit(step)

    async def _commit(self, step: Callable[[sqlite3.Connection], None]) -> None:
        commit = self._next
        commit.steps.append(step)
        async with self._lock:
            if not commit.done:
                self._next = _Commit()
                with anyio.CancelScope(shield=True):
                    commit.error = await self._in_thread(lambda: self._apply(commit.steps))
                commit.done = True
        if commit.error is not None:
            raise commit.error

    def _apply(self, steps: list[Callable[[sqlite3.Connection], None]]) -> JournalError | None:
        try:
            with told(self._path):
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    for step in steps:
                        step(self._database)
                    self._database.execute("COMMIT")
                except BaseException:
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
                    raise
        except JournalError as error:
            return error
        return None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    def _open(self) -> None:
        if self._path.is_dir():
            raise JournalError(self._path, "it is a folder; name a file")
        with told(self._path):
            self._guard = self._take_guard()
            try:
                self._database = connect(self._path)
                try:
                    self._prepare()
                except BaseException:
                    self._database.close()
                    raise
            except BaseException:
                self._guard.close()
                raise

    def _take_guard(self) -> sqlite3.Connection:
        """Lock the journal for this process, by a lock that ends with it, and leaves readers alone."""
        guard = connect(self._path.with_name(self._path.name + ".lock"))
        try:
            guard.execute("PRAGMA busy_timeout = 0")
            guard.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            guard.close()
            if error.sqlite_errorname == "SQLITE_BUSY":
                raise JournalError(self._path, "another batch has it open; it serves one at a time") from None
            raise
        return guard

    def _prepare(self) -> None:
        database = self._database
        database.execute("PRAGMA synchronous = FULL")
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables:
            check_format(self._path, database)
        database.execute("PRAGMA journal_mode = WAL")
        owner = {"account": self._account, "edition": self._edition}
        if not tables:
            database.executescript(
                f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {VERSION}; COMMIT;"
            )
        database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", owner.items())
        kept = dict(database.execute("SELECT name, value FROM meta"))
        for name, value in owner.items():
            if kept[name] != value:
                raise JournalError(self._path, f"it belongs to another {name}; batches must not be mixed")
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise JournalError(self._path, f"it is damaged ({verdict})")
        # A write that changes nothing shows a file or folder that cannot be written, before anything is sent.
        database.execute("INSERT OR REPLACE INTO meta VALUES ('opened', ?)", (str(time.time()),))

    def _close(self) -> None:
        with closing(self._guard), closing(self._database):
            pass


def _key(rating: Rating) -> tuple[str, int]:
    return rating.task_id, NO_REVISION if rating.revision_number is None else rating.revision_number


def _find(database: sqlite3.Connection, rating: Rating) -> Recorded | None:
    row = database.execute(f"{_SELECT} WHERE task_id = ? AND revision = ?", _key(rating)).fetchone()
    return None if row is None else _recorded(row)


def _put(database: sqlite3.Connection, rating: Rating, state: str, message: str | None = None) -> None:
    database.execute(_REPLACE, (*row_of(rating), state, message, time.time()))


def _recorded(row: tuple[Any, ...]) -> Recorded:
    return Recorded(rating_of(row), row[9], row[10])
