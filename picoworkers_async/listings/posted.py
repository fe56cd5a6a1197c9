"""Find the job of a post that was not answered, or answered without its id, among the listed jobs."""

from __future__ import annotations

import time

import anyio
import attrs

from .. import codec, endpoints
from ..effects import Look, Sign, sign_of_post
from ..errors import MoneyCall, PicoworkersError
from ..models import Job, Page, PostedJob
from ..service_clock import Span
from ..session import Session
from .sweep import sweep

LOOK_SECONDS = 30.0
"""How much longer a post without a job's id may take, to find the job."""

_SILENT = "the service answered the post with success, but said nothing"
_UNNAMED = "the service said ok, but did not name the job"
_LOOK_FIRST = "; check whether it is there (iter_jobs, or the web site) before you post it again"


async def look_for_post(call: MoneyCall, session: Session) -> Look:
    """Read the listing of jobs once for the one that this post made. Raises what reading raises."""

    async def fetch(number: int) -> Page[Job]:
        began = anyio.current_time()
        query = {"page": number} if number != 1 else {}
        page = await session.call(endpoints.GET_JOBS, codec.read_jobs_page, query=query)
        session.baseline.saw_jobs(page.items, began)
        return page

    listed = await sweep(fetch)
    found = sign_of_post(
        call,
        list(listed.items.values()),
        complete=listed.complete,
        ours=session.baseline.posted_by_others(call),
        rival=session.baseline.has_rival(call),
        made=_may_be_made(call, session),
    )
    return Look(listed.began, found)


def _may_be_made(call: MoneyCall, session: Session) -> Span | None:
    """From when to when the service may have made the job, by its own clock; None if that is not known."""
    sent, now = session.service_clock.at(call.before["began"]), session.service_clock.at(time.monotonic())
    return None if sent is None or now is None else Span(sent.earliest, now.latest)


async def find_posted(posted: PostedJob | None, call: MoneyCall, session: Session) -> PostedJob:
    """The posted job with its id, if one read shows it; else with a `note` of what is known.

    `posted` is what the service said, None if it said nothing. Never sends the post again, reads once, for 30
    seconds at most, and raises nothing that reading raises: the post itself was accepted.
    """
    session.baseline.unnamed(call)
    said = posted or PostedJob()
    why = said.note or (_SILENT if posted is None else _UNNAMED)
    found = None
    try:
        with anyio.move_on_after(LOOK_SECONDS):
            found = (await look_for_post(call, session)).found
    except PicoworkersError as error:
        return attrs.evolve(said, note=f"{why}, and the jobs could not be read ({error}){_LOOK_FIRST}")
    if found is None:
        return attrs.evolve(said, note=f"{why}, and reading the jobs took too long{_LOOK_FIRST}")
    if found.sign is not Sign.SHOWN:
        return attrs.evolve(said, note=f"{why}; {found.reason}{_LOOK_FIRST}")
    session.baseline.settled(call)
    return attrs.evolve(said, job_id=found.job_id, note=f"{why}; {found.reason}")
