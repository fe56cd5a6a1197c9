"""The block around a batch: no task of it outlives the block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio
import attrs

from ..classify import in_words
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
    from .progress import Progress, Spend


class Batch:
    """A batch of ratings: an async context manager and, inside its block, an async iterator of outcomes.

    Each `Outcome` comes as soon as it is known. `stop` ends the batch in good order. Leaving the block early
    stops it: nothing new is sent, and requests in flight get `grace` seconds to get their answer. An error that
    ends the batch, such as lost credentials, is raised by the iterator after every outcome that was learned; its
    `report` adds those up.
    """

    def __init__(
        self,
        session: Session,
        make_source: SourceMaker,
        options: BatchOptions,
        *,
        kind: str = "rate",
    ) -> None:
        self._options = options
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
                standby=options.standby,
                observers=session.observers,
            )
        self._kind = kind
        self._entered = self._assembled = self._ended = False
        self._stop_asked = self._left = False

    async def __aenter__(self) -> Self:
        if self._entered:
            raise ClientStateError("a batch is entered once; call rate() or review() again for another")
        self._session.require_home("a batch")
        self._entered = True
        if self._journal is not None:
            await self._journal.open()
        self._grace = GracePeriod(self._options.grace)
        self._outcomes = OutcomeStream(self._session.throttle.batch_concurrency, self._session.observers)
        self._pipeline = self._assemble()
        self._assembled = True
        if self._stop_asked:
            self._pipeline.stop()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
            self._left = True
            self._pipeline.leave()
            self._group.cancel_scope.cancel()
        self._outcomes.close()
        try:
            if isinstance(error, Exception) or not _may_be_cancelled(error):
                # What ends the block comes out as it is, not in a group.
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
        if not self._assembled:
            raise ClientStateError("iterate inside the block: `async with pico.rate(...) as outcomes:`")
        try:
            return await self._outcomes.take()
        except anyio.EndOfStream:
            self._raise_failure()
            raise StopAsyncIteration from None
        except anyio.ClosedResourceError:
            raise ClientStateError(
                "the block of this batch was left; `await batch.report()` has what is known"
            ) from None

    async def report(self) -> BatchReport:
        """Run the batch to its end and return the report, with what you iterated before.

        After the block, the report covers what is known: if you left the block early, what was learned by then.
        Raises the error that ended the batch, if any, and `ClientStateError` before the block.
        """
        if self._assembled:
            await self._outcomes.drop_all()
        return self._known_report()

    def spend(self) -> Spend:
        """What this run has spent so far, or would have in a dry run. Call it once the block was entered."""
        if not self._assembled:
            raise ClientStateError("ask inside the block: `async with pico.rate(...) as batch:`")
        return self._pipeline.spending.spend(self._outcomes.report())

    def stop(self) -> None:
        """Stop the batch: take in no more tasks or ratings, send what was decided, and end.

        Decisions that are awaited are cancelled. What was decided is sent for up to `grace` seconds, and what is
        in flight then has as long again to get its answer: up to 2 x `grace` in all. After that the iteration
        ends as usual, without an error. What was not sent has no outcome; with a journal it stays `decided`
        there, and the next run sends it. A rating whose answer was lost ends as `UNKNOWN`, and the next run with
        the journal settles it.

        Returns at once. You may call it at any time and more than once, also before the block and after the end,
        from any task or callback of the event loop, not from another thread.
        """
        self._stop_asked = True
        if self._assembled and not self._ended:
            self._pipeline.stop()

    def progress(self) -> Progress:
        """How far the batch is, or was when it ended. Call it at any time once the block was entered."""
        if not self._assembled:
            raise ClientStateError("ask for the progress inside the block: `async with pico.rate(...) as batch:`")
        return self._pipeline.progress(self._outcomes.report())

    def _known_report(self) -> BatchReport:
        """The report of what is known so far; raises the error that ended the batch."""
        if not self._assembled:
            raise ClientStateError("report inside the block: `async with pico.rate(...) as batch:`")
        self._raise_failure()
        return self._report()

    def _report(self) -> BatchReport:
        report = self._outcomes.report()
        spending = self._pipeline.spending
        spend = spending.spend(report)
        # A batch that was stopped while it waited at a limit was not ended by it.
        limit = spend.limit if spending.closed else None
        bonus = spend.bonus if self._options.dry_run else report.bonus
        return attrs.evolve(report, put_off=self._pipeline.put_off, limit=limit, bonus=bonus)

    def _raise_failure(self) -> None:
        """Raise the error that ended the batch early, if any, with the report of what came before."""
        failure = self._pipeline.failure
        if failure is None:
            return
        report = self._report()
        if isinstance(failure, PicoworkersError):
            failure.report = report
        else:
            failure.report = report  # type: ignore[attr-defined]
        raise failure from failure.__cause__

    def _assemble(self) -> Pipeline:
        # A program that only makes single calls never loads what runs a batch: a tenth of the time to import us.
        from .assembly import assemble

        parts = self._outcomes, self._journal, self._grace
        return assemble(self._session, self._make_source, self._options, *parts)

    async def _run(self) -> None:
        from ..events import BatchBegan  # with what runs a batch

        options = self._options
        path = None if self._journal is None else str(self._journal.path)
        began = BatchBegan(kind=self._kind, journal=path, dry_run=options.dry_run)
        self._session.observers.tell(began)
        try:
            await self._pipeline.run()
        finally:
            self._ended = True
            self._outcomes.end()
            self._tell_end()

    def _tell_end(self) -> None:
        from ..events import BatchEnded  # with what runs a batch

        report, failure = self._outcomes.report(), self._pipeline.failure
        self._session.observers.tell(
            BatchEnded(
                rated=report.rated,
                refused=report.refused,
                failed=report.failed,
                unknown=report.unknown,
                bonus=report.bonus,
                requests=self._session.requests,
                seconds=report.elapsed,
                stopped=self._stop_asked or self._left,
                error=None if failure is None else self._session.hide(in_words(failure)),
            )
        )


def _may_be_cancelled(error: BaseException | None) -> bool:
    """Whether this is a cancellation, or may hold one."""
    return isinstance(error, BaseExceptionGroup | anyio.get_cancelled_exc_class())
