"""The journal while a batch writes it: one writer, and one commit for all that wait for one."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs

from ..codec import printable
from ..errors import JournalError
from ..models import Rating
from .lock import FileLock
from .reader import Journal
from .schema import (
    COLUMNS,
    NO_REVISION,
    JournalState,
    Key,
    Recorded,
    connect,
    create_or_migrate,
    journal_errors,
    key_of,
    recorded_of,
    row_of,
)

T = TypeVar("T")

_ROWS_AT_ONCE = 1000

_SELECT = f"SELECT {COLUMNS} FROM ratings"  # noqa: S608
_ONE = f"{_SELECT} WHERE job_id = ? AND task_id = ? AND revision = ?"
# What was sent, or came to its end, is never replaced: only what certainly did not take effect is.
_BEGIN = f"""
INSERT INTO ratings ({COLUMNS}) VALUES ({", ".join("?" * 12)})
ON CONFLICT (job_id, task_id, revision) DO UPDATE SET
    verdict = excluded.verdict, satisfaction = excluded.satisfaction, comment = excluded.comment,
    list_id = excluded.list_id, block_worker = excluded.block_worker, bonus = excluded.bonus,
    state = excluded.state, message = excluded.message, at = excluded.at
WHERE state IN ('decided', 'failed')
"""  # noqa: S608
# A rating without a revision may be of any; only one that sent the task back leaves room for the next.
_SENT_BEFORE = f"""
{_SELECT} WHERE job_id = :job_id AND task_id = :task_id AND state NOT IN ('decided', 'failed')
AND (revision = :revision OR :revision = {NO_REVISION}
    OR (revision = {NO_REVISION} AND (:revision = 0 OR verdict <> 'revise')))
ORDER BY revision = :revision DESC, at DESC LIMIT 1
"""
_END = """
UPDATE ratings SET state = ?, message = ?, at = ?
WHERE job_id = ? AND task_id = ? AND revision = ? AND state NOT IN ('rated', 'refused')
"""


_WITHOUT_LOG = (
    "the batch before was killed, and the file -wal that belongs beside it, with what that batch did last, is not "
    "there; was it copied, renamed or linked without it? Bring both together again"
)


@attrs.define(eq=False, repr=False)
class _Commit:
    """The next commit: what goes into it, and what came of it."""

    steps: list[Callable[[sqlite3.Connection], None]] = attrs.field(factory=list)
    done: bool = False
    error: JournalError | None = None


class JournalWriter:
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
        self._opening = threading.Lock()
        self._closed = self._prepared = False
        self._file: FileLock | None = None
        self._database: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Raises `JournalError` for a file that cannot be written, is damaged, or belongs to something else."""
        try:
            with anyio.CancelScope(shield=True):
                await self._in_thread(self._open)
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._in_thread(self._close)

    async def unfinished(self, after: Rating | None) -> list[Recorded]:
        """Some ratings that were sent and whose fate is unknown, in the order of their keys, behind `after`."""
        query = f"{_SELECT} WHERE state IN ('sent', 'unknown') AND (job_id, task_id, revision) > (?, ?, ?)"
        query += " ORDER BY job_id, task_id, revision LIMIT ?"
        key = ("", "", NO_REVISION) if after is None else key_of(after)

        def read() -> list[Recorded]:
            return [recorded_of(row) for row in self._connection.execute(query, (*key, _ROWS_AT_ONCE))]

        return await self._in_thread(read)

    async def known(self, keys: Iterable[Key]) -> dict[Key, Recorded]:
        """What the journal has of these."""
        wanted = [key for key in keys if _can_be_stored(key)]

        def read() -> dict[Key, Recorded]:
            rows = ((key, self._connection.execute(_ONE, key).fetchone()) for key in wanted)
            return {key: recorded_of(row) for key, row in rows if row is not None}

        return await self._in_thread(read)

    async def decide(self, ratings: Sequence[Rating]) -> None:
        """Note decisions."""

        def step(database: sqlite3.Connection) -> None:
            now = time.time()
            rows = ((*row_of(rating), JournalState.DECIDED.value, None, now) for rating in ratings)
            database.executemany(_BEGIN, rows)

        await self._commit(step)

    async def send(self, ratings: Sequence[Rating]) -> list[Recorded | None]:
        """Note that these are about to be sent; for one that must not be, give what the journal has instead."""
        found: list[Recorded | None] = []

        def step(database: sqlite3.Connection) -> None:
            now = time.time()
            for rating in ratings:
                row = database.execute(_SENT_BEFORE, _named(key_of(rating))).fetchone()
                if row is None:
                    database.execute(_BEGIN, (*row_of(rating), JournalState.SENT.value, None, now))
                found.append(None if row is None else recorded_of(row))

        await self._commit(step)
        return found

    async def conclude(self, outcomes: Sequence[tuple[Rating, JournalState, str | None]]) -> None:
        """Note outcomes (rating, state, message), whatever is cancelled meanwhile."""

        def step(database: sqlite3.Connection) -> None:
            now = time.time()
            rows = (
                (state.value, None if message is None else printable(message), now, *key_of(rating))
                for rating, state, message in outcomes
            )
            database.executemany(_END, rows)

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
            with journal_errors(self._path):
                if self._file is None or not self._file.is_there():
                    raise JournalError(self._path, "the file was removed or replaced while the batch ran")
                database = self._connection
                database.execute("BEGIN IMMEDIATE")
                try:
                    for step in steps:
                        step(database)
                    database.execute("COMMIT")
                except BaseException:
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    raise
        except JournalError as error:
            return error
        except Exception as error:
            return JournalError(self._path, f"a step could not be written ({type(error).__name__}: {error})")
        return None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise JournalError(self._path, "it is closed")
        return self._database

    def _open(self) -> None:
        with self._opening:
            if self._closed:
                return
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
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise JournalError(self._path, f"it is damaged ({verdict})")
        # This write also shows a file or folder that cannot be written, before anything is sent. It has to be in
        # the file itself, whatever becomes of the one beside it.
        database.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '0')")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _close(self) -> None:
        """Close and let go. Waits for an opening that still goes on; one that has not begun does nothing then."""
        with self._opening:
            self._closed = True
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


def _can_be_stored(key: Key) -> bool:
    """Whether a row could have this key: ids that cannot be encoded are refused before they are noted."""
    try:
        f"{key[0]}{key[1]}".encode()
    except UnicodeEncodeError:
        return False
    return -(2**63) <= key[2] < 2**63


def _named(key: Key) -> dict[str, object]:
    job_id, task_id, revision = key
    return {"job_id": job_id, "task_id": task_id, "revision": revision}
