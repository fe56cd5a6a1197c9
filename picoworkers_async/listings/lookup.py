"""Looking where some tasks of a job are listed: by their ids where the edition can, else in the whole listing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from .. import codec, endpoints
from ..call import Call
from ..editions import Ability, Edition
from ..effects import Sighting
from ..endpoints import Endpoint
from ..errors import AuthenticationError, CallError
from ..models import Page, Task
from ..rules import MOST_TASK_IDS
from ..session import Session
from .sweep import SweepResult, sweep


class TaskLookup(NamedTuple):
    """What one look showed of some tasks of a job: when it began, and where it found each by its id."""

    began: float
    seen: Mapping[str, Sighting]


def most_looked_up(edition: Edition) -> int | None:
    """How many tasks one look can ask for by their ids; None where it reads the whole listing of the job."""
    return MOST_TASK_IDS if edition.can(Ability.TASK_IDS) and edition.can(Ability.RATED_TASKS) else None


async def look_up(
    session: Session, job_id: str, task_ids: Sequence[str], *, ended: Collection[str] | None = ()
) -> TaskLookup:
    """Look where these tasks of a job are listed.

    `ended` are tasks that were certainly rated before the look, None if they are not known: a whole listing that
    shows them, or may, mixes old pages with new ones. Where the rated tasks cannot be read, what the unrated ones
    showed still counts. Raises `CallError`.
    """
    if most_looked_up(session.edition) is None:
        unrated = await _sweep(session, endpoints.GET_UNRATED_TASKS, job_id, ())
        if ended is None or any(task_id in unrated.items for task_id in ended):
            unrated = unrated._replace(complete=False)
        rated = None
    else:
        unrated = await _sweep(session, endpoints.GET_UNRATED_TASKS, job_id, task_ids)
        rated = await _rated(session, job_id, [task_id for task_id in task_ids if task_id not in unrated.items])
    return TaskLookup(
        unrated.began,
        {
            task_id: Sighting(
                complete=unrated.complete,
                listed=unrated.items[task_id].revision_number if task_id in unrated.items else None,
                rated=None if rated is None else rated.get(task_id),
                rated_known=rated is not None,
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


async def _rated(session: Session, job_id: str, task_ids: Sequence[str]) -> Mapping[str, Task] | None:
    if not task_ids:
        return {}
    try:
        return (await _sweep(session, endpoints.GET_RATED_TASKS, job_id, task_ids)).items
    except AuthenticationError:
        raise
    except CallError:
        return None


async def _sweep(session: Session, endpoint: Endpoint, job_id: str, task_ids: Sequence[str]) -> SweepResult[Task]:
    async def fetch(number: int) -> Page[Task]:
        call = page_call(endpoint, job_id, number, task_ids)
        return await session.call(call.endpoint, call.read, query=call.query)

    return await sweep(fetch, session.throttle.batch_concurrency)
