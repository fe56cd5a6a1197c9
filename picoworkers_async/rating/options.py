"""The options of `rate` and `review`, checked before anything is read or sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Literal, TypedDict, get_args

import attrs

from .. import rules
from ..errors import InvalidRequestError
from ..journal import Journal
from ..journal.places import JournalUrl, is_url, journal_problems
from ..models import Task
from ..problems import Problem, ProblemCode, number_code
from ..settings import seconds_problems
from .limits import Limits, limits_problems

JournalPath = Journal | str | os.PathLike[str]
OnLimit = Literal["stop", "wait", "leave"]

GRACE_SECONDS = 5.0
PATIENCE_SECONDS = 600.0
RETRY_FAILED_SECONDS = 300.0
DECIDING = 8
_MOST_DECIDING = 1000


@attrs.frozen(kw_only=True)
class BatchOptions:
    """What `rate` and `review` have in common; `AsyncPicoworkers.rate` says what each means."""

    # An address may hold a password.
    journal: JournalPath | None = attrs.field(default=None, repr=False)
    grace: float = GRACE_SECONDS
    patience: float = PATIENCE_SECONDS
    limits: Limits | None = None
    on_limit: OnLimit = "stop"
    dry_run: bool = False
    standby: bool = False


@attrs.frozen(kw_only=True)
class ReviewOptions:
    """What only `review` has; `AsyncPicoworkers.review` says what each means."""

    job_id: str | None = None
    tasks: AsyncIterable[Task] | Iterable[Task] | None = None
    follow: float | None = None
    deciding: int = DECIDING
    decide_timeout: float | None = None
    retry_failed: float = RETRY_FAILED_SECONDS
    threads: bool = False
    due_within: float | None = None
    due_first: bool = False


class RateKeywords(TypedDict, total=False):
    """The options of `rate`, as keywords."""

    journal: JournalPath | None
    grace: float
    patience: float
    limits: Limits | None
    on_limit: OnLimit
    dry_run: bool
    standby: bool


class ReviewKeywords(RateKeywords, total=False):
    """The options of `review_all`, as keywords."""

    job_id: str | None
    tasks: AsyncIterable[Task] | Iterable[Task] | None
    deciding: int
    decide_timeout: float | None
    retry_failed: float
    threads: bool
    due_within: float | None
    due_first: bool


class FollowKeywords(ReviewKeywords, total=False):
    """The options of `review`, as keywords."""

    follow: float | None


def check_options(
    call: str, batch: BatchOptions, review: ReviewOptions | None = None, *, ratings: object = ()
) -> None:
    """Raises `InvalidRequestError` with every problem."""
    problems = _input_problems("ratings", ratings, "Rating") + _batch_problems(batch)
    problems += [] if review is None else _review_problems(review)
    if problems:
        raise InvalidRequestError(call, problems)


def _input_problems(field: str, given: object, kind: str) -> list[Problem]:
    if isinstance(given, Iterable | AsyncIterable):
        return []
    return [Problem(field, given, f"an iterable or async iterable of {kind}", ProblemCode.TYPE)]


def _batch_problems(options: BatchOptions) -> list[Problem]:
    problems = seconds_problems("grace", options.grace) + seconds_problems("patience", options.patience)
    problems += limits_problems(options.limits)
    if not isinstance(options.journal, Journal) and options.journal is not None:
        problems += journal_problems("journal", options.journal)
    if options.on_limit not in get_args(OnLimit):
        problems.append(
            Problem("on_limit", options.on_limit, f"one of {_named(get_args(OnLimit))}", ProblemCode.CHOICE)
        )
    problems += _flag("dry_run", options.dry_run) + _flag("standby", options.standby)
    return problems + ([] if problems or not options.standby else _standby_problems(options.journal))


def _standby_problems(journal: JournalPath | None) -> list[Problem]:
    """A file's lock ends with its machine, or with the file's disk: only a database outlives the batch before."""
    place = journal.path if isinstance(journal, Journal) else journal
    if isinstance(place, JournalUrl) or is_url(place):
        return []
    limit = (
        "a journal in PostgreSQL, which another machine reaches when this one's is gone: "
        'journal="postgresql://user@host/database"'
    )
    return [Problem("standby", True, limit, ProblemCode.CONFLICT)]


def _review_problems(options: ReviewOptions) -> list[Problem]:
    problems = [] if options.job_id is None else rules.check_job_id(options.job_id)
    problems += [] if options.tasks is None else _input_problems("tasks", options.tasks, "Task")
    for name, seconds in (("follow", options.follow), ("decide_timeout", options.decide_timeout)):
        # Looks without a pause would take all of the budget; no time to decide in would fail every task.
        if seconds is not None and (seconds_problems(name, seconds) or seconds == 0):
            limit = "a finite number of seconds above 0, or None"
            problems.append(Problem(name, seconds, limit, number_code(seconds)))
    problems += seconds_problems("retry_failed", options.retry_failed)
    if options.due_within is not None:
        problems += seconds_problems("due_within", options.due_within)
    deciding: object = options.deciding
    if not isinstance(deciding, int) or isinstance(deciding, bool) or not 1 <= deciding <= _MOST_DECIDING:
        problems.append(
            Problem("deciding", deciding, f"a whole number from 1 to {_MOST_DECIDING:,}", number_code(deciding))
        )
    return problems + _flag("threads", options.threads) + _flag("due_first", options.due_first)


def _flag(field: str, value: object) -> list[Problem]:
    return [] if isinstance(value, bool) else [Problem(field, value, "True or False", ProblemCode.TYPE)]


def _named(choices: Sequence[str]) -> str:
    return ", ".join(map(repr, choices))
