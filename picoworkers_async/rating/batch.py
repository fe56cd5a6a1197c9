"""The block around a batch: no task of it outlives the block."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio

from ..errors import ClientStateError, PicoworkersError
from ..grace_period import GracePeriod
from ..journal import Journal
from ..journal.writer import Record
from ..session import Session
from ..throttle import Priority
from .engine import Engine
from .outcome import BatchReport, Outcome, Tally
from .outlet import Outlet

Feed = Callable[[Engine], Awaitable[None]]


class Batch:
    """An async context manager and, inside its block, an async iterator of `Outcome`s as they complete.

    Leaving the block early stops the batch: nothing new is sent, requests on the wire get `grace` seconds
    to learn their answer. Lost credentials stop it too, with `AuthenticationError` from the iterator.
    """

    def __init__(
        self,
        session: Session,
        feed: Feed,
        *,
        grace: float,
        journal: Journal | str | os.PathLike[str] | None,
        replays: bool,
    ) -> None:
        self._grace = GracePeriod(grace)
        self._session = session.view(priority=Priority.BATCH, group=self, grace=self._grace)
        self._feed = feed
        self._record = None if journal is None else _record(session, journal)
        self._replays = replays
        self._failure: Exception | None = None
        self._ended = False
        self._entered = False

    async def __aenter__(self) -> Self:
        if self._entered:
            raise ClientStateError("a batch is entered once; call rate() or review() again for another")
        self._entered = True
        if self._record is not None:
            await self._record.open()
        concurrency = self._session.throttle.max_concurrency
        self._outlet = Outlet(concurrency)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
            self._grace.end()
            self._group.cancel_scope.cancel()
        self._outlet.close()
        try:
            if error is None or isinstance(error, Exception):
                await self._group.__aexit__(None, None, None)
            else:
                await self._group.__aexit__(kind, error, trace)
        finally:
            if self._record is not None:
                await self._record.aclose()

    def __aiter__(self) -> AsyncIterator[Outcome]:
        if not self._entered:
            raise ClientStateError("iterate inside the block: `async with pico.rate(...) as outcomes:`")
        return self

    async def __anext__(self) -> Outcome:
        try:
            return await self._outlet.take()
        except anyio.EndOfStream:
            if self._failure is not None:
                raise self._failure from None
            raise StopAsyncIteration from None

    async def report(self) -> BatchReport:
        """Run the batch to its end and add it up. Used inside the block, instead of iterating."""
        tally = Tally()
        started = anyio.current_time()
        if not self._entered:
            raise ClientStateError("report inside the block: `async with pico.rate(...) as batch:`")
        await self._outlet.pour(tally.add)
        if self._failure is not None:
            raise self._failure
        return tally.report(anyio.current_time() - started)

    async def _run(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                stack.callback(self._outlet.end)
                engine = Engine(self._session, self._outlet, self._record, replays=self._replays)
                try:
                    await engine.run(self._feed)
                except* Exception as failures:
                    self._failure = _first(failures)
        finally:
            self._ended = True


def _record(session: Session, journal: Journal | str | os.PathLike[str]) -> Record:
    opened = journal if isinstance(journal, Journal) else Journal(journal)
    return Record(opened, account=session.account, edition=session.edition.name)


def _first(failures: BaseExceptionGroup[Exception]) -> Exception:
    """The failure to tell: one of ours before any other."""
    leaves: list[Exception] = []
    stack: list[BaseException] = [failures]
    while stack:
        error = stack.pop()
        if isinstance(error, BaseExceptionGroup):
            stack.extend(error.exceptions)
        elif isinstance(error, Exception):
            leaves.append(error)
    return next((error for error in leaves if isinstance(error, PicoworkersError)), leaves[0])
