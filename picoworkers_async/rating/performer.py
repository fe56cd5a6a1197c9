"""Use a permit: note and send ratings, or read a page; and what a dry run does instead."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from ..errors import CallError
from ..models import Page, Task
from ..session import Session
from ..throttle import Permit
from . import requests
from .grace_period import GracePeriod
from .in_flight import InFlight
from .pending import PendingRating, Result
from .planner import Step
from .queue import RatingQueue
from .results import Results
from .signal import Signal
from .spending import Spending
from .walk import ListingWalk
from .watch import ServiceWatch


class Performer:
    """Performs the steps of a batch that take a request. Once `failed`, nothing new is sent."""

    def __init__(
        self,
        session: Session,
        *,
        walk: ListingWalk | None,
        queue: RatingQueue,
        in_flight: InFlight,
        results: Results,
        changed: Signal,
        room: Signal,
        watch: ServiceWatch,
        grace: GracePeriod,
        spending: Spending,
        dry_run: bool,
    ) -> None:
        self._dry_run = dry_run
        self._session = session
        self._walk, self._queue, self._in_flight, self._results = walk, queue, in_flight, results
        self._changed, self._room = changed, room
        self._watch, self._outage = watch, watch.outage
        self._grace, self._spending = grace, spending
        self.failed = False

    async def perform(self, step: Step, permit: Permit) -> None:
        """Send or read with this permit, and release it before the result is handed on."""
        results: list[Result] = []
        page = None
        walk = self._walk
        if step is Step.SEND:
            results = await self._send(permit, part=walk is None or not walk.filling)
        elif step is Step.READ and walk is not None:
            page = await self._read(permit, walk)
        permit.release()
        if results:
            await self._results.apply(results)
        elif page is not None and walk is not None:
            await walk.got_page(*page)
            if walk.next_page_at() is not None:
                self._changed.wake_all()
        else:
            # The slot was of no use by the time it came: others must have their turn before this asks again.
            await anyio.lowlevel.checkpoint()

    async def _send(self, permit: Permit, *, part: bool) -> list[Result]:
        pendings = [] if self._dry_run else self._queue.take(part=part)
        if not pendings:
            return []
        self._room.wake_all()
        job = self._queue.job(pendings[0].rating.job_id)
        noted: list[PendingRating] = []
        try:
            if self._spending.limited:
                pendings = await self._results.within_limits(pendings)
                if not pendings:
                    return []
            noted = pendings
            if self._in_flight.has_journal:
                noted = await self._in_flight.note(pendings)
                if not noted:
                    return []
                # While the journal was written: left, or failed; a 429 came; or the day has ended that pays it.
                held_up = self.failed or self._grace.ended or permit.held_up() or self._in_flight.is_stale()
                if held_up or not self._spending.still_pays(noted):
                    await self._results.put_back(noted)
                    return []
            return await requests.send_ratings(self._session, permit, noted)
        except BaseException:
            # Cut off, and nobody will learn more in this run.
            if permit.may_have_left:
                for pending in noted:
                    self._results.park(pending, anyio.current_time())
            elif noted:
                await self._results.put_back(noted)
            raise
        finally:
            self._queue.ended(job.job_id)
            if job.held:
                self._changed.wake_all()

    async def would_send(self) -> None:
        """What a request would carry, in a dry run: nothing is sent."""
        pendings = self._queue.take(part=self._walk is None or not self._walk.filling)
        self._room.wake_all()
        if not pendings:
            await anyio.lowlevel.checkpoint()
            return
        job_id = pendings[0].rating.job_id
        try:
            pendings = await self._results.within_limits(pendings)
            noted = await self._in_flight.note(pendings) if pendings else []
        finally:
            self._queue.ended(job_id)
        await self._results.would_rate(noted)

    async def _read(self, permit: Permit, walk: ListingWalk) -> tuple[int, Page[Task]] | None:
        number = walk.next_page()
        page = None
        try:
            with self._grace.interruptible():
                page = await requests.read_page(self._session, permit, walk.job_id, number)
        except CallError as error:
            patient = self._watch.met(error)
            walk.failed_page(error)
            if not patient:
                raise
            return None
        finally:
            if page is None:
                walk.skip_page(number)
        if self._outage.failures and page is not None:
            self._watch.answered()
        return None if page is None else (number, page)
