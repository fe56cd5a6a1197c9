"""Several ratings of one task in one batch: which of them are the same, and the outcomes of the later ones."""

from __future__ import annotations

from ..errors import ConflictError
from ..journal.schema import JournalState, Recorded
from ..models import Rating, Task, Verdict
from .outcomes import Outcome, OutcomeStatus
from .pending import PendingRating


def twice(first: Rating, second: Rating, task: Task | None) -> Outcome:
    """The outcome of a rating whose task already has one in this batch."""
    error: Exception
    if same_decision(first, second):
        error = ValueError(f"this batch already has this rating of task {second.task_id}; it was not sent twice")
    else:
        error = ConflictError(first, second)
    return Outcome(second, OutcomeStatus.FAILED, str(error), error, task)


def is_of_same_work(rated: Rating, rating: Rating) -> bool:
    """Whether a rating is about the same work as one of the same task that took effect."""
    if rated.revision_number is None or rating.revision_number is None:
        # One that sent the task back may have been followed by other work.
        return rated.verdict is not Verdict.REVISE
    return rated.revision_number == rating.revision_number


def same_decision(one: Rating, other: Rating) -> bool:
    """Whether both do the same, however that is written."""
    return _decision(one) == _decision(other)


def _decision(rating: Rating) -> tuple[object, ...]:
    return (
        rating.verdict,
        rating.satisfaction,
        rating.comment,
        rating.list_id,
        rating.block_worker,
        rating.bonus,
    )


def replayed(recorded: Recorded, pending: PendingRating, opened_at: float) -> Outcome:
    """The outcome that the journal, opened at that time by this batch, already had for a rating."""
    first, second = recorded.rating, pending.rating
    of_this_batch = recorded.sent_at >= opened_at
    if recorded.state is JournalState.SENT or (of_this_batch and not same_decision(first, second)):
        return twice(first, second, pending.task)
    status, message = OutcomeStatus(recorded.state.value), recorded.message
    if first.verdict != second.verdict:
        message = f"an earlier run rated it {first.verdict.value}, which stands: {message or '-'}"
    return Outcome(first, status, message, None, pending.task, replayed=True)
