"""Commands about the journal of a batch: show it, and maintain it between batches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from ..journal import Journal, JournalRow, JournalState, JournalSummary, Running
from ..models.account import CONTEXT
from .asking import confirm
from .exits import CommandError
from .options import Json, Yes
from .output import Column, print_csv, print_json, print_pairs, print_table, say

File = Annotated[str, Parameter(help="The journal: a file, or postgresql://user@host/database?journal=name.")]
Since = Annotated[datetime | None, Parameter(help="Only rows dated at this moment (UTC) or later.")]
JobOf = Annotated[str | None, Parameter(help="Only rows of the job with this id.")]
Message = Annotated[str | None, Parameter(help="Only rows with this text in the message.")]
_COLUMNS = (
    *(Column("job"), Column("task"), Column("revision", is_number=True), Column("worker")),
    *(Column("state", is_state=True), Column("verdict"), Column("pay", is_number=True)),
    *(Column("bonus", is_number=True), Column("at"), Column("message")),
)
_SUMS = (Column("pay", is_number=True), Column("bonus", is_number=True), Column("unpriced", is_number=True))
_NO_WORKERS = "this journal has no workers: the sheet had no column WORKER_ID (see --map)"
_UNPRICED = "is not known: run the same rate or review with --report FILE to read and note it"

journal: App = App(name="journal", help="Show the journal of a batch, or maintain it between batches.")


@journal.default
def show(
    file: File,
    /,
    *,
    since: Since = None,
    job: JobOf = None,
    worker: Annotated[str | None, Parameter(help="Only rows of the worker with this id.")] = None,
    state: Annotated[JournalState | None, Parameter(help="Only rows in this state.")] = None,
    by: Annotated[
        Literal["day", "job", "worker"] | None, Parameter(help="Print sums by day, job or worker.")
    ] = None,
    csv: Annotated[bool, Parameter(help="Print CSV on stdout.")] = False,
    json: Json = False,
) -> None:
    """Show what a journal holds: its sums or, with a filter or --csv, its rows."""
    kept = _named(file)
    is_filtered = any(value is not None for value in (since, job, worker, state))
    if csv and json:
        raise CommandError("either --csv or --json")
    if by is not None:
        if is_filtered:
            raise CommandError("--by adds up all rows: leave out --since, --job, --worker and --state")
        sums = kept.summary(by)
        if by == "worker" and all(line.key is None for line in sums):
            say(_NO_WORKERS)
        _print_summary(sums, by, csv=csv, json=json)
    elif is_filtered or csv:
        moment = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
        rows = kept.rows(state=state, since=moment, job_id=job, worker_id=worker, order="time")
        if worker is not None and all(line.key is None for line in kept.summary("worker")):
            say(_NO_WORKERS)
        _print_rows(rows, csv=csv, json=json)
    else:
        _print_whole(kept, json=json)


@journal.command
def reopen(
    file: File,
    /,
    *,
    state: Annotated[Literal["refused", "failed"], Parameter(help="The state to reopen (refused).")] = "refused",
    message: Message = None,
    job: JobOf = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Let the next batch send again what was refused, or failed; asks first."""
    kept = _named(file)
    confirm(f"Let the next batch with {kept.path} send again what was {state}? That may pay people.", yes=yes)
    _tell("reopened", kept.reopen(state, message=message, job_id=job), json=json)


@journal.command
def withdraw(file: File, /, *, yes: Yes = False, json: Json = False) -> None:
    """Take back decisions that were not sent, so that the next review asks anew; asks first."""
    kept = _named(file)
    confirm(f"Take back the decisions in {kept.path} that were not sent?", yes=yes)
    _tell("withdrawn", kept.withdraw(), json=json)


@journal.command
def prune(
    file: File,
    /,
    *,
    before: Annotated[datetime | None, Parameter(help="Delete what ended before this moment (UTC).")] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete what ended long ago, or before a given moment; asks first."""
    moment = before.replace(tzinfo=UTC) if before is not None and before.tzinfo is None else before
    when = "so long ago that it cannot be listed" if moment is None else f"before {moment:%Y-%m-%d %H:%M %Z}"
    kept = _named(file)
    confirm(f"Prune from {kept.path} what ended {when}? The rows are lost; their sums stay.", yes=yes)
    _tell("deleted", kept.prune(moment), json=json)


def _named(file: str) -> Journal:
    try:
        return Journal(file)
    except ImportError as error:
        raise CommandError(str(error)) from None


def _tell(what: str, count: int, *, json: bool) -> None:
    say(f"{what}: {count} rating{'' if count == 1 else 's'}")
    if json:
        print_json({what: count})


def _print_whole(kept: Journal, *, json: bool) -> None:
    counts, bonus, unpriced, running = kept.counts(), kept.bonus_paid(), kept.unpriced(), kept.running()
    pay = kept.pay_paid()
    total = None if unpriced else CONTEXT.add(pay, bonus)
    if json:
        print_json(
            {
                "counts": counts,
                "pay_paid": pay,
                "bonus_paid": bonus,
                "total_paid": total,
                "unpriced": unpriced,
                "running": running,
            }
        )
        return
    rows: list[tuple[str, object]] = [(state.value, counts[state]) for state in JournalState if state in counts]
    rows += [("paid for tasks", pay if pay or not unpriced else None), ("bonuses paid", bonus)]
    rows += [("paid in total", total), ("jobs of unknown pay", " ".join(unpriced) or None)]
    print_pairs([*rows, ("running batch", None if running is None else running_in_words(running))])
    if unpriced:
        say(f"the pay of {len(unpriced)} job{'' if len(unpriced) == 1 else 's'} {_UNPRICED}")


def running_in_words(running: Running) -> str:
    """What a batch that has the journal open does, and how far it is."""
    kind = f"{running.kind}{', a dry run' if running.dry_run else ''}"
    done, since = running.progress, running.since.astimezone(UTC)
    return (
        f"{kind}, since {since:%Y-%m-%d %H:%M}: {done.rated} rated, {done.refused} refused, {done.failed} failed, "
        f"{done.unknown} unknown, {done.waiting} in hand"
    )


def _print_rows(rows: Iterable[JournalRow], *, csv: bool, json: bool) -> None:
    if csv:
        print_csv([column.name for column in _COLUMNS], map(_row, rows))
    elif json:
        for row in rows:
            print_json(row)
    else:
        print_table(_COLUMNS, map(_row, rows), whole="--csv")


def _row(row: JournalRow) -> tuple[object, ...]:
    verdict = None if row.rating is None else row.rating.verdict
    at = row.sent_at or row.ended_at or row.decided_at
    return (
        *(row.job_id, row.task_id, row.revision_number, row.worker_id, row.state, verdict),
        *(row.pay, row.bonus, at, row.message),
    )


def _print_summary(sums: list[JournalSummary], by: str, *, csv: bool, json: bool) -> None:
    if json:
        for line in sums:
            print_json(line)
        return
    states = [state for state in JournalState if any(state in line.counts for line in sums)]
    columns = [Column(by), *(Column(state.value, is_number=True) for state in states), *_SUMS]
    rows: list[tuple[Any, ...]] = [
        (line.key, *(line.counts.get(state, 0) for state in states), _known_pay(line), line.bonus, line.unpriced)
        for line in sums
    ]
    count = sum(line.unpriced for line in sums)
    if count:
        say(f"the pay of {count} rating{'' if count == 1 else 's'} {_UNPRICED}")
    if csv:
        print_csv([column.name for column in columns], rows)
    else:
        print_table(columns, rows, whole="--csv")


def _known_pay(line: JournalSummary) -> Decimal | None:
    """What is known about the pay; None if nothing is."""
    return None if line.unpriced and not line.pay else line.pay
