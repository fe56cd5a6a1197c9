"""The block around a batch: no task of it outlives the block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from ..errors import ClientStateError, PicoworkersError
from ..journal import Journal
from ..session import Session
from ..throttle import Priority
from .grace_period import GracePeriod
from .options import BatchOptions
from .outcomes import BatchReport, Outcome, OutcomeStream

if TYPE_CHECKING:
    from .assembly import SourceMaker
    from .pipeline import Pipeline


class Batch:
    """An async context manager and, inside its block, an async iterator of `Outcome`s as they complete.

    Leaving the block early stops the batch: nothing new is sent, requests on the wire get `grace` seconds
    to learn their answer. What ends a batch, such as lost credentials, comes from the iterator after every outcome
    that was learned; the error's `report` adds those up.
    """

    def __init__(
        self, session: Session, make_source: SourceMaker, options: BatchOptions, kind: str = "rate"
    ) -> None:
        self._options = options
        self._grace = GracePeriod(options.grace)
        self._session = session.view(priority=Priority.BATCH, group=self)
        self._make_source = make_source
        self._journal = None
        journal = options.journal
        if journal is not None:
            from ..journal.writer import JournalWriter  # loads SQLite

            self._journal = JournalWriter(
                journal if isinstance(journal, Journal) else Journal(journal),
                account=session.account,
                edition=session.edition.name,
                dry_run=options.dry_run,
                kind=kind,
            )
        self._entered = False
        self._ended = False

    async def __aenter__(self) -> Self:
        if self._entered:
            raise ClientStateError("a batch is entered once; call rate() or review() again for another")
        self._entered = True
        if self._journal is not None:
            await self._journal.open()
        self._outcomes = OutcomeStream(self._session.throttle.batch_concurrency)
        self._pipeline = self._assembled()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
            self._pipeline.leave()
            self._group.cancel_scope.cancel()
        self._outcomes.close()
        try:
            if error is None or isinstance(error, Exception):
                await self._group.__aexit__(None, None, None)
            else:
                await self._group.__aexit__(kind, error, trace)
        finally:
            if self._journal is not None:
                await self._journal.aclose()

    def __aiter__(self) -> AsyncIterator[Outcome]:
        if not self._entered:
            raise ClientStateError("iterate inside the block: `async with pico.rate(...) as outcomes:`")
        return self

    async def __anext__(self) -> Outcome:
        try:
            return await self._outcomes.take()
        except anyio.EndOfStream:
            self._raise_failure()
            raise StopAsyncIteration from None

    async def report(self) -> BatchReport:
        """Run the batch to its end and add it up, with what was iterated before. Used inside the block."""
        if not self._entered:
            raise ClientStateError("report inside the block: `async with pico.rate(...) as batch:`")
        await self._outcomes.drop_all()
        self._raise_failure()
        return self._outcomes.report()

    def _raise_failure(self) -> None:
        """Raise what ended the batch early, if something did, with the report of what came before."""
        failure = self._pipeline.failure
        if failure is None:
            return
        report = self._outcomes.report()
        if isinstance(failure, PicoworkersError):
            failure.report = report
        else:
            failure.report = report  # type: ignore[attr-defined]
        raise failure from failure.__cause__

    def _assembled(self) -> Pipeline:
        # A program that only makes single calls never loads what runs a batch: a tenth of the time to import us.
        from .assembly import assemble

        return assemble(
            self._session, self._make_source, self._options, self._outcomes, self._journal, self._grace
        )

    async def _run(self) -> None:
        try:
            await self._pipeline.run()
        finally:
            self._ended = True
            self._outcomes.end()
