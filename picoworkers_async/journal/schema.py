"""What the journal keeps of a rating: its states and fields, and the conversion of ratings to rows and back."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Literal, NamedTuple

import attrs

from ..models import Rating, Satisfaction, Verdict
from ..models.account import CONTEXT
from .formats import units_of

NO_REVISION = -1

RATING_COLUMNS = "job_id, task_id, revision, verdict, satisfaction, comment, list_id, block_worker, bonus"
ENTRY_COLUMNS = f"{RATING_COLUMNS}, bonus_units, worker_id, pay, pay_units"
RECORDED_COLUMNS = (
    f"{RATING_COLUMNS}, state, message, coalesce(ended_at, sent_at, decided_at) AS at, coalesce(sent_at, 0.0), pay"
)


JournalStateWord = Literal["decided", "sent", "rated", "refused", "failed", "unknown", "withdrawn", "would_rate"]


class JournalState(enum.StrEnum):
    """How far a rating has come, and what the next batch with the journal does with it.

    | state | means | the next batch |
    | --- | --- | --- |
    | `DECIDED` | it was decided; it was not sent, or certainly never left | sends it, once it meets its task in \
the same revision |
    | `SENT` | it had its slot and was leaving; its answer is not known | settles it by reading, and sends it \
again only if it proves to have had no effect |
    | `RATED` | it took effect | never sends it again |
    | `REFUSED` | the service refused it | leaves it, until `Journal.reopen` |
    | `FAILED` | it certainly did not take effect: it broke a rule, exceeded a limit, `decide` failed, or it \
never reached the service | asks again; what never arrived is sent as it was decided |
    | `UNKNOWN` | it may have taken effect; reading could not tell | settles it by reading, as one that was sent |
    | `WITHDRAWN` | it was decided, and taken back before it was sent | asks about its task anew |
    | `WOULD_RATE` | a dry run would have sent it | is a dry run too, and leaves it |
    """

    DECIDED = "decided"
    SENT = "sent"
    RATED = "rated"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    WOULD_RATE = "would_rate"


UNSENT = (JournalState.DECIDED, JournalState.FAILED)
"""A task in one of these states was not sent, or had no effect: it may be sent."""

Key = tuple[str, str, int]
"""The key of a row: job id, task id, revision (-1 where none was given)."""


@attrs.frozen
class Entry:
    """A rating as it is noted: for whom, and what the verdict itself pays, in US dollars.

    `pay` is the job's task value for `ok`, else 0; None if it is not known. `sent_at` is when its money was
    reserved, in seconds since 1970; None if none was.
    """

    rating: Rating
    worker_id: str | None = None
    pay: Decimal | None = None
    sent_at: float | None = None


class Failure(NamedTuple):
    """A task that failed before anything was sent: its `decide` raised, or its rating broke a rule."""

    key: Key
    worker_id: str | None
    rating: Rating | None
    message: str


@attrs.frozen
class Spent:
    """How many ratings were sent and may have taken effect, with their bonuses and pay in US dollars, exact.

    Pay that is not known is not included.
    """

    count: int
    bonus: Decimal
    pay: Decimal


class Recorded(NamedTuple):
    """A rating as the journal has it. Times are in seconds since 1970.

    `at` is when it came to its state, `sent_at` when it was sent: 0 if it was not. `pay` is what its verdict
    pays.
    """

    rating: Rating
    state: JournalState
    message: str | None
    at: float
    sent_at: float = 0.0
    pay: Decimal | None = None


def key_of(rating: Rating) -> Key:
    """The key of a rating's row."""
    revision = NO_REVISION if rating.revision_number is None else rating.revision_number
    return rating.job_id, rating.task_id, revision


def row_of(entry: Entry) -> tuple[object, ...]:
    """The columns of `ENTRY_COLUMNS`."""
    rating, pay = entry.rating, entry.pay
    bonus = rating.given_bonus
    return (
        *key_of(rating),
        rating.verdict.value,
        None if rating.satisfaction is None else rating.satisfaction.value,
        rating.comment,
        rating.given_list_id,
        rating.given_block_worker,
        None if bonus is None else str(bonus),
        None if bonus is None else units_of(bonus),
        entry.worker_id,
        None if pay is None else str(pay),
        None if pay is None else units_of(pay),
    )


def row_of_failure(failure: Failure) -> tuple[object, ...] | None:
    """The columns of `ENTRY_COLUMNS`, without a rating that cannot be kept; None if even its key cannot be."""
    if not can_be_stored(failure.key):
        return None
    worker_id = failure.worker_id if _is_text(failure.worker_id) else None
    if failure.rating is not None and _is_storable(failure.rating):
        return (*failure.key, *row_of(Entry(failure.rating, worker_id))[3:])
    return (*failure.key, *(None,) * 7, worker_id, None, None)


def rating_of(row: tuple[object, ...]) -> Rating | None:
    """The rating of a row that begins with `RATING_COLUMNS`; None if there is none."""
    job_id, task_id, revision, verdict, satisfaction, comment, list_id, block_worker, bonus = row[:9]
    if verdict is None:
        return None
    return Rating(
        job_id=str(job_id),
        task_id=str(task_id),
        verdict=Verdict(str(verdict)),
        satisfaction=None if satisfaction is None else Satisfaction(str(satisfaction)),
        comment=None if comment is None else str(comment),
        list_id=list_id if isinstance(list_id, int) else None,
        block_worker=None if block_worker is None else bool(block_worker),
        bonus=None if bonus is None else Decimal(str(bonus), CONTEXT),
        revision_number=revision if isinstance(revision, int) and revision != NO_REVISION else None,
    )


def recorded_of(row: tuple[object, ...]) -> Recorded:
    """What a row of `RECORDED_COLUMNS` says; it must have a rating."""
    rating, (state, message, at, sent_at, pay) = rating_of(row), row[9:]
    if rating is None:
        raise ValueError(f"task {row[1]} has no rating")
    said = None if message is None else str(message)
    times = float(at), float(sent_at)  # type: ignore[arg-type]
    return Recorded(rating, JournalState(str(state)), said, *times, None if pay is None else Decimal(str(pay)))


def can_be_stored(key: Key) -> bool:
    """Whether a row could have this key: ids that cannot be encoded are refused before they are noted."""
    job_id, task_id, revision = key
    return _is_text(job_id) and _is_text(task_id) and isinstance(revision, int) and -(2**63) <= revision < 2**63


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_storable(rating: Rating) -> bool:
    """Whether each field of a rating that broke a rule is at least of a type that a row can hold."""
    list_id: object = rating.given_list_id
    return (
        isinstance(rating.verdict, Verdict)
        and isinstance(rating.satisfaction, Satisfaction | None)
        and (rating.comment is None or _is_text(rating.comment))
        and (list_id is None or (isinstance(list_id, int) and -(2**63) <= list_id < 2**63))
        and isinstance(rating.given_block_worker, bool | None)
        and (rating.given_bonus is None or isinstance(rating.given_bonus, Decimal))
    )
