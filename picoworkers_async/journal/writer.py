"""The journal while a batch writes it: one writer, and one commit for all steps that wait for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import attrs

from ..errors import JournalBusyError, JournalError, JournalUnreachableError
from ..models import Rating
from ..observing import Observers
from . import money, steps
from .database import Database
from .places import Place
from .progress import tell_progress, tell_running
from .reader import Journal
from .schema import Entry, Failure, JournalState, Key, Recorded, Spent
from .stores import store_of
from .thread import WorkerThread

Given = TypeVar("Given")
T = TypeVar("T")

_PROGRESS_SECONDS = 1.0
_LOOK_SECONDS = 1.0


@attrs.define(eq=False, repr=False)
class _Commit:
    """The next commit: what goes into it, and its result."""

    steps: list[tuple[Callable[[Database, Any, float], object], object]] = attrs.field(factory=list)
    results: list[Any] = attrs.field(factory=list)
    asked_at: float | None = None
    error: JournalError | None = None
    done: anyio.Event = attrs.field(factory=anyio.Event)


class JournalWriter:
    """An open journal. What a method is given is durable when it returns.

    Steps that wait at the same time share a commit. Only one process, and one batch in it, has a journal open
    for writing; the second gets a `JournalBusyError` at once. All work on the file is done in one thread, which
    ends with `aclose`.

    A dry run has a journal of its own kind, in which `send` notes what would be sent. `kind` is what the batch
    does, for `Journal.running`. `opened_at` is when it was opened, in seconds since 1970; `in_hand`, how many
    ratings have no outcome yet, is kept up to date by whoever uses it. `observers` are told of each commit. With
    `standby`, opening waits for whoever has it.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        account: str,
        edition: str,
        dry_run: bool = False,
        kind: str = "rate",
        standby: bool = False,
        observers: Observers | None = None,
    ) -> None:
        self.path: Place = journal.path
        self._dry_run = dry_run
        self._kind = kind
        self._standby = standby
        self._observers = observers
        owner = {"account": account, "edition": edition, "dry_run": str(int(dry_run))}
        self._store = store_of(self.path, owner)
        self._next: _Commit | None = None
        self._idle = True
        self._thread: WorkerThread | None = None
        self._ended: dict[str, int] = {}
        self._told_at = 0.0
        self.opened_at: float = 0.0
        self.in_hand = 0

    async def open(self) -> None:
        """Open the file for writing, or create it; `JournalFile.open` says what that checks and raises.

        Damage that is not found then ends the batch when it is met.
        """
        idle = None if self._store.renew_seconds is None else (self._store.renew_seconds, self._store.renew)
        self._thread = WorkerThread(f"journal {self.path.name}", idle)
        try:
            await (self._stand_by() if self._standby else self._take())
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            await self.aclose()
            raise

    async def _take(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._open_thread().run(self._open)

    async def _stand_by(self) -> None:
        """Take hold of it as soon as no other batch has it."""
        started = None
        while True:
            try:
                await self._take()
            except (JournalBusyError, JournalUnreachableError) as error:
                # A server that is away is waited for by whoever could reach it before.
                if started is None and isinstance(error, JournalUnreachableError):
                    raise
            else:
                if started is not None and self._observers is not None:
                    from ..events import TookOver  # loaded when something is told

                    waited = time.monotonic() - started
                    self._observers.tell(TookOver(journal=str(self.path), seconds=waited))
                return
            if started is None:
                started = time.monotonic()
                if self._observers is not None:
                    from ..events import StandbyWaiting

                    self._observers.tell(StandbyWaiting(journal=str(self.path)))
            await anyio.sleep(_LOOK_SECONDS)

    async def aclose(self) -> None:
        """Close and release the file, after what is being written; waits for an opening that still goes on."""
        if self._thread is not None:
            with anyio.CancelScope(shield=True):
                await self._thread.end(self._store.close)

    async def unfinished(self, after: Rating | None) -> list[Recorded]:
        """Some ratings that were sent and whose fate is unknown, in the order of their keys, after `after`."""
        return await self._read(steps.unfinished, after)

    async def known(self, keys: Iterable[Key]) -> dict[Key, Recorded]:
        """What the journal has of these, except what is to be decided anew."""
        return await self._read(steps.known, list(keys))

    async def spent(self, since: float | None) -> Spent:
        """What was sent since then, in seconds since 1970, and may have taken effect; None: in all."""
        return await self._read(money.spent, since)

    async def unpriced(self, since: float | None) -> list[str]:
        """Jobs of ratings that were sent since then, and whose pay nobody noted."""
        return await self._read(money.unpriced, since)

    async def price(self, job_id: str, task_value: Decimal) -> None:
        """Note what a job pays for a task, where that is not known."""

        def step(database: Database, given: str, now: float) -> int:
            return money.price(database, given, task_value)

        await self._write(step, job_id)

    async def decide(self, entries: Sequence[Entry]) -> None:
        """Note decisions."""
        await self._write(steps.decide, entries)

    async def send(self, entries: Sequence[Entry]) -> list[Recorded | None]:
        """Note that these are about to be sent; for one that must not be, return what the journal has instead."""
        return await self._write(steps.would_send if self._dry_run else steps.send, entries)

    def is_stale(self) -> bool:
        """Whether what was noted to be sent must not be, before something else was written."""
        return self._store.is_stale()

    async def unsend(self, ratings: Sequence[Rating]) -> None:
        """Note that these certainly had no effect, even if cancelled meanwhile: they are only decided."""
        with anyio.CancelScope(shield=True):
            await self._write(steps.unsend, ratings)

    async def failed(self, failures: Sequence[Failure]) -> None:
        """Note what failed before anything was sent. The next batch meets it again."""
        await self._write(steps.fail, failures)
        self._count("failed", len(failures))

    async def conclude(self, outcomes: Sequence[tuple[Rating, JournalState, str | None]]) -> None:
        """Note outcomes (rating, state, message), even if cancelled meanwhile."""
        for _, state, _ in outcomes:
            self._count(state, 1)
        with anyio.CancelScope(shield=True):
            await self._write(steps.conclude, outcomes)

    def _count(self, state: str, more: int) -> None:
        self._ended[state] = self._ended.get(state, 0) + more

    async def _read(self, read: Callable[[Database, Given], T], given: Given) -> T:
        def work(database: Database) -> T:
            return read(database, given)

        return await self._open_thread().run(partial(self._store.read, work))

    async def _write(self, step: Callable[[Database, Given, float], T], given: Given) -> T:
        """Have this step in the next commit, and wait for it. If cancelled, it is written all the same."""
        thread = self._open_thread()
        if self._next is None:
            listening = self._observers is not None and self._observers.listening()
            self._next = _Commit(asked_at=time.monotonic() if listening else None)
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
        """Have the thread commit what waits, and again what came meanwhile, until nothing is left."""
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
            self._told(commit)
            # Those who waited go first: their next steps go along, and the thread does not hold them up.
            thread.call_in_loop(self._start_next)

        thread.start(partial(self._apply, commit), committed)

    def _told(self, commit: _Commit) -> None:
        if self._observers is None or commit.asked_at is None or commit.error is not None:
            return
        from ..events import JournalWritten  # loaded when something is told

        seconds = time.monotonic() - commit.asked_at
        self._observers.tell(JournalWritten(steps=len(commit.steps), seconds=seconds))

    def _apply(self, commit: _Commit) -> None:
        def work(database: Database) -> list[Any]:
            now = time.time()
            results = [step(database, given, now) for step, given in commit.steps]
            # Also when no other commit waits: there may be none for hours.
            if self._next is None or not 0.0 <= now - self._told_at < _PROGRESS_SECONDS:
                self._tell(database, now)
            return results

        try:
            commit.results = self._store.write(work)
        except JournalError as error:
            commit.error = error
        except BaseException as error:
            commit.error = JournalError(
                self.path, f"a step could not be written ({type(error).__name__}: {error})"
            )

    def _open_thread(self) -> WorkerThread:
        """The thread; raises `JournalError` if it no longer serves, as after `aclose` and in a forked child."""
        if self._thread is None or not self._thread.serves:
            raise JournalError(self.path, "it is closed")
        return self._thread

    def _open(self) -> None:
        self.opened_at = time.time()
        self._store.open()
        self._store.write(lambda database: tell_running(database, self._kind, self.opened_at))

    def _tell(self, database: Database, now: float) -> None:
        """Note how far the batch is, in a commit that is made anyway."""
        self._told_at = now
        tell_progress(database, {**self._ended, "waiting": self.in_hand})
