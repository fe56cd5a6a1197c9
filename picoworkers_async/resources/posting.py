"""Post a job at most once, and find out which job it became."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import codec, endpoints
from ..call import Call
from ..classify import accepted_in_silence
from ..errors import OutcomeUnknownError
from ..listings.posted import find_posted
from ..models import PostedJob
from ..session import Session


async def post(session: Session, body: Mapping[str, Any]) -> PostedJob:
    """Send the body of post-job; if the answer accepts the post without naming the job, look for it.

    Raises what the call raises, except for an answer of 2xx with nothing in it.
    """
    call: Call[PostedJob | None] = Call(endpoints.POST_JOB, codec.read_posted_job, body=body)
    try:
        posted, sent = await session.call_for_money(call)
    except OutcomeUnknownError as error:
        if error.sent is None or not accepted_in_silence(error):
            raise
        posted, sent = None, error.sent
    if posted is None or posted.job_id is None:
        posted = await find_posted(posted, sent, session)
    session.baseline.posted(posted.job_id, sent)
    return posted
