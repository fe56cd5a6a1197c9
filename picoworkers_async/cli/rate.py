"""Commands around a sheet: export unrated tasks, and rate what the filled-in sheet says."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .. import sheets
from ..journal.stores import is_there
from ..models import Rating, Verdict
from ..models.dollars import in_dollars
from ..problems import Problem, shown
from ..sheets import SheetError, SheetRatings, SheetSummary
from ..sheets.columns import Field
from . import earlier, paid
from .asking import confirm, ctrl_c_at_once
from .batches import Work, run_batch
from .connection import connect
from .earlier import Earlier
from .exits import CommandError, Exit
from .options import DEFAULT, Options, Yes
from .output import Column, counted, print_json, print_table, reader_may_leave, say
from .prices import Prices, pay_of
from .sheet_facts import SheetFacts
from .stale import without_stale

JournalFile = Annotated[Path | None, Parameter(help="The journal (the sheet's name with .journal).")]
Report = Annotated[
    Path | None, Parameter(help="Write a CSV to this file: who was paid what, when and for which task.")
]
DryRun = Annotated[bool, Parameter(help="Send nothing that changes anything; say what it would cost.")]
Compare = Annotated[
    bool,
    Parameter(
        name="--compare",
        negative="--no-compare",
        help="First read which rows are still up to date, and leave out the others.",
    ),
]
_PROBLEMS = (Column("line", is_number=True), Column("column"), Column("value"), Column("expected"))
_MOST_WARNINGS = 20
_MOST_PRICED = 20


async def export(
    file: Annotated[Path, Parameter(help="The file to write: .csv, .jsonl or .xlsx.")],
    /,
    *,
    job: Annotated[str | None, Parameter(help="Only the tasks of the job with this id.")] = None,
    overwrite: Annotated[bool, Parameter(help="Replace the file if it exists.")] = False,
    options: Options = DEFAULT,
) -> None:
    """Write the tasks that wait to be rated to a sheet, to fill in and rate by."""
    async with connect(options) as pico:
        try:
            report = await sheets.export(pico, file, job_id=job, overwrite=overwrite)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror or error}", code=Exit.FAILED) from None
    if report.cut:
        have = "task has" if report.cut == 1 else "tasks have"
        say(f"warning: {report.cut:,} {have} proofs that do not fit; export to .jsonl has room for all")
    if report.without_pay:
        are = "task is of a job" if report.without_pay == 1 else "tasks are of jobs"
        say(f"warning: {report.without_pay:,} {are} that the service no longer lists")
    wrote = f"{counted(report.rows, 'task')} of {counted(report.jobs, 'job')}"
    say(f"{file}: {wrote}", f"fill it in, save it, and: picoworkers rate {file}")
    if options.json:
        with reader_may_leave():
            print_json(report)


async def rate(
    file: Annotated[Path, Parameter(help="The filled-in sheet: .csv, .jsonl or .xlsx.")],
    /,
    *,
    column: Annotated[
        list[str] | None,
        Parameter(
            name="--map", help="COLUMN=FIELD: what a column means, such as Result=verdict; for each column."
        ),
    ] = None,
    job: Annotated[str | None, Parameter(help="The id of the job, if the sheet does not have it.")] = None,
    encoding: Annotated[str | None, Parameter(help="The encoding of a CSV that is not UTF-8.")] = None,
    sheet: Annotated[str | None, Parameter(help="The sheet to read of a workbook with several.")] = None,
    max_bonus: Annotated[
        str | None,
        Parameter(help="The highest bonus allowed, in US dollars; high bonuses are then not asked about."),
    ] = None,
    journal: JournalFile = None,
    report: Report = None,
    dry_run: DryRun = False,
    compare: Compare = True,
    yes: Yes = False,
    options: Options = DEFAULT,
) -> Exit:
    """Rate what a sheet says, if all of it is valid; asks first. Run again, it resumes."""
    columns = columns_of(column or ())
    place = journal or journal_beside(file, of_sandbox=options.sandbox)
    # A dry run only reads what a real one keeps.
    is_read_only = dry_run and (journal is None or earlier.is_of_a_real_batch(journal))
    kept = None if is_read_only else place
    if report is not None:
        if kept is None:
            raise CommandError("--report is made from the journal, and a dry run has none: leave it out")
        paid.check_place(report, file, kept)
    facts = SheetFacts(file, columns, encoding, sheet)
    async with connect(options) as pico:
        try:
            ratings = _read(file, columns, job, max_bonus, encoding, sheet)
        except SheetError as error:
            return _tell_bad(error, json=options.json)
        say(*in_words(ratings.summary))
        stale = None
        if compare and ratings.summary.ratings:
            ratings, stale = await without_stale(pico, ratings, place)
        summary = ratings.summary
        before = _compare(ratings, place)
        say(*([] if before is None else before.in_words()))
        if not summary.ratings:
            say("nothing is left to rate" if stale else "nothing is filled in, so there is nothing to rate")
            kept = report = None
        elif not dry_run and (before is None or before.left):
            pay = None if yes else await _pay(Prices(pico), ratings, before, facts)
            _ask(summary, before, pay, max_bonus, yes=yes)
        if journal is None and kept is not None:
            say(f"the journal is {kept}: the same command resumes where it stopped")
        sent: Iterable[Rating] = ratings
        count = summary.ratings
        if is_read_only and before is not None:
            sent, count = earlier.left(ratings, place), before.left
        work = Work(
            ratings=count,
            journal=kept,
            report=report,
            dry_run=dry_run,
            stale=stale,
            differing=before.differing_in_words() if before is not None and before.differing else None,
        )
        batch = pico.rate(sent, journal=kept, dry_run=dry_run)
        return await run_batch(pico, batch, work, json=options.json)


def journal_beside(sheet: Path, *, of_sandbox: bool) -> Path:
    """The journal of a sheet, if no other is named. A sandbox has one of its own, which no real run uses."""
    return sheet.with_name(f"{sheet.name}{'.sandbox' if of_sandbox else ''}.journal")


def columns_of(given: Iterable[str]) -> dict[str, str]:
    """The columns by their fields. Raises `CommandError` for what is not COLUMN=FIELD, or given twice."""
    columns: dict[str, str] = {}
    for one in given:
        name, is_there, field = one.rpartition("=")
        if not is_there or not name:
            raise CommandError(f"--map {one}: write COLUMN=FIELD, where FIELD is one of {', '.join(Field)}")
        if name in columns:
            raise CommandError(f"--map {one}: the column {name!r} is mapped twice")
        columns[name] = field.strip()
    return columns


def _read(
    file: Path,
    columns: dict[str, str],
    job: str | None,
    max_bonus: str | None,
    encoding: str | None,
    sheet: str | None,
) -> SheetRatings:
    say(f"reading {file}")
    try:
        with ctrl_c_at_once():
            return sheets.read(
                file, columns=columns or None, job_id=job, max_bonus=max_bonus, encoding=encoding, sheet=sheet
            )
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror or error}") from None


def in_words(summary: SheetSummary) -> list[str]:
    """What a sheet says, for the question whether to rate it."""
    verdicts = ", ".join(f"{count:,} {verdict.value}" for verdict, count in summary.verdicts.items() if count)
    said = f" ({verdicts})" if verdicts else ""
    rows, ratings = counted(summary.rows, "row"), counted(summary.ratings, "rating")
    lines = [f"{rows}: {ratings}{said}, {summary.left_alone:,} left alone"]
    if summary.largest_bonus is not None:
        largest = summary.largest_bonus
        most = f"the largest is {in_dollars(largest.bonus)}, in line {largest.line}"
        lines.append(f"bonuses: {in_dollars(summary.bonuses)}; {most}")
    if summary.unknown_columns:
        named = ", ".join(summary.unknown_columns[:_MOST_WARNINGS])
        more = len(summary.unknown_columns) - _MOST_WARNINGS
        lines.append(f"ignored columns: {named}{f' and {more} more' if more > 0 else ''}")
    return lines + [f"warning: {warning}" for warning in summary.warnings[:_MOST_WARNINGS]]


def high_in_words(summary: SheetSummary) -> str:
    """The bonuses that are far above the others."""
    first = summary.high_bonuses[:5]
    named = ", ".join(f"{in_dollars(one.bonus)} in line {one.line}" for one in first)
    count = summary.high_bonus_count
    more = f" and {count - len(first)} more" if count > len(first) else ""
    return f"far above the other bonuses: {named}{more}"


def _compare(ratings: SheetRatings, journal: Path) -> Earlier | None:
    """The sheet compared with its journal; None if there is none yet."""
    if not ratings.summary.ratings or not is_there(journal):
        return None
    with ctrl_c_at_once():
        return earlier.compare(ratings.numbered(), journal)


async def _pay(prices: Prices, ratings: SheetRatings, before: Earlier | None, facts: SheetFacts) -> str | None:
    """What is paid for tasks, in words: from the service or, for very many jobs, from the sheet.

    None if it is not known.
    """
    if before is None:
        with ctrl_c_at_once():
            before = earlier.add_up(ratings.numbered())
    if len(before.paying) > _MOST_PRICED:
        with ctrl_c_at_once():
            about = pay_of(before.paying, facts.pays())
        return None if about is None else f"about {in_dollars(about)} (without fees, by the sheet)"
    for job_id in before.paying:
        if await prices.find(job_id) is None:
            return None
    pay = pay_of(before.paying, prices.values)
    return None if pay is None else f"{in_dollars(pay)} (without fees)"


def _ask(
    summary: SheetSummary, before: Earlier | None, pay: str | None, max_bonus: str | None, *, yes: bool
) -> None:
    if summary.high_bonus_count and max_bonus is None:
        # A slip of the decimal point is not agreed to by what agrees to everything.
        confirm(f"{high_in_words(summary)}. Pay them?", yes=False, option="--max-bonus")
    count, paying, bonus = summary.ratings, summary.verdicts[Verdict.OK], summary.bonuses
    if before is not None:
        count, paying, bonus = before.left, before.paying.total(), before.bonuses
    confirm(f"Rate {counted(count, 'task')}? {_what_it_pays(count, paying, pay, bonus)}.", yes=yes)


def _what_it_pays(count: int, paying: int, pay: str | None, bonus: Decimal) -> str:
    bonuses = f"{in_dollars(bonus)} in bonuses" if bonus else ""
    if not paying:
        return f"This pays {bonuses}" if bonus else "This pays nobody"
    which = f"{paying:,} of them" if paying < count else "it" if count == 1 else "all of them"
    if pay is None:
        return f"This pays for {which}{bonuses and f', and {bonuses}'}"
    return f"This pays for {which}: {pay}{bonuses and f' and {bonuses}'}"


def _tell_bad(error: SheetError, *, json: bool) -> Exit:
    rows = [_problem_row(problem) for problem in error.problems]
    with reader_may_leave():
        if json:
            names = ("line", "column", "value", "remedy")
            told = [dict(zip(names, row, strict=True)) for row in rows]
            print_json({"outcome": "invalid", "path": error.path, "count": error.count, "problems": told})
        else:
            print_table(_PROBLEMS, rows)
    more = error.count - len(error.problems)
    rest = f"; the first {len(error.problems)} are shown" if more else ""
    say(f"{error.path}: nothing was rated; correct {error.count} problem{'s' if error.count != 1 else ''}{rest}")
    return Exit.USAGE


def _problem_row(problem: Problem) -> tuple[object, ...]:
    _, line, *column = (*problem.path, None) if len(problem.path) < 2 else problem.path
    value = None if problem.value is None else shown(problem.value)
    return line, column[0] if column else None, value, problem.limit
