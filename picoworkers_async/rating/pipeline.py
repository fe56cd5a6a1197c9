"""The loop of a batch: plan, wait for a slot, note it in the journal, send, and apply what came back."""

from __future__ import annotations

import math
import time

import anyio
import anyio.lowlevel

from ..clock import event_loop_clock
from ..errors import JournalError, leading_error
from ..journal.writer import JournalWriter
from ..session import Session
from ..throttle import Permit
from .grace_period import GracePeriod
from .in_flight import InFlight
from .outcomes import BatchReport
from .performer import Performer
from .planner import Situation, Step, plan
from .progress import Progress, snapshot, what_is_waited_for
from .queue import RatingQueue
from .raised import EndsBatchError
from .reconcile import Reconciler
from .results import Results
from .signal import Signal
from .sources import Source
from .spending import Spending
from .walk import ListingWalk
from .watch import ServiceWatch

_TURNS_TO_FILL = 3
"""How many turns everybody else has before a smaller request leaves, while more may come from outside."""


class Pipeline:
    """Equal loops, as many as the batch's requests that may be in flight at once; each does what is best next.

    Bounded throughout: a slow reader of outcomes holds back the sending, which holds back the reading of input.
    `failure` is what ended the batch early, if anything did: nothing new was sent since, and what was in flight
    was ended.
    """

    def __init__(
        self,
        session: Session,
        *,
        source: Source,
        walk: ListingWalk | None,
        queue: RatingQueue,
        in_flight: InFlight,
        reconciler: Reconciler,
        journal: JournalWriter | None,
        changed: Signal,
        room: Signal,
        watch: ServiceWatch,
        grace: GracePeriod,
        spending: Spending,
        dry_run: bool,
    ) -> None:
        self.spending: Spending = spending
        self._dry_run = dry_run
        self._session = session
        self._grace = grace
        self._clock = event_loop_clock()
        # With fewer waiting, a page is read first.
        self._enough = 2 * session.throttle.batch_concurrency if queue.at_once == 1 else 0
        self._source, self._walk = source, walk
        self._queue, self._in_flight, self._reconciler = queue, in_flight, reconciler
        self._journal = journal
        self._changed, self._room = changed, room
        self._watch, self._outage = watch, watch.outage
        self._results = Results(
            session,
            source=source,
            queue=queue,
            in_flight=in_flight,
            reconciler=reconciler,
            changed=changed,
            watch=watch,
            spending=spending,
        )
        self._performer = Performer(
            session,
            walk=walk,
            queue=queue,
            in_flight=in_flight,
            results=self._results,
            changed=changed,
            room=room,
            watch=watch,
            grace=grace,
            spending=spending,
            dry_run=dry_run,
        )
        self._about_to_send = 0
        self._draining = False
        self._source_scope = anyio.CancelScope()
        self.failure: BaseException | None = None

    async def run(self) -> None:
        """Take all that the source gives, and end when every rating has its outcome."""
        await self._resume()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._run_source)
                for _ in range(self._session.throttle.batch_concurrency):
                    group.start_soon(self._loop)
        finally:
            # Left or not: what was on the wire when its grace ended is told, and noted.
            with anyio.CancelScope(shield=True):
                try:
                    await self._results.end_the_unknown()
                except JournalError as error:
                    self._fail(error)

    async def _run_source(self) -> None:
        try:
            with self._source_scope:
                await self._source.run()
        except* Exception as failed:
            # Beside a failure, others may have been cancelled: that is not one.
            self._fail(failed)
        self._changed.wake_all()

    async def _resume(self) -> None:
        """Take over what an earlier run sent without learning its outcome."""
        if self._journal is None:
            return
        try:
            await self.spending.remember(self._journal)
            last = None
            # One that was told to stop before it began settles nothing either.
            while not self._draining and (rows := await self._journal.unfinished(last)):
                for recorded in rows:
                    pending = self._in_flight.resume(recorded, quiet=self._source.quiet)
                    self.spending.take_over(pending, recorded.sent_at)
                    self._results.park(pending, anyio.current_time() - max(0.0, time.time() - recorded.at))
                last = rows[-1].rating
        except Exception as error:
            self._fail(error)

    async def _loop(self) -> None:
        with self._grace.shielded():
            try:
                while True:
                    await self._source.fill()
                    step = plan(self._situation())
                    if self._outage.lasts and step not in (Step.END, Step.WAIT):
                        await self._try(step)
                        continue
                    match step:
                        case Step.END:
                            self._source_scope.cancel()
                            self._changed.wake_all()
                            return
                        case Step.WAIT:
                            await self._changed.wait(self._next_time())
                        case Step.LOOK:
                            await self._look()
                        case Step.BALANCE:
                            await self._read_balance()
                        case Step.READ | Step.SEND:
                            await self._request(step)
            except* Exception as failed:
                self._fail(failed)

    async def _try(self, step: Step) -> None:
        """The service was away: find out whether it is back, while the others wait."""
        with self._watch.trying():
            if step is Step.LOOK:
                await self._look()
            elif step is Step.BALANCE:
                await self._read_balance()
            else:
                await self._request(step, trying=True)

    async def _read_balance(self) -> None:
        with self._grace.interruptible():
            error = await self.spending.read_balance(self._session.once())
            if error is None:
                self._watch.answered()
            elif not self._watch.met(error):
                raise error
        self._changed.wake_all()

    async def _look(self) -> None:
        with self._grace.interruptible():
            await self._results.look()

    def _fail(self, error: Exception) -> None:
        """Send nothing new; what is in flight still ends."""
        if self.failure is None:
            leading = leading_error(error)
            self.failure = leading.error if isinstance(leading, EndsBatchError) else leading
        self._performer.failed = True
        self._source_scope.cancel()
        self._changed.wake_all()

    def stop(self) -> None:
        """Take in nothing more; send what waits, within the grace, and end."""
        if self._draining:
            return
        self._draining = True
        self._grace.end_later()
        self._source.stop()
        self._source_scope.cancel()
        self._changed.wake_all()

    def leave(self) -> None:
        """The block is being left: nothing new is sent, and what is in flight has its grace."""
        self._grace.end()
        self._changed.wake_all()

    @property
    def put_off(self) -> int:
        """How many tasks are put off."""
        return self._source.standing().put_off

    def progress(self, report: BatchReport) -> Progress:
        """How far the batch is, with the outcomes of this report."""
        queue = self._queue
        throttle = self._session.throttle.state()
        limit, limit_left = self.spending.held_by()
        return snapshot(
            self._source.standing(),
            report,
            in_hand=self._in_flight.count,
            unknown=self._in_flight.unknown,
            waiting=queue.waiting,
            whole=queue.full + queue.parts(),
            at_once=queue.at_once,
            requests=self._session.requests,
            pace=throttle.requests_per_second,
            spend=self.spending.spend(report),
            wait=what_is_waited_for(
                away=self._outage.lasts, limit=limit, limit_left=limit_left, cooldown=throttle.cooldown_left
            ),
        )

    def _situation(self, *, trying: bool = False) -> Situation:
        queue, walk, unknown = self._queue, self._walk, self._in_flight.unknown
        page_at = None if walk is None else walk.next_page_at()
        away = self._outage.lasts
        now = self._clock() if unknown or page_at is not None or away else 0.0
        filling = walk is not None and walk.filling
        held = (self.spending.limited or self.spending.reached is not None) and self.spending.holds(self._clock())
        more = queue.full - self._about_to_send
        full = more if more > 0 else 0
        return Situation(
            full=full,
            parts=0 if full or filling else max(0, queue.parts() + min(0, more)),
            waiting=queue.waiting,
            enough=self._enough,
            page=page_at is not None and page_at <= now,
            filling=filling,
            look_overdue=unknown > 0 and self._reconciler.overdue(now),
            look_due=unknown > 0 and self._reconciler.due(now),
            in_hand=self._in_flight.count,
            unknown=unknown,
            exhausted=self._source.exhausted,
            draining=self._draining,
            stopped=self.failure is not None or self._grace.ended or (self._draining and self._grace.is_over()),
            held=held,
            closed=held and (self.spending.closed or not self._grace.lasts_until(self._limits_change_at())),
            balance=held and queue.waiting > 0 and self.spending.balance_due(self._clock()),
            away=away and not trying and not self._watch.may_try(now),
            probe=away,
        )

    def _limits_change_at(self) -> float:
        return self.spending.next_change(waiting=self._queue.waiting > 0)

    def _next_time(self) -> float | None:
        """When time alone may have changed the plan."""
        page_at = None if self._walk is None else self._walk.next_page_at()
        now = self._clock()
        if self._outage.lasts and not self._watch.may_try(now):
            return self._watch.next_try_at()
        change_at, lifted_at = self._reconciler.next_change(now), self._limits_change_at()
        times = page_at, change_at, None if lifted_at == math.inf else lifted_at
        return min((time for time in times if time is not None), default=None)

    async def _request(self, step: Step, *, trying: bool = False) -> None:
        """Wait for a slot if necessary, and make the best use of it, by what is there by then."""
        if step is Step.SEND and self._dry_run:
            await self._performer.would_send()
            return
        if step is Step.SEND and not self._queue.full and self._source.live and await self._more_arrived():
            return
        permit = self._session.slot_now()
        if permit is None:
            permit = await self._wait_for_slot(step)
            if permit is None:
                return
            with permit:
                await self._source.fill()
                await self._performer.perform(plan(self._situation(trying=trying)), permit)
        else:
            with permit:
                await self._performer.perform(step, permit)

    async def _wait_for_slot(self, step: Step) -> Permit | None:
        """A place at the gate; None if the block was left first."""
        permit = None
        claimed = self._claim(step)
        try:
            with self._grace.interruptible():
                permit = await self._session.slot()
        finally:
            self._give_up(claimed)
        return permit

    def _claim(self, step: Step) -> int:
        """Keep other loops from doing the same: one request (0), or the page of this number."""
        if step is Step.READ and self._walk is not None:
            return self._walk.next_page()
        self._about_to_send += 1
        return 0

    def _give_up(self, claimed: int) -> None:
        """Release what was claimed."""
        if claimed == 0:
            self._about_to_send -= 1
        elif self._walk is not None:
            self._walk.skip_page(claimed)

    async def _more_arrived(self) -> bool:
        """Let everybody else have a turn, and report whether that brought more ratings."""
        for _ in range(_TURNS_TO_FILL):
            before = self._source.arrived
            await anyio.lowlevel.checkpoint()
            if self._source.arrived != before:
                return True
        return False
