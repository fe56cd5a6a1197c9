"""Find where some tasks of a job are listed: by their ids if the edition can, else in the whole listing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from .. import codec, endpoints
from ..call import Call
from ..editions import Ability, Edition
from ..effects import RatedListing, Sighting
from ..endpoints import Endpoint
from ..errors import AuthenticationError, CallError, InvalidResponseError, RefusedError
from ..models import Page, Task
from ..rules import MOST_TASK_IDS
from ..session import Session
from .sweep import SweepResult, sweep

_NOT_THERE = frozenset({404, 405, 410})


class TaskLookup(NamedTuple):
    """What one sweep showed of some tasks of a job: when it began, and where it found each, by its id."""

    began: float
    seen: Mapping[str, Sighting]


def most_looked_up(edition: Edition) -> int | None:
    """How many tasks one sweep can ask for by their ids; None if it reads the whole listing of the job."""
    return MOST_TASK_IDS if edition.can(Ability.TASK_IDS) else None


async def look_up(
    session: Session, job_id: str, task_ids: Sequence[str], *, ended: Collection[str] | None = ()
) -> TaskLookup:
    """Find where these tasks of a job are listed.

    `ended` are tasks that were certainly rated before the sweep, None if they are not known: a whole listing
    that shows them, or may, mixes old pages with new ones. If the rated tasks cannot be read, what the unrated
    ones showed still counts; that the service has no such listing is reported once. Raises `CallError`.
    """
    by_ids = most_looked_up(session.edition) is not None
    unrated = await _sweep(session, endpoints.GET_UNRATED_TASKS, job_id, task_ids if by_ids else ())
    stale = not by_ids and (ended is None or any(task_id in unrated.items for task_id in ended))
    # Ids that are not heeded bring a whole listing, of which nothing is known to hold still.
    unasked = by_ids and not unrated.items.keys() <= set(task_ids)
    gone = [task_id for task_id in task_ids if task_id not in unrated.items]
    listing, rated = await _rated(session, job_id, gone)
    return TaskLookup(
        unrated.began,
        {
            task_id: Sighting(
                complete=unrated.complete and not stale and not unasked,
                listed=unrated.items[task_id].revision_number if task_id in unrated.items else None,
                rated=rated.get(task_id),
                rated_listing=listing,
            )
            for task_id in task_ids
        },
    )


def page_call(
    endpoint: Endpoint, job_id: str | None, number: int, task_ids: Sequence[str] = ()
) -> Call[Page[Task]]:
    """The call for one page of tasks, of one job or of all."""
    query = {"page": number if number != 1 else None, "job_id": job_id, "task_ids": ",".join(task_ids) or None}
    return Call(endpoint, partial(codec.read_tasks_page, job_id=job_id), query=query)


async def _rated(
    session: Session, job_id: str, task_ids: Sequence[str]
) -> tuple[RatedListing, Mapping[str, Task]]:
    """The rated ones of these tasks of a job, and the result of reading their listing."""
    if not session.edition.can(Ability.RATED_TASKS):
        return RatedListing.MISSING, {}
    if not task_ids:
        return RatedListing.READ, {}
    try:
        swept = await _sweep(session, endpoints.GET_RATED_TASKS, job_id, task_ids)
    except AuthenticationError:
        raise
    except CallError as error:
        if not is_missing(error, session.edition):
            return RatedListing.UNREAD, {}
        from ..events import RatedListingMissing  # loaded when something is told

        session.observers.tell_once(RatedListingMissing(error=str(error)))
        return RatedListing.MISSING, {}
    return RatedListing.READ if swept.complete else RatedListing.UNREAD, swept.items


def is_missing(error: CallError, edition: Edition) -> bool:
    """Whether the service says that it has no such listing: in the edition's words, or by HTTP 404, 405, 410.

    Everything else may be an outage, which proves nothing: any other refusal ("Please try again later."), a page
    of HTML with another status, a redirect, no answer. One sweep that finds it missing proves nothing yet
    either: the next must find the same, `settle_after` seconds later, and both must have read the unrated tasks.
    """
    if isinstance(error, RefusedError):
        return edition.lacks_endpoint(error.message)
    return isinstance(error, InvalidResponseError) and error.status in _NOT_THERE


async def _sweep(session: Session, endpoint: Endpoint, job_id: str, task_ids: Sequence[str]) -> SweepResult[Task]:
    async def fetch(number: int) -> Page[Task]:
        call = page_call(endpoint, job_id, number, task_ids)
        return await session.call(call.endpoint, call.read, query=call.query)

    return await sweep(fetch, session.throttle.batch_concurrency)
