"""Settling ratings whose answer was lost, by reading what is still waiting to be rated."""

from __future__ import annotations

import enum
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import anyio

from ..errors import AuthenticationError, CallError
from ..listings.sweep import Listing
from ..models import Rating, Task, Verdict
from .pool import Entry

logger = logging.getLogger("picoworkers_async")

MAX_LOOKS = 5
"""How often one rating may be of unknown fate before it is reported as such."""

_ENOUGH = 256
_PATIENCE = 5.0
_FAILED_LOOKS = 4


class Settled(enum.Enum):
    """What a look at the listing says about a rating whose answer was lost."""

    TOOK_EFFECT = "took effect"
    SEND_AGAIN = "did not take effect: send it again"
    REFUSED = "refused, and still listed"
    CANNOT_TELL = "cannot tell"


def settle(rating: Rating, listing: Listing, *, refusal: str | None, looks: int) -> Settled:
    """Decide by what is listed, after every request for this rating has ended.

    Still listed as unrated: it did not take effect. Gone: it did, provided that the whole listing was seen, and
    that it is listed as rated where the edition lists those. A refused repeat of a task that is gone means that
    the first request had worked.
    """
    listed = listing.revisions.get(rating.task_id)
    if listed is None:
        if listing.rated is not None and rating.verdict != Verdict.REVISE:
            return _settle_by_proof(rating, listing.rated.get(rating.task_id))
        return Settled.TOOK_EFFECT if listing.complete else Settled.CANNOT_TELL
    if rating.revision_number is None:
        if rating.verdict == Verdict.REVISE:
            return Settled.CANNOT_TELL
    elif listed > rating.revision_number:
        return Settled.TOOK_EFFECT if rating.verdict == Verdict.REVISE else Settled.CANNOT_TELL
    if refusal is not None:
        return Settled.REFUSED
    return Settled.SEND_AGAIN if looks < MAX_LOOKS else Settled.CANNOT_TELL


def _settle_by_proof(rating: Rating, rated: Task | None) -> Settled:
    """By what is listed as rated: a task that is not, or otherwise, was not rated by us as far as we know."""
    if rated is None or rating.revision_number not in (None, rated.revision_number):
        return Settled.CANNOT_TELL
    rated_ok = rated.status is None or rated.status.upper() == "OK"
    rated_not_ok = rated.status is None or not rated_ok
    as_sent = rated_ok if rating.verdict == Verdict.OK else rated_not_ok
    return Settled.TOOK_EFFECT if as_sent else Settled.CANNOT_TELL


class Reconciler:
    """Collects ratings of unknown fate and settles those of one job together.

    It looks when 256 have come together, when the first has waited for 5 seconds, or when nothing else is
    left to do. While it looks nothing is sent, so that what it reads holds still.
    """

    def __init__(
        self,
        look: Callable[[str, Sequence[str]], Awaitable[Listing]],
        conclude: Callable[[Sequence[tuple[Entry, Settled]]], Awaitable[None]],
        hold: Callable[[], Awaitable[None]],
        resume: Callable[[], None],
    ) -> None:
        self._look = look
        self._conclude = conclude
        self._hold = hold
        self._resume = resume
        self._parked: list[Entry] = []
        self._changed = anyio.Event()
        self._hurry = False

    def __len__(self) -> int:
        return len(self._parked)

    def park(self, entry: Entry) -> None:
        """Take over a rating whose fate is unknown."""
        entry.looks += 1
        self._parked.append(entry)
        self._wake()

    def hurry(self) -> None:
        """Nothing else is left to do: settle what there is."""
        self._hurry = True
        self._wake()

    async def run(self) -> None:
        """Settle whatever is parked, until cancelled."""
        while True:
            while not self._parked:
                self._hurry = False
                await self._changed.wait()
            with anyio.move_on_after(_PATIENCE):
                while len(self._parked) < _ENOUGH and not self._hurry:
                    await self._changed.wait()
            self._hurry = False
            await self._settle_parked()

    async def _settle_parked(self) -> None:
        await self._hold()
        concluded: list[tuple[Entry, Settled]] = []
        try:
            parked, self._parked = self._parked, []
            jobs: dict[str, list[Entry]] = defaultdict(list)
            for entry in parked:
                jobs[entry.rating.job_id].append(entry)
            for job_id, entries in jobs.items():
                listing = await self._read(job_id, entries)
                concluded += [
                    (entry, settle(entry.rating, listing, refusal=entry.refusal, looks=entry.looks))
                    for entry in entries
                ]
        finally:
            self._resume()
        await self._conclude(concluded)

    async def _read(self, job_id: str, entries: list[Entry]) -> Listing:
        for _ in range(_FAILED_LOOKS):
            try:
                return await self._look(job_id, [entry.rating.task_id for entry in entries])
            except AuthenticationError:
                raise
            except CallError as error:
                logger.warning("%d ratings of job %s are still unknown: %s", len(entries), job_id, error)
        return Listing({}, complete=False)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
