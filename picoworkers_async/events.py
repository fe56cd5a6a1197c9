"""Events of a client and its batches, as typed facts: what `on_event` and the log receive.

Every class has a name, `event`, which is one of the constants below. In the log (logger "picoworkers_async") the
name and the fields are attributes of the record, as `extra=` sets them. Times are in seconds, money is in US
dollars. No event holds the API secret.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import attrs

REQUEST_DONE = "request_done"
GATE_TIMED_OUT = "gate_timed_out"
RATE_LIMITED = "rate_limited"
OUTAGE_BEGAN = "outage_began"
OUTAGE_ENDED = "outage_ended"
LOOK_DONE = "look_done"
LISTING_UNSTEADY = "listing_unsteady"
OUTCOME = "outcome"
UNKNOWN_PARKED = "unknown_parked"
UNKNOWN_UNREAD = "unknown_unread"
UNKNOWN_SETTLED = "unknown_settled"
SETTLING_BEGAN = "settling_began"
SETTLING_ENDED = "settling_ended"
RATED_LISTING_MISSING = "rated_listing_missing"
TASK_DUE = "task_due"
LIMIT_REACHED = "limit_reached"
JOURNAL_WRITTEN = "journal_written"
STANDBY_WAITING = "standby_waiting"
TOOK_OVER = "took_over"
BATCH_BEGAN = "batch_began"
BATCH_ENDED = "batch_ended"


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened; each kind is a class of its own."""

    event: ClassVar[str]


@attrs.frozen(kw_only=True)
class RequestDone(Event):
    """A request ended: it was answered, or given up.

    Reported in the task that made the call. `call` is its name, such as `jobs.get_job`; `method` and `url` are
    HTTP's. `status` is None without an answer. `seconds` is how long it took after it left, `waited` how long it
    waited before that. `attempt` counts from 1. `permitted` is how many requests per second the throttle was
    given, or has learned; None without a pace. `error` says what went wrong, and `error_type` is the name of its
    class, or "cancelled"; both are None if nothing did. `outcome_unknown` says that it may have moved money.
    """

    event: ClassVar[str] = REQUEST_DONE
    call: str
    method: str
    url: str
    status: int | None
    seconds: float
    waited: float
    attempt: int
    permitted: float | None = None
    error: str | None = None
    error_type: str | None = None
    outcome_unknown: bool = False


@attrs.frozen(kw_only=True)
class GateTimedOut(Event):
    """A call was not sent, because its turn did not come within `max_wait` seconds; `call` is its name."""

    event: ClassVar[str] = GATE_TIMED_OUT
    call: str
    max_wait: float


@attrs.frozen(kw_only=True)
class RateLimited(Event):
    """The service answered 429: nobody who shares the throttle sends anything for this many `seconds`.

    Reported once a cooldown, however many requests met it; each is also a `RequestDone` of status 429. `asked`
    is how long the service asked for, None if it did not say.
    """

    event: ClassVar[str] = RATE_LIMITED
    call: str
    seconds: float
    asked: float | None


@attrs.frozen(kw_only=True)
class OutageBegan(Event):
    """The service cannot be reached, or does not answer as documented; a batch waits until it does."""

    event: ClassVar[str] = OUTAGE_BEGAN
    error: str


@attrs.frozen(kw_only=True)
class OutageEnded(Event):
    """The service answers again; it was away for this many `seconds`."""

    event: ClassVar[str] = OUTAGE_ENDED
    seconds: float


@attrs.frozen(kw_only=True)
class LookDone(Event):
    """A review has swept the whole listing, of one job or of all (None).

    `listed` is how many tasks the sweep showed, `fresh` how many of them were to be decided. `complete` says
    that it cannot have missed anything.
    """

    event: ClassVar[str] = LOOK_DONE
    job_id: str | None
    listed: int
    fresh: int
    complete: bool
    seconds: float


@attrs.frozen(kw_only=True)
class TaskDue(Event):
    """A task that is listed and not rated pays itself at `rate_by`, in UTC, which is within `due_within` seconds.

    Reported once for each task in each revision, whatever `decide` returned for it.
    """

    event: ClassVar[str] = TASK_DUE
    job_id: str
    task_id: str
    revision_number: int
    rate_by: datetime


@attrs.frozen(kw_only=True)
class ListingUnsteady(Event):
    """This many sweeps in a row found nothing undecided, but none was complete: the listing keeps changing."""

    event: ClassVar[str] = LISTING_UNSTEADY
    looks: int


@attrs.frozen(kw_only=True)
class OutcomeReached(Event):
    """A task or rating of a batch reached its outcome.

    `status` is the value of an `OutcomeStatus`, such as "rated"; `reason` is what the service, or the error,
    said. `verdict` and the ids are None if there is no rating that has them. `pay` is what the verdict itself
    pays, None if that is not known. `replayed` says that the outcome comes from the journal.
    """

    event: ClassVar[str] = OUTCOME
    job_id: str | None
    task_id: str | None
    revision_number: int | None
    verdict: str | None
    status: str
    bonus: Decimal
    reason: str | None
    replayed: bool
    pay: Decimal | None = None


@attrs.frozen(kw_only=True)
class UnknownParked(Event):
    """The answer to a rating was lost: it is settled by reading. `times_unknown` is how often that happened."""

    event: ClassVar[str] = UNKNOWN_PARKED
    job_id: str
    task_id: str
    revision_number: int | None
    times_unknown: int


@attrs.frozen(kw_only=True)
class UnknownUnread(Event):
    """The sweep for this many `ratings` of a job, whose answers were lost, failed; it is made again."""

    event: ClassVar[str] = UNKNOWN_UNREAD
    job_id: str
    ratings: int
    error: str


@attrs.frozen(kw_only=True)
class UnknownSettled(Event):
    """Reading showed what became of a rating whose answer was lost, or that nothing can show it.

    `effect` is the value of an `Effect`, `reason` what was seen.
    """

    event: ClassVar[str] = UNKNOWN_SETTLED
    job_id: str
    task_id: str
    revision_number: int | None
    effect: str
    reason: str


@attrs.frozen(kw_only=True)
class SettlingBegan(Event):
    """Reading begins to settle a call whose answer was lost.

    `what` is the call's name, such as `post_job`, or "ratings" in a batch, with the number of `ratings` of one
    job. `SettlingEnded` follows in the same task; the requests made between the two are the reads.
    """

    event: ClassVar[str] = SETTLING_BEGAN
    what: str
    ratings: int


@attrs.frozen(kw_only=True)
class SettlingEnded(Event):
    """Settling ended after this many `seconds`; `error_type` names the class of what cut it short, if any."""

    event: ClassVar[str] = SETTLING_ENDED
    what: str
    seconds: float
    error_type: str | None


@attrs.frozen(kw_only=True)
class RatedListingMissing(Event):
    """The service has no listing of rated tasks; `error` is its answer. Reported once by each client.

    From then on a rating whose answer was lost is taken to have worked if its task is no longer unrated, as on
    the 2022 edition: whose rating took it off the listing cannot be seen.
    """

    event: ClassVar[str] = RATED_LISTING_MISSING
    error: str


@attrs.frozen(kw_only=True)
class LimitReached(Event):
    """A batch reached one of its `Limits`, or the service refused for want of money.

    `limit` is the limit's name, `on_limit` what follows: "stop", "wait" or "leave". `allowed` is the limit
    itself. If the service refused, `limit` is "balance", and `allowed` None.
    """

    event: ClassVar[str] = LIMIT_REACHED
    limit: str
    on_limit: str
    allowed: Decimal | int | None = None


@attrs.frozen(kw_only=True)
class JournalWritten(Event):
    """A commit made this many `steps` durable, `seconds` after the first of them was requested."""

    event: ClassVar[str] = JOURNAL_WRITTEN
    steps: int
    seconds: float


@attrs.frozen(kw_only=True)
class StandbyWaiting(Event):
    """A batch stands by: another one has its `journal`, and it goes on when that one ends, or falls silent."""

    event: ClassVar[str] = STANDBY_WAITING
    journal: str


@attrs.frozen(kw_only=True)
class TookOver(Event):
    """A batch that stood by has its `journal`, after so many `seconds`, and goes on where the other stopped."""

    event: ClassVar[str] = TOOK_OVER
    journal: str
    seconds: float


@attrs.frozen(kw_only=True)
class BatchBegan(Event):
    """A batch began, of `kind` "rate" or "review". `journal` is the path or address of its journal.

    Reported in the task that starts all other tasks of the batch, and ends last: what you set in its context
    (`contextvars`) is set in theirs. `BatchEnded` is reported there, too.
    """

    event: ClassVar[str] = BATCH_BEGAN
    kind: str
    journal: str | None
    dry_run: bool


@attrs.frozen(kw_only=True)
class BatchEnded(Event):
    """A batch ended, with these numbers of outcomes of each kind.

    `bonus` is what it paid in bonuses, `requests` how many it sent. `stopped` says that `stop` was called, or
    the block was left early; `error` is what ended the batch early, if anything did.
    """

    event: ClassVar[str] = BATCH_ENDED
    rated: int
    refused: int
    failed: int
    unknown: int
    bonus: Decimal
    requests: int
    seconds: float
    stopped: bool
    error: str | None
