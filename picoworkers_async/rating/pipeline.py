"""The loop of a batch: plan, wait for a slot, note it in the journal, send, and apply what came back."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import anyio
import anyio.lowlevel

from ..effects import Effect, Judgement
from ..errors import AuthenticationError, CallError, NotSentError, RefusedError
from ..journal.writer import JournalWriter
from ..listings.lookup import TaskLookup, look_up, most_looked_up
from ..models import Page, Task
from ..session import Session
from ..throttle import Permit
from . import requests
from .in_flight import InFlight
from .outcomes import OutcomeStatus
from .pending import NextStep, PendingRating, Result, next_step
from .planner import Situation, Step, plan
from .queue import RatingQueue
from .reconcile import Reconciler, is_given_up
from .signal import Signal
from .sources import Source
from .walk import ListingWalk

logger = logging.getLogger("picoworkers_async")

_TURNS_TO_FILL = 3
"""So often everybody else has a turn before a smaller request leaves while somebody outside may give more."""

_STATUS = {
    NextStep.RATED: OutcomeStatus.RATED,
    NextStep.REFUSED: OutcomeStatus.REFUSED,
    NextStep.FAILED: OutcomeStatus.FAILED,
}
_LEFT = "its answer was lost, and the batch ended before reading could tell whether it took effect"


class Pipeline:
    """Equal loops, as many as requests of the batch may be under way at once; each does what is best next.

    Bounded throughout: a slow reader of outcomes holds back the sending, and that the reading of input. `failure`
    is what ended the batch early, if something did: nothing new was sent since, and what was under way had its
    end.
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
    ) -> None:
        self._session = session
        self._source, self._walk = source, walk
        self._queue, self._in_flight, self._reconciler = queue, in_flight, reconciler
        self._journal = journal
        self._changed, self._room = changed, room
        self._about_to_send = 0
        self._source_scope = anyio.CancelScope()
        self.failure: Exception | None = None

    async def run(self) -> None:
        """Take all that the source gives, and end when every rating has its outcome."""
        await self._resume()
        async with anyio.create_task_group() as group:
            group.start_soon(self._run_source)
            for _ in range(self._session.throttle.batch_concurrency):
                group.start_soon(self._loop)
        left = [(Result(one, _LEFT), OutcomeStatus.UNKNOWN) for one in self._reconciler.drain()]
        await self._in_flight.end(left)

    async def _run_source(self) -> None:
        with self._source_scope:
            try:
                await self._source.run()
            except Exception as error:
                self._fail(error)
        self._changed.wake_all()

    async def _resume(self) -> None:
        """Take over what an earlier run sent without learning its outcome."""
        try:
            last = None
            while self._journal is not None and (rows := await self._journal.unfinished(last)):
                for recorded in rows:
                    pending = self._in_flight.resume(recorded, quiet=self._source.quiet)
                    self._park(pending, anyio.current_time() - max(0.0, time.time() - recorded.at))
                last = rows[-1].rating
        except Exception as error:
            self._fail(error)

    async def _loop(self) -> None:
        try:
            while True:
                await self._source.fill()
                step = plan(self._situation())
                match step:
                    case Step.END:
                        self._source_scope.cancel()
                        self._changed.wake_all()
                        return
                    case Step.WAIT:
                        await self._changed.wait(self._next_time())
                    case Step.LOOK:
                        await self._look()
                    case Step.READ | Step.SEND:
                        await self._request(step)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Send nothing new; what is under way still has its end."""
        if self.failure is None:
            self.failure = error
        self._source_scope.cancel()
        self._changed.wake_all()

    def _situation(self) -> Situation:
        now = anyio.current_time()
        queue, walk = self._queue, self._walk
        page_at = None if walk is None else walk.next_page_at()
        filling = walk is not None and walk.filling
        full = max(0, queue.full - self._about_to_send)
        spare = max(0, self._about_to_send - queue.full)
        return Situation(
            full=full,
            parts=0 if full or filling else max(0, queue.parts() - spare),
            waiting=queue.waiting,
            enough=2 * self._session.throttle.batch_concurrency if queue.at_once == 1 else 0,
            page=page_at is not None and page_at <= now,
            filling=filling,
            look_overdue=self._reconciler.overdue(now),
            look_due=self._reconciler.due(now),
            in_hand=self._in_flight.count,
            unknown=self._in_flight.unknown,
            exhausted=self._source.exhausted,
            stopped=self.failure is not None,
        )

    def _next_time(self) -> float | None:
        """When time alone may have changed the plan."""
        page_at = None if self._walk is None else self._walk.next_page_at()
        change_at = self._reconciler.next_change(anyio.current_time())
        return min((time for time in (page_at, change_at) if time is not None), default=None)

    async def _request(self, step: Step) -> None:
        """Wait for a slot, and make the best use of it: of what is there by then, not of what was there before."""
        if step is Step.SEND and not self._queue.full and self._source.live and await self._more_arrived():
            return
        claimed: int | None = self._claim(step)
        results: list[Result] = []
        page = None
        try:
            async with self._session.slot() as permit:
                await self._source.fill()
                self._give_up(claimed)
                claimed = None
                now = self._situation()
                match plan(now):
                    case Step.SEND:
                        results = await self._send(permit, part=not now.filling)
                    case Step.READ if self._walk is not None:
                        page = await self._read(permit, self._walk)
        finally:
            self._give_up(claimed)
        if results:
            await self._apply(results)
        elif page is not None and self._walk is not None:
            await self._walk.got_page(*page)
            if self._walk.next_page_at() is not None:
                self._changed.wake_all()
        else:
            # The slot was of no use by the time it came: others must have their turn before this asks again.
            await anyio.lowlevel.checkpoint()

    def _claim(self, step: Step) -> int | None:
        """Keep what is about to be done from other loops: one request (0), or the page of this number."""
        if step is Step.READ and self._walk is not None:
            return self._walk.next_page()
        self._about_to_send += 1
        return 0

    def _give_up(self, claimed: int | None) -> None:
        """Let others have it again."""
        if claimed == 0:
            self._about_to_send -= 1
        elif claimed is not None and self._walk is not None:
            self._walk.skip_page(claimed)

    async def _more_arrived(self) -> bool:
        """Let everybody else have a turn, and see whether more ratings came of it."""
        for _ in range(_TURNS_TO_FILL):
            before = self._source.arrived
            await anyio.lowlevel.checkpoint()
            if self._source.arrived != before:
                return True
        return False

    async def _send(self, permit: Permit, *, part: bool) -> list[Result]:
        pendings = self._queue.take(part=part)
        if not pendings:
            return []
        self._room.wake_all()
        job = self._queue.job(pendings[0].rating.job_id)
        try:
            noted = await self._in_flight.note(pendings)
            # Left, or failed, while the journal was written: nothing new is sent.
            await anyio.lowlevel.checkpoint_if_cancelled()
            if not noted or self.failure is not None:
                return []
            return await requests.send_ratings(self._session, permit, noted)
        finally:
            self._queue.ended(job.job_id)
            if job.held:
                self._changed.wake_all()

    async def _read(self, permit: Permit, walk: ListingWalk) -> tuple[int, Page[Task]] | None:
        number = walk.next_page()
        try:
            return number, await requests.read_page(self._session, permit, walk.job_id, number)
        except CallError as error:
            walk.failed_page(number, error)
            return None
        except BaseException:
            walk.skip_page(number)
            raise

    async def _apply(self, results: Sequence[Result]) -> None:
        """Decide for each rating what follows from what its request brought, and do it."""
        if _refused_whole(results):
            self._halve(results)
            return
        now = anyio.current_time()
        ended: list[tuple[Result, OutcomeStatus]] = []
        again: list[Result] = []
        for result in results:
            step = self._next_step(result)
            if step is NextStep.SEND_AGAIN:
                again.append(result)
            elif step is NextStep.RECONCILE:
                self._park(result.pending, now)
            else:
                ended.append((result, _STATUS[step]))
        await self._end(ended)
        self._in_flight.check_idle()
        await self._send_again(again)
        lost = next((one.error for one in results if isinstance(one.error, AuthenticationError)), None)
        if lost is not None:
            raise lost

    def _next_step(self, result: Result) -> NextStep:
        pending = result.pending
        if isinstance(result.error, NotSentError):
            pending.attempts += 1
        if isinstance(result.error, RefusedError):
            pending.refused = True
        return next_step(
            result.error,
            times_unknown=pending.times_unknown,
            attempts=pending.attempts,
            most_attempts=self._session.retry.attempts,
        )

    async def _send_again(self, results: Sequence[Result]) -> None:
        """Put ratings back that certainly did not take effect, after a pause if they did not even arrive."""
        if not results:
            return
        # A 429 is waited out at the gate; a connection that failed is not tried again at once.
        attempts = [one.pending.attempts for one in results if isinstance(one.error, NotSentError)]
        if attempts:
            await anyio.sleep(self._session.retry.pause(max(attempts)))
        pendings = [one.pending for one in results]
        if pendings[0].grouped:
            self._queue.put_group(pendings)
        else:
            self._queue.put_back(pendings)
        self._changed.wake_all()

    def _halve(self, results: Sequence[Result]) -> None:
        """A request was refused whole: send each half by itself, until what it is refused for stands alone."""
        pendings = [result.pending for result in results]
        for pending in pendings:
            pending.grouped = True
        middle = len(pendings) // 2
        self._queue.put_group(pendings[:middle])
        self._queue.put_group(pendings[middle:])
        self._changed.wake_all()

    def _park(self, pending: PendingRating, ended_at: float) -> None:
        pending.grouped = False
        self._reconciler.park(pending, ended_at)
        self._in_flight.unknown += 1
        self._changed.wake()

    async def _look(self) -> None:
        """Look what became of ratings of one job whose answers were lost."""
        pendings = self._reconciler.take(anyio.current_time())
        if not pendings:
            return
        try:
            lookup = await self._look_for(pendings)
        except BaseException:
            self._reconciler.give_back(pendings)
            raise
        await self._conclude(self._reconciler.weigh(pendings, lookup.seen, lookup.began))

    async def _look_for(self, pendings: Sequence[PendingRating]) -> TaskLookup:
        """Where these are listed. What is read whole must hold still: nothing of its job is sent then."""
        job = self._queue.job(pendings[0].rating.job_id)
        began = anyio.current_time()
        self._queue.hold(job)
        try:
            while job.under_way and most_looked_up(self._session.edition) is None:
                await self._changed.wait()
            task_ids = [pending.rating.task_id for pending in pendings]
            return await look_up(self._session, job.job_id, task_ids)
        except AuthenticationError:
            raise
        except CallError as error:
            logger.warning("%d ratings of job %s are still unknown: %s", len(pendings), job.job_id, error)
            return TaskLookup(began, {})
        finally:
            self._queue.release(job)
            self._changed.wake_all()

    async def _conclude(self, judgements: Sequence[tuple[PendingRating, Judgement]]) -> None:
        ended: list[tuple[Result, OutcomeStatus]] = []
        for pending, judgement in judgements:
            if judgement.effect is None:
                self._reconciler.give_back([pending])
                continue
            self._in_flight.unknown -= 1
            message = f"its answer was lost; {judgement.reason}"
            if judgement.effect is Effect.TOOK_EFFECT:
                ended.append((Result(pending, message), OutcomeStatus.RATED))
            elif judgement.effect is Effect.CANNOT_TELL:
                ended.append((Result(pending, message), OutcomeStatus.UNKNOWN))
            elif is_given_up(pending):
                message = f"its answer was lost {pending.times_unknown} times; {judgement.reason}"
                ended.append((Result(pending, message), OutcomeStatus.FAILED))
            else:
                self._queue.put_back([pending])
        await self._end(ended)
        self._in_flight.check_idle()

    async def _end(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        self._source.ended([result.pending for result, _ in ended])
        await self._in_flight.end(ended)


def _refused_whole(results: Sequence[Result]) -> bool:
    """Whether one refusal is of all ratings of a request."""
    error = results[0].error
    return len(results) > 1 and isinstance(error, RefusedError) and all(one.error is error for one in results)
