"""Carry out each step: what is sent, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .. import codec, endpoints
from ..call import Call
from ..classify import refused
from ..editions import Edition
from ..errors import CallError, InvalidResponseError, OutcomeUnknownError
from ..listings.lookup import page_call
from ..models import Page, RatingAck, Task
from ..session import Session
from ..throttle import Permit
from .pending import PendingRating, Result


async def send_ratings(session: Session, permit: Permit, pendings: Sequence[PendingRating]) -> list[Result]:
    """Rate these tasks of one job in one request; returns the result for each, errors of the call included."""
    if session.edition.ratings_at_once == 1:
        (pending,) = pendings
        return [await _rate_one(session, permit, pending)]
    return await _rate_many(session, permit, pendings)


async def _rate_one(session: Session, permit: Permit, pending: PendingRating) -> Result:
    """Rate one task in a request of its own (API document, section 3.10)."""
    call = Call(endpoints.RATE_SINGLE_TASK, codec.read_ack, content=codec.encode_rating(pending.rating))
    try:
        ack = await session.exchange(call, permit, 1 + pending.times_unknown)
    except CallError as error:
        return Result(pending, error=error)
    return Result(pending, ack.message)


async def _rate_many(session: Session, permit: Permit, pendings: Sequence[PendingRating]) -> list[Result]:
    """SproutGigs only: rate several tasks by rate-multiple-tasks."""
    attempt = 1 + pendings[0].times_unknown
    body = codec.write_ratings([pending.rating for pending in pendings])
    try:
        acks = await session.exchange(
            Call(endpoints.RATE_MULTIPLE_TASKS, codec.read_rating_acks, body=body), permit, attempt
        )
    except CallError as error:
        return [Result(pending, error=error) for pending in pendings]
    return [read_result(pending, acks, session.hide, session.edition) for pending in pendings]


def read_result(
    pending: PendingRating, acks: Mapping[str, RatingAck], hide: Callable[[str], str], edition: Edition
) -> Result:
    """What the answer to a bulk rating says about one task. If it says nothing, nothing is known.

    `hide` removes the secret from the service's texts.
    """
    call = endpoints.RATE_MULTIPLE_TASKS.call
    ack = acks.get(pending.rating.task_id)
    if ack is None or ack.ok is None:
        silent = InvalidResponseError(
            call, f"the answer does not say what became of task {pending.rating.task_id}"
        )
        return Result(pending, error=OutcomeUnknownError(call, silent))
    if not ack.ok:
        return Result(pending, error=refused(call, hide(ack.message or "it gave no reason"), None, edition.lacks))
    return Result(pending, ack.message)


async def read_page(session: Session, permit: Permit, job_id: str | None, number: int) -> Page[Task]:
    """Read one page of unrated tasks, of one job or of all. Raises `CallError`."""
    return await session.exchange(page_call(endpoints.GET_UNRATED_TASKS, job_id, number), permit)
