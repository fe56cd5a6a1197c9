"""The command that has a Python function decide about each task."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..rating.options import DECIDING
from . import paid
from .asking import confirm
from .batches import Work, run_batch
from .connection import connect
from .earlier import is_of_a_real_batch
from .exits import CommandError, Exit
from .limit_options import LimitOptions, in_words
from .options import DEFAULT, Options, Yes
from .output import say
from .rate import DryRun, Report
from .rule import find_rule
from .streams import kept_streams

_NO_LIMITS = LimitOptions()


async def review(
    rule: Annotated[str, Parameter(help="The function, as MODULE:NAME; the current folder is searched first.")],
    /,
    *,
    job: Annotated[str | None, Parameter(help="Only the tasks of the job with this id.")] = None,
    follow: Annotated[
        float | None, Parameter(help="Read the listing again at this interval, in seconds, until stopped.")
    ] = None,
    journal: Annotated[Path | None, Parameter(help="The journal, to resume after a stop or a crash.")] = None,
    deciding: Annotated[int, Parameter(help=f"How many decisions to await at a time ({DECIDING}).")] = DECIDING,
    decide_timeout: Annotated[float | None, Parameter(help="How many seconds a decision may take.")] = None,
    threads: Annotated[bool, Parameter(help="Call the function in threads, because it blocks.")] = False,
    due_first: Annotated[bool, Parameter(help="Decide tasks first that pay themselves first.")] = False,
    due_within: Annotated[timedelta | None, Parameter(help="Show when the first task pays itself.")] = None,
    limits: LimitOptions = _NO_LIMITS,
    report: Report = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    options: Options = DEFAULT,
) -> Exit:
    """Rate the waiting tasks by your Python function, which returns a Rating, None or Later; asks first."""
    bounds = limits.limits()
    if report is not None:
        if journal is None:
            raise CommandError("--report is made from the journal: add --journal FILE")
        paid.check_place(report, journal)
    if dry_run and journal is not None and is_of_a_real_batch(journal):
        raise CommandError(
            f"--journal {journal} is a real batch's, and a dry run writes its own",
            "leave --journal out: what was rated is no longer listed; what was refused may be asked about again",
        )
    # The function may go to another folder.
    kept = None if journal is None else journal.absolute()
    report = None if report is None else report.absolute()
    # What it prints when it is imported must not get between the lines of JSON.
    with kept_streams(), redirect_stdout(sys.stderr):
        decide = find_rule(rule, threads=threads)
    async with connect(options) as pico:
        batch = pico.review(
            decide,
            job_id=job,
            follow=follow,
            journal=kept,
            deciding=deciding,
            decide_timeout=decide_timeout,
            threads=threads,
            due_first=due_first,
            due_within=None if due_within is None else due_within.total_seconds(),
            limits=bounds,
            on_limit=limits.on_limit,
            dry_run=dry_run,
        )
        if not dry_run:
            which = "all waiting tasks" if job is None else f"the waiting tasks of job {job}"
            again = "" if follow is None else f", and read the listing again every {follow:g} s"
            confirm(f"Let {rule} rate {which}{again}? This pays people; limits: {in_words(bounds)}.", yes=yes)
        if kept is None and not dry_run:
            say("no --journal: after this run nothing is known of it")
        work = Work(ratings=None, journal=kept, report=report, dry_run=dry_run)
        return await run_batch(pico, batch, work, json=options.json)
