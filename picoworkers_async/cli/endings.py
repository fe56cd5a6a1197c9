"""How a batch ended: its exit code, its report, and the last lines, which say what to do next."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from ..errors import AuthenticationError, PicoworkersError
from ..models.account import CONTEXT
from ..models.dollars import in_dollars
from ..models.to_plain import to_jsonable
from ..rating.outcomes import BatchReport, Outcome, OutcomeStatus
from .exits import Exit
from .invoked import the_very_command
from .output import Column, print_json, print_pairs, print_table, reader_may_leave, say
from .wording import error_in_words, limit_in_words, outcome_in_words

_MOST_LISTED = 10
_LISTED = (OutcomeStatus.UNKNOWN, OutcomeStatus.REFUSED, OutcomeStatus.FAILED)
_COLUMNS = (Column("task"), Column("job"), Column("outcome", is_state=True), Column("why"))


@attrs.frozen(kw_only=True)
class Ended:
    """How a batch ended. `pay` is what this run's verdicts paid without the `bonus`, None if not known.

    `differing` says which ratings differ from what was rated before, and had no effect; `stale` says which were
    left out because they are out of date.
    """

    report: BatchReport
    requests: int
    pay: Decimal | None
    bonus: Decimal
    error: PicoworkersError | OSError | None
    is_interrupted: bool
    journal: Path | None
    dry_run: bool = False
    differing: str | None = None
    stale: str | None = None

    @property
    def code(self) -> Exit:
        """The exit code: an unknown outcome counts for more than a failure."""
        report = self.report
        if self.is_interrupted:
            return Exit.INTERRUPTED
        if report.unknown:
            return Exit.UNKNOWN
        is_less = report.refused or report.failed or report.limit is not None or self.error is not None
        is_less = is_less or self.differing is not None or self.stale is not None
        return Exit.FAILED if is_less else Exit.DONE

    @property
    def outcome(self) -> str:
        """The same as a word, for programs."""
        words = {Exit.INTERRUPTED: "interrupted", Exit.UNKNOWN: "unknown", Exit.DONE: "done"}
        return words.get(self.code, "failed")


def last_lines(ended: Ended) -> list[str]:
    """What to do next; nothing if all is done."""
    command, journal, report = the_very_command(), ended.journal, ended.report
    lines = []
    if ended.error is not None:
        lines.append(f"the batch ended early: {why_ended(ended.error)}")
        if isinstance(ended.error, AuthenticationError):
            lines.append("check the credentials: picoworkers doctor")
    if ended.differing is not None:
        lines.append(f"{ended.differing}; the earlier decision wins")
    if ended.stale is not None:
        lines.append(f"{ended.stale}: export again")
    if report.limit is not None:
        limit = limit_in_words(report.limit)
        lines.append(f"the batch reached a limit: {limit}; the rest is sent once the limit allows it")
    if report.refused and journal is not None and not ended.dry_run:
        lines.append(f"to send refused ratings again: picoworkers journal reopen {journal}, then this command")
    if ended.code is Exit.DONE or (ended.code is Exit.FAILED and not _has_more(ended)):
        return lines
    if ended.is_interrupted:
        lines.append("interrupted")
    if ended.dry_run:
        lines.append(f"nothing was sent; to run it again: {command}")
    elif journal is not None:
        lines.append(f"to resume where it stopped, paying nobody twice: {command}")
    elif report.unknown:
        lines.append("check these tasks on the web site before you rate them again")
    else:
        lines.append(f"to rate what is still listed: {command}")
    return lines


def why_ended(error: PicoworkersError | OSError) -> str:
    """What ended a batch early."""
    return error_in_words(error) if isinstance(error, PicoworkersError) else str(error)


def _has_more(ended: Ended) -> bool:
    """Whether the same command has something left to do."""
    return ended.error is not None or ended.report.limit is not None or ended.report.failed > 0


def print_ended(ended: Ended, *, is_reported: bool, json: bool) -> Exit:
    """Print the report on stdout and the last lines on stderr; returns the exit code."""
    code = ended.code
    if code is Exit.DONE and not is_reported:
        code = Exit.FAILED
    with reader_may_leave():
        if json:
            print_json(as_plain(ended))
        else:
            print_pairs(rows(ended))
            found = listed(ended.report)
            if found:
                print_table(_COLUMNS, (_outcome_row(one) for one in found))
                more = sum(getattr(ended.report, status.value) for status in _LISTED) - len(found)
                if more > 0:
                    say(f"and {more} more")
    say(*last_lines(ended))
    return code


def rows(ended: Ended) -> list[tuple[str, object]]:
    """The report as names and values."""
    report = ended.report
    told: list[tuple[str, object]] = [("rated", report.rated)]
    if report.replayed:
        told.append(("by an earlier run", report.replayed))
    if ended.dry_run:
        told = [("would rate", report.would_rate)]
    told += [("refused", report.refused), ("failed", report.failed), ("unknown", report.unknown)]
    if report.put_off:
        told.append(("put off", report.put_off))
    would, by = "would be " if ended.dry_run else "", ", by this run" if report.replayed else ""
    told.append((f"{would}paid for tasks{by}", None if ended.pay is None else in_dollars(ended.pay)))
    told.append((f"{would}paid as bonuses{by}", in_dollars(ended.bonus)))
    told += [("requests", ended.requests), ("seconds", f"{report.elapsed:.1f}")]
    if ended.journal is not None:
        told.append(("journal", ended.journal))
    return told


def listed(report: BatchReport) -> list[Outcome]:
    """The first of those that did not go well."""
    kept = [one for status in _LISTED for one in report.outcomes_by_status.get(status, ())]
    return kept[:_MOST_LISTED]


def _outcome_row(outcome: Outcome) -> tuple[object, ...]:
    rating, task = outcome.rating, outcome.task
    job_id = rating.job_id if rating is not None else None if task is None else task.job_id
    task_id = rating.task_id if rating is not None else None if task is None else task.id
    return task_id, job_id, outcome.status.value, outcome_in_words(outcome)


def as_plain(ended: Ended) -> dict[str, Any]:
    """The whole as JSON: of the outcomes that did not go well, the first 100 of each sort."""
    report = ended.report
    plain: dict[str, Any] = to_jsonable(attrs.evolve(report, outcomes_by_status={}))
    del plain["outcomes_by_status"]
    told = [one for status in _LISTED for one in report.outcomes_by_status.get(status, ())]
    names = [column.name for column in _COLUMNS]
    total = None if ended.pay is None else CONTEXT.add(ended.pay, ended.bonus)
    return {
        "outcome": ended.outcome,
        **plain,
        "limit": None if report.limit is None else limit_in_words(report.limit),
        "pay": ended.pay,
        "bonus": ended.bonus,
        "total": total,
        "requests": ended.requests,
        "differing": ended.differing,
        "stale": ended.stale,
        "error": None if ended.error is None else why_ended(ended.error),
        "journal": None if ended.journal is None else str(ended.journal),
        "go_on": None if ended.code is Exit.DONE else the_very_command(),
        "outcomes": [dict(zip(names, _outcome_row(one), strict=True)) for one in told],
    }
