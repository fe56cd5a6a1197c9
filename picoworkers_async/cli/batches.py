"""Run a batch to its end: show it while it runs, stop it by signals, report it at the end."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import anyio
import attrs

from ..client import AsyncPicoworkers
from ..errors import PicoworkersError
from ..journal import Journal
from ..rating.batch import Batch
from ..rating.outcomes import BatchReport, Tally
from ..rating.progress import Progress
from . import paid
from .endings import Ended, print_ended, why_ended
from .exits import CommandError, Exit
from .output import say
from .prices import Prices
from .progress import ProgressDisplay
from .stopping import Stopping
from .streams import kept_streams


@attrs.frozen(kw_only=True)
class Work:
    """The work of a batch: how many `ratings` there are (None: not known), and where it is recorded.

    `differing` says in words which of them differ from what was rated before, `stale` which were left out
    because they are out of date.
    """

    ratings: int | None
    journal: Path | None
    report: Path | None = None
    dry_run: bool = False
    differing: str | None = None
    stale: str | None = None


async def run_batch(pico: AsyncPicoworkers, batch: Batch, work: Work, *, json: bool) -> Exit:
    """Run it to its end, or until it is stopped; report what became of it, and return the exit code.

    Raises what keeps it from beginning, such as `JournalError`.
    """
    prices, stopping = Prices(pico), Stopping()
    error: PicoworkersError | OSError | None = None
    report: BatchReport | None = None
    tally, is_begun = Tally(), False
    # What a rule prints must not get between the lines of JSON.
    with stopping.opened(), kept_streams(), redirect_stdout(sys.stderr):
        async with anyio.create_task_group() as around:
            block = anyio.CancelScope()
            around.start_soon(stopping.listen, batch, block)
            with block:
                async with batch:
                    is_begun = True
                    error, report = await _take_all(batch, work, prices, tally)
            if not is_begun:
                raise CommandError("interrupted: nothing was sent", code=Exit.INTERRUPTED)
            # What was learned while it was left is in these counts, if not among the outcomes that were taken.
            progress = batch.progress()
            around.cancel_scope.cancel()
    report = report or getattr(error, "report", None) or _of_counts(tally.report(progress.seconds), progress)
    if stopping.count < 2:
        await prices.finish()
    pay = progress.pay if progress.pay is not None else prices.pay()
    is_whole = work.ratings is not None and report.total >= work.ratings
    ended = Ended(
        report=report,
        requests=progress.requests,
        pay=pay,
        bonus=report.bonus,
        error=error,
        is_interrupted=stopping.count > 0 and not is_whole,
        journal=work.journal,
        dry_run=work.dry_run,
        differing=work.differing,
        stale=work.stale,
    )
    if work.journal is not None:
        _note(prices, work.journal)
    is_written = True
    if work.report is not None and work.journal is not None:
        is_written = await _write_report(prices, work, work.report, work.journal, priced=stopping.count < 2)
    return print_ended(ended, is_reported=is_written, json=json)


async def _take_all(
    batch: Batch, work: Work, prices: Prices, tally: Tally
) -> tuple[PicoworkersError | OSError | None, BatchReport | None]:
    """Take every outcome while the progress is shown; returns what ended it early, or the report."""
    display = ProgressDisplay(batch.progress, work.ratings, pay=lambda _: prices.pay())
    with display.shown():
        async with anyio.create_task_group() as beside:
            beside.start_soon(display.run)
            if not work.dry_run:
                beside.start_soon(prices.run)
            error: PicoworkersError | OSError | None = None
            report: BatchReport | None = None
            try:
                async for outcome in batch:
                    tally.add(outcome)
                    prices.add(outcome)
                report = await batch.report()
            except (PicoworkersError, OSError) as failure:
                error = failure
            beside.cancel_scope.cancel()
    return error, report


def _of_counts(report: BatchReport, progress: Progress) -> BatchReport:
    return attrs.evolve(
        report,
        rated=progress.rated,
        refused=progress.refused,
        failed=progress.failed,
        unknown=progress.unknown,
        would_rate=progress.would_rate,
        bonus=progress.bonus,
    )


def _note(prices: Prices, journal: Path) -> None:
    """Note in the journal the pay that was read, so that later readers of the journal need not ask the service."""
    try:
        for job_id in Journal(journal).unpriced() if prices.values else ():
            if job_id in prices.values:
                Journal(journal).price(job_id, prices.values[job_id])
    except (OSError, PicoworkersError) as error:
        say(f"warning: could not note in the journal what the jobs pay: {why_ended(error)}")


async def _write_report(prices: Prices, work: Work, path: Path, journal: Path, *, priced: bool) -> bool:
    """Whether it was written. Jobs whose pay no run needed are read for it, and their pay is noted."""
    try:
        for job_id in Journal(journal).unpriced() if priced else ():
            value = await prices.find(job_id)
            if value is not None:
                Journal(journal).price(job_id, value)
        written = paid.write(path, journal)
    except (OSError, PicoworkersError) as error:
        say(*paid.not_written(path, journal, error))
        return False
    more = f", {written.uncertain} of which may have been paid" if written.uncertain else ""
    say(f"{path}: {written.rows} paid tasks, of all runs with this journal{more}")
    return True
