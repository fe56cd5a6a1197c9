"""What follows from requests and sweeps: outcomes, another attempt, or a sweep."""

from __future__ import annotations

from collections.abc import Sequence

from ..clock import event_loop_clock
from ..effects import Effect, Judgement
from ..errors import AuthenticationError, CallError, LimitError, RefusedError
from ..events import UnknownParked, UnknownSettled, UnknownUnread
from ..listings.lookup import TaskLookup, look_up, most_looked_up
from ..models import Rating, Verdict
from ..outage import is_failure, may_pass
from ..session import Session
from ..settling import settling
from .ended import LatelyEnded
from .in_flight import InFlight
from .outcomes import OutcomeStatus
from .pending import NextStep, PendingRating, Result, next_step
from .queue import RatingQueue
from .reconcile import Reconciler, is_given_up
from .signal import Signal
from .sources import Source
from .spending import Spending
from .watch import ServiceWatch, reason_of

_STATUS = {
    NextStep.RATED: OutcomeStatus.RATED,
    NextStep.REFUSED: OutcomeStatus.REFUSED,
    NextStep.FAILED: OutcomeStatus.FAILED,
}
_LEFT = "its answer was lost, and the batch ended before reading could tell whether it took effect"


class Results:
    """Brings every rating that was sent to its end, or back into the queue."""

    def __init__(
        self,
        session: Session,
        *,
        source: Source,
        queue: RatingQueue,
        in_flight: InFlight,
        reconciler: Reconciler,
        changed: Signal,
        watch: ServiceWatch,
        spending: Spending,
    ) -> None:
        self._spending = spending
        self._session, self._once = session, session.once()
        self._observers = session.observers
        self._watch, self._outage = watch, watch.outage
        self._clock = event_loop_clock()
        self._source = source
        self._queue, self._in_flight, self._reconciler = queue, in_flight, reconciler
        self._changed = changed
        self._lately = LatelyEnded(session.settle_after)
        self._reads_whole_listings = most_looked_up(session.edition) is None

    async def apply(self, results: Sequence[Result]) -> None:
        """Decide for each rating what follows from the result of its request, and do it."""
        if not [result for result in results if result.error is not None]:
            if self._outage.failures:
                self._watch.answered()
            await self._end([(result, OutcomeStatus.RATED) for result in results])
            return
        failure = _failure_of(results)
        patient = True
        if failure is None:
            self._watch.answered()
        else:
            patient = self._watch.met(failure)
        results = await self._without_the_unpaid(results)
        if not results:
            return
        if _refused_whole(results):
            await self._halve(results)
            return
        now = self._clock()
        ended: list[tuple[Result, OutcomeStatus]] = []
        again: list[Result] = []
        for result in results:
            step = self._next_step(result)
            if step is NextStep.SEND_AGAIN:
                again.append(result)
            elif step is NextStep.RECONCILE:
                self.park(result.pending, now)
            else:
                ended.append((result, _STATUS[step]))
        await self._end(ended)
        self._in_flight.check_idle()
        if again:
            # A 429 is waited out at the gate, an outage by the plan.
            await self.put_back([result.pending for result in again])
        lost = next((one.error for one in results if isinstance(one.error, AuthenticationError)), None)
        if lost is not None:
            raise lost
        if failure is not None and not patient:
            raise reason_of(failure)

    def _next_step(self, result: Result) -> NextStep:
        pending = result.pending
        if isinstance(result.error, RefusedError):
            pending.refused = True
        return next_step(result.error, times_unknown=pending.times_unknown)

    async def put_back(self, pendings: list[PendingRating]) -> None:
        """These certainly had no effect, and are to be sent."""
        await self._in_flight.unsend(pendings)
        for pending in pendings:
            self._spending.give_back(pending)
        if pendings[0].grouped:
            self._queue.put_group(pendings)
        else:
            self._queue.put_back(pendings)
        self._changed.wake_all()

    async def _without_the_unpaid(self, results: Sequence[Result]) -> Sequence[Result]:
        """Put back what the service refused for want of money; returns the others."""
        edition = self._session.edition
        unpaid: list[PendingRating] = []
        others: list[Result] = []
        message = ""
        for result in results:
            if isinstance(result.error, RefusedError) and edition.is_for_want_of_money(result.error.message):
                unpaid.append(result.pending)
                message = message or result.error.message
            else:
                others.append(result)
        if unpaid:
            await self.put_back(unpaid)
            self._spending.ran_out(message)
        return others

    async def would_rate(self, pendings: Sequence[PendingRating]) -> None:
        """A dry run would have sent these."""
        await self._end([(Result(pending), OutcomeStatus.WOULD_RATE) for pending in pendings])

    async def within_limits(self, pendings: Sequence[PendingRating]) -> list[PendingRating]:
        """Reserve money for these, and return those that may be sent; the others are put back, or left alone."""
        admitted, over = self._spending.admit(await self._in_flight.not_sent_before(list(pendings)))
        back: list[PendingRating] = []
        left: list[tuple[PendingRating, LimitError]] = []
        for pending in over:
            reached = self._spending.leaves(pending)
            if reached is None:
                back.append(pending)
            else:
                left.append((pending, LimitError(reached.limit, reached.text)))
                if reached.limit != "total":
                    self._source.left(pending, reached.until)
        if back:
            await self.put_back(back)
        await self._in_flight.leave(left)
        return admitted

    async def _halve(self, results: Sequence[Result]) -> None:
        """A request was refused whole: send each half by itself, until the rating that is refused stands alone."""
        pendings = [result.pending for result in results]
        await self._in_flight.unsend(pendings)
        for pending in pendings:
            pending.grouped = True
            self._spending.give_back(pending)
        middle = len(pendings) // 2
        self._queue.put_group(pendings[:middle])
        self._queue.put_group(pendings[middle:])
        self._changed.wake_all()

    def park(self, pending: PendingRating, ended_at: float) -> None:
        pending.grouped = False
        pending.times_away += self._outage.lasts
        self._reconciler.park(pending, ended_at)
        self._in_flight.unknown += 1
        self._changed.wake()
        rating = pending.rating
        self._observers.tell(
            UnknownParked(
                job_id=rating.job_id,
                task_id=rating.task_id,
                revision_number=rating.revision_number,
                times_unknown=pending.times_unknown,
            )
        )

    async def look(self) -> None:
        """Sweep for ratings of one job whose answers were lost."""
        pendings = self._reconciler.take(self._clock())
        if not pendings:
            return
        began = self._clock()
        try:
            with settling(self._observers, "ratings", len(pendings)):
                lookup = await self._look_up(pendings)
        except CallError as error:
            patient = self._watch.met(error)
            if isinstance(error, AuthenticationError) or not patient:
                self._reconciler.give_back(pendings)
                raise
            away = self._outage.lasts
            if not away:
                job_id = pendings[0].rating.job_id
                self._observers.tell(UnknownUnread(job_id=job_id, ratings=len(pendings), error=str(error)))
            certain = not may_pass(error, follows=self._watch.follows)
            if self._reconciler.put_off(pendings, began, certain=certain, away=away):
                return
            lookup = TaskLookup(began, {})
        except BaseException:
            self._reconciler.give_back(pendings)
            raise
        else:
            self._watch.answered()
        await self._conclude(self._reconciler.weigh(pendings, lookup.seen, lookup.began))

    async def _look_up(self, pendings: Sequence[PendingRating]) -> TaskLookup:
        """Where these are listed. What is read whole must hold still: nothing of its job is sent then."""
        job = self._queue.job(pendings[0].rating.job_id)
        self._queue.hold(job)
        try:
            while job.under_way and self._reads_whole_listings:
                await self._changed.wait()
            task_ids = [pending.rating.task_id for pending in pendings]
            ended = self._lately.of_job(job.job_id, self._clock())
            # During an outage a look is one try, not as many as a call may make.
            session = self._once if self._outage.lasts else self._session
            return await look_up(session, job.job_id, task_ids, ended=ended)
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
            self._tell_settled(pending.rating, judgement.effect, judgement.reason)
            message = f"its answer was lost; {judgement.reason}"
            if judgement.effect is Effect.TOOK_EFFECT:
                ended.append((Result(pending, message), OutcomeStatus.RATED))
            elif judgement.effect is Effect.CANNOT_TELL:
                ended.append((Result(pending, message), OutcomeStatus.UNKNOWN))
            elif is_given_up(pending):
                message = f"its answer was lost {pending.times_unknown} times; {judgement.reason}"
                ended.append((Result(pending, message), OutcomeStatus.FAILED))
            else:
                await self.put_back([pending])
        await self._end(ended)
        self._in_flight.check_idle()

    def _tell_settled(self, rating: Rating, effect: Effect, reason: str) -> None:
        self._observers.tell(
            UnknownSettled(
                job_id=rating.job_id,
                task_id=rating.task_id,
                revision_number=rating.revision_number,
                effect=effect.value,
                reason=reason,
            )
        )

    async def _end(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        self._source.ended(ended)
        if self._reads_whole_listings:
            now = self._clock()
            for result, status in ended:
                rating = result.pending.rating
                if status is OutcomeStatus.RATED and rating.verdict is not Verdict.REVISE:
                    self._lately.add(rating.job_id, rating.task_id, now)
        for result, status in ended:
            if result.pending.reservation is not None:
                self._spending.ended(result.pending, status)
                self._changed.wake_all()
        await self._in_flight.end(ended)

    async def end_the_unknown(self) -> None:
        """No more sweeps will be made: what is left of unknown fate gets that as its outcome."""
        left = self._reconciler.drain()
        await self._end([(Result(pending, _LEFT), OutcomeStatus.UNKNOWN) for pending in left])


def _refused_whole(results: Sequence[Result]) -> bool:
    """Whether one refusal applies to all ratings of a request."""
    error = results[0].error
    return len(results) > 1 and isinstance(error, RefusedError) and all(one.error is error for one in results)


def _failure_of(results: Sequence[Result]) -> CallError | None:
    """The error of a request that failed; None if the service answered it, whatever it said."""
    errors = [result.error for result in results]
    return errors[0] if all(error is not None and is_failure(error) for error in errors) else None
