"""What happens in a client and its batches, as typed facts: what `on_event` and the log are told.

Every class has a name, `event`, which is one of the constants below. In the log (logger "picoworkers_async") the
name and the fields are attributes of the record, as `extra=` makes them. Times are in seconds, money is in US
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

    Told in the task that made the call. `call` is its name, such as `jobs.get_job`, `method` and `url` are those
    of HTTP; `status` is None without an answer. `seconds` is how long it took from when it left, `waited` how long
    it waited for that before. `attempt` counts from 1. `permitted` is how many requests per second the throttle
    was given, or has learned; None without a pace. `error` says what went wrong, and `error_type` names its class,
    or is "cancelled"; None if nothing did. `outcome_unknown`: it may have moved money, and nothing tells whether.
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
    """The service answered 429: nobody who shares the throttle sends anything for so many `seconds`.

    Told once a pause, however many requests met it; each is a `RequestDone` of status 429. `asked` is how long the
    service asked for, None if it did not say.
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
    """The service answers again; it was away for so many `seconds`."""

    event: ClassVar[str] = OUTAGE_ENDED
    seconds: float


@attrs.frozen(kw_only=True)
class LookDone(Event):
    """A review looked at the whole listing, of one job or of all (None).

    `listed` is how many tasks it showed, `fresh` how many of them were to be decided. `complete` says that nothing
    can have been missed.
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

    Told once for each task in each revision, whatever `decide` said to it.
    """

    event: ClassVar[str] = TASK_DUE
    job_id: str
    task_id: str
    revision_number: int
    rate_by: datetime


@attrs.frozen(kw_only=True)
class ListingUnsteady(Event):
    """So many looks in a row found nothing undecided, yet none was complete: the listing keeps changing."""

    event: ClassVar[str] = LISTING_UNSTEADY
    looks: int


@attrs.frozen(kw_only=True)
class OutcomeReached(Event):
    """A task or rating of a batch came to its outcome.

    `status` is the value of an `OutcomeStatus`, such as "rated"; `reason` what the service, or the error, said.
    `verdict` and the ids are None where there is no rating that has them. `pay` is what the verdict itself pays,
    None if that is not known. `replayed`: told from the journal.
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
    """The answer to a rating was lost: it is looked for. `times_unknown` is how often that happened."""

    event: ClassVar[str] = UNKNOWN_PARKED
    job_id: str
    task_id: str
    revision_number: int | None
    times_unknown: int


@attrs.frozen(kw_only=True)
class UnknownUnread(Event):
    """What became of so many `ratings` of a job could not be read; it is tried again."""

    event: ClassVar[str] = UNKNOWN_UNREAD
    job_id: str
    ratings: int
    error: str


@attrs.frozen(kw_only=True)
class UnknownSettled(Event):
    """Reading told what became of a rating whose answer was lost, or that nothing can tell.

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
    """Reading begins that is to tell what became of a call whose answer was lost.

    `what` is its name, such as `post_job`, or "ratings" in a batch; so many `ratings` of one job are looked for.
    `SettlingEnded` follows in the same task, and the requests that it makes meanwhile are those that read.
    """

    event: ClassVar[str] = SETTLING_BEGAN
    what: str
    ratings: int


@attrs.frozen(kw_only=True)
class SettlingEnded(Event):
    """It ended after so many `seconds`; `error_type` names the class of what cut it short, if something did."""

    event: ClassVar[str] = SETTLING_ENDED
    what: str
    seconds: float
    error_type: str | None


@attrs.frozen(kw_only=True)
class RatedListingMissing(Event):
    """The service says that it has no listing of rated tasks: `error` says how. Told once by each client.

    From then on a rating whose answer was lost is taken to have worked when its task is no longer unrated, as on
    the edition of 2022: whose rating took it off is not seen.
    """

    event: ClassVar[str] = RATED_LISTING_MISSING
    error: str


@attrs.frozen(kw_only=True)
class LimitReached(Event):
    """A batch came to one of its `Limits`, or the service refused for want of money.

    `limit` is the limit's name, `on_limit` what follows from it: "stop", "wait" or "leave". `allowed` is the limit
    itself. Where the service refused, `limit` is "balance", and `allowed` None.
    """

    event: ClassVar[str] = LIMIT_REACHED
    limit: str
    on_limit: str
    allowed: Decimal | int | None = None


@attrs.frozen(kw_only=True)
class JournalWritten(Event):
    """A commit made so many `steps` durable, `seconds` after the first of them was asked for."""

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

    Told in the task that starts all other tasks of the batch, and is the last to end: what is set in its context
    (`contextvars`) is set in theirs. `BatchEnded` is told there, too.
    """

    event: ClassVar[str] = BATCH_BEGAN
    kind: str
    journal: str | None
    dry_run: bool


@attrs.frozen(kw_only=True)
class BatchEnded(Event):
    """A batch ended, with so many outcomes of each kind.

    `bonus` is what it paid in bonuses, `requests` how many it sent. `stopped` says that `stop` was called, or its
    block left early; `error` what ended it early, if something did.
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
