"""What a draft is checked against: zones, categories and lists, read now and then, and the balance."""

from __future__ import annotations

from .. import codec, endpoints, rules
from ..errors import InvalidRequestError
from ..kept import SharedReads
from ..models import JobDraft
from ..rules import DraftCheck
from ..session import Session
from ..settings import seconds_problems
from .users import Users

MAX_AGE_SECONDS = 600.0
"""How old zones, categories and lists may be that a draft is checked against."""


class Catalogue:
    """The zones, categories and lists of one account. What is kept of them is kept for the whole client."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reads = SharedReads(session.kept)

    async def check(self, draft: object, max_age: float) -> DraftCheck:
        """What `pico.jobs.check` says there."""
        problems = seconds_problems("max_age", max_age)
        if problems:
            raise InvalidRequestError("jobs.check", problems)
        session, reads = self._session, self._reads
        session.require_home("jobs.check")
        if not isinstance(draft, JobDraft):
            return DraftCheck(tuple(rules.check_draft(draft, session.edition)), (), None, None)
        return rules.check_draft_live(
            draft,
            session.edition,
            zones=await reads.get("zones", lambda: session.call(endpoints.GET_ZONES, codec.read_zones), max_age),
            categories=await reads.get(
                "categories", lambda: session.call(endpoints.GET_CATEGORIES, codec.read_categories), max_age
            ),
            lists=await reads.get("lists", lambda: session.call(endpoints.GET_LISTS, codec.read_lists), max_age),
            balance=(await Users(session).get_balances()).spendable,
        )
