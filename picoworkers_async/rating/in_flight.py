"""The tasks and ratings in flight: each counted once, noted in the journal, and ended once."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from .. import endpoints, rules
from ..errors import InvalidRequestError, LimitError, RefusedError
from ..journal.schema import UNSENT, Failure, JournalState, Key, Recorded, key_of
from ..journal.writer import JournalWriter
from ..models import Rating, Task
from ..problems import Problem, ProblemCode
from .conflicts import is_of_same_work, replayed, twice
from .outcomes import Outcome, OutcomeStatus, OutcomeStream
from .pending import PendingRating, Result
from .signal import Signal
from .spending import Spending

_LATELY_RATED = 500


class InFlight:
    """Every task and rating in flight is opened once, and ended once.

    `count` is how many there are, `unknown` how many of them await a sweep. `changed` wakes those who wait for
    them to become fewer.
    """

    def __init__(
        self, outcomes: OutcomeStream, journal: JournalWriter | None, changed: Signal, spending: Spending
    ) -> None:
        self._spending = spending
        self._outcomes = outcomes
        self._journal = journal
        self.has_journal: bool = journal is not None
        self._changed = changed
        self._idle = Signal()
        self._by_task: dict[tuple[str, str], PendingRating] = {}
        # More of a task are in hand only where they are of other revisions.
        self._others: dict[tuple[str, str], list[PendingRating]] = {}
        # Without a journal, the last ones that took effect, so that none of them is sent twice.
        self._rated: dict[tuple[str, str], Rating] = {}
        self._rated_before: dict[tuple[str, str], Rating] = {}
        self.count: int = 0
        self.unknown = 0

    async def known(self, tasks: Sequence[Task]) -> dict[Key, Recorded]:
        """What the journal has of these tasks."""
        if self._journal is None or not tasks:
            return {}
        return await self._journal.known((task.job_id, task.id, task.revision_number) for task in tasks)

    def opened(self) -> None:
        """One more task is in flight, which `closed` or `finish` ends."""
        self.count += 1

    def closed(self) -> None:
        """A task in flight has ended."""
        self.count -= 1
        self.check_idle()

    def check_idle(self) -> None:
        """Wake those who wait for everything in flight to have ended, except what is unknown."""
        if self.count <= self.unknown:
            self._idle.wake_all()
            self._changed.wake_all()

    async def wait_until_only_unknown(self) -> None:
        """Wait until everything in flight has ended, except what awaits a sweep."""
        while self.count > self.unknown:
            await self._idle.wait()

    async def finish(self, outcome: Outcome) -> None:
        """Hand an outcome to the reader."""
        self.closed()
        if not self._outcomes.put_now(outcome):
            await self._outcomes.put(outcome)

    async def fail(self, outcome: Outcome) -> None:
        """Note in the journal what failed before anything was sent, and hand it out."""
        try:
            failure = None if self._journal is None else _failure_of(outcome)
            if self._journal is not None and failure is not None:
                await self._journal.failed([failure])
        finally:
            await self.finish(outcome)

    async def accept(self, rating: object, task: Task | None = None) -> PendingRating | None:
        """Accept a rating, if it can be used: `check`, then `take`."""
        pending = await self.check(rating, task)
        return None if pending is None else await self.take(pending)

    async def check(self, rating: object, task: Task | None = None) -> PendingRating | None:
        """Open a rating, for `take`; one that breaks a rule, or a limit by itself, fails here, unsent."""
        self.opened()
        if not isinstance(rating, Rating):
            wrong = TypeError(
                str(Problem("rating", rating, f"a Rating, not {type(rating).__name__}", ProblemCode.TYPE))
            )
            await self.finish(Outcome(None, OutcomeStatus.FAILED, str(wrong), wrong, task))
            return None
        problems = rules.check_rating(rating)
        if problems:
            invalid = InvalidRequestError(endpoints.RATE_SINGLE_TASK.call, problems)
            await self.fail(Outcome(rating, OutcomeStatus.FAILED, str(invalid), invalid, task))
            return None
        pending = PendingRating(rating, task, known_revision=rating.revision_number or 0)
        beyond = None
        if self._journal is not None:
            self._spending.prices.note_if_known(pending)
        if self._spending.limited:
            try:
                beyond = await self._spending.weigh(pending)
            except BaseException:
                self.closed()
                raise
        if beyond is not None:
            if not await self._replay([pending]):
                await self.fail(Outcome(rating, OutcomeStatus.FAILED, str(beyond), beyond, task))
            return None
        return pending

    async def take(self, pending: PendingRating) -> PendingRating | None:
        """Accept a rating that passed `check`, unless its task is in flight already.

        In that case it fails, so that it is not sent twice, with a `ConflictError` if the two differ. Without a
        journal, one that is among the last 500 that took effect fails, too. One that an earlier run sent, and
        whose fate is being settled, has its outcome once that is known.
        """
        rating, task = pending.rating, pending.task
        key = rating.job_id, rating.task_id
        rated = self._rated.get(key) or self._rated_before.get(key)
        if rated is not None and is_of_same_work(rated, rating):
            await self.finish(twice(rated, rating, task))
            return None
        if self._by_task.setdefault(key, pending) is pending:
            return pending
        known = self._of_same_work(rating)
        if known is None:
            self._add(pending)
            return pending
        if known.quiet:
            known.quiet = False
            self.closed()
            return None
        await self.finish(twice(known.rating, rating, task))
        return None

    def resume(self, recorded: Recorded, *, quiet: bool) -> PendingRating:
        """Take over a rating that an earlier run sent, and whose fate is not known."""
        rating = recorded.rating
        known_revision = rating.revision_number or 0
        pending = PendingRating(rating, noted=True, quiet=quiet, known_revision=known_revision, pay=recorded.pay)
        self.opened()
        self._add(pending)
        return pending

    def _of_same_work(self, rating: Rating) -> PendingRating | None:
        """One in flight that is about the same work. A rating without a revision may be about any."""
        key = rating.job_id, rating.task_id
        revision = rating.revision_number
        in_hand = [self._by_task[key], *self._others.get(key, ())]
        same = (one for one in in_hand if revision is None or one.rating.revision_number in (None, revision))
        return next(same, None)

    def _add(self, pending: PendingRating) -> None:
        key = pending.rating.job_id, pending.rating.task_id
        if self._by_task.setdefault(key, pending) is not pending:
            self._others.setdefault(key, []).append(pending)

    def _remove(self, pending: PendingRating) -> None:
        key = pending.rating.job_id, pending.rating.task_id
        others = self._others.pop(key, None) if self._others else None
        if others is None:
            del self._by_task[key]
            return
        left = [one for one in (self._by_task[key], *others) if one is not pending]
        self._by_task[key] = left[0]
        if left[1:]:
            self._others[key] = left[1:]

    def _remember(self, rating: Rating) -> None:
        self._rated[rating.job_id, rating.task_id] = rating
        if len(self._rated) >= _LATELY_RATED:
            # Half of them go at once: to find the oldest each time would cost more than all the rest.
            self._rated_before, self._rated = self._rated, {}

    async def decided(self, pendings: Sequence[PendingRating]) -> None:
        """Note these decisions in the journal."""
        if self._journal is not None and pendings:
            await self._journal.decide([pending.entry for pending in pendings])

    async def not_sent_before(self, pendings: list[PendingRating]) -> list[PendingRating]:
        """Hand out what the journal has of those that were sent before; returns the others.

        Call it before limits are checked: what was rated once costs nothing.
        """
        told = await self._replay(pendings)
        for pending in told.values():
            self._remove(pending)
        return [pending for pending in pendings if id(pending) not in told] if told else pendings

    async def _replay(self, pendings: list[PendingRating]) -> dict[int, PendingRating]:
        """Hand out what the journal has of those that were sent before; returns these, by their identity."""
        told: dict[int, PendingRating] = {}
        if self._journal is None:
            return told
        known = await self._journal.known([pending.key for pending in pendings])
        for pending in pendings:
            recorded = known.get(pending.key)
            if recorded is not None and recorded.state not in UNSENT:
                told[id(pending)] = pending
                await self.finish(replayed(recorded, pending, self._journal.opened_at))
        return told

    async def note(self, pendings: list[PendingRating]) -> list[PendingRating]:
        """Note in the journal that these are about to be sent; returns those that may be."""
        if self._journal is None:
            return pendings
        self._journal.in_hand = self.count
        # It must be known which of them are noted, so that those which never leave can be noted back.
        with anyio.CancelScope(shield=True):
            found = await self._journal.send([pending.entry for pending in pendings])
        for pending, recorded in zip(pendings, found, strict=True):
            pending.noted = recorded is None
        for pending, recorded in zip(pendings, found, strict=True):
            if recorded is not None:
                self._remove(pending)
                self._spending.give_back(pending)
                await self.finish(replayed(recorded, pending, self._journal.opened_at))
        return [pending for pending in pendings if pending.noted]

    def is_stale(self) -> bool:
        """Whether this program was stopped since `note`: another batch may have the journal by now."""
        return self._journal is not None and self._journal.is_stale()

    async def leave(self, left: Sequence[tuple[PendingRating, LimitError]]) -> None:
        """These exceed a limit, and are left alone: the journal keeps them as decided."""
        for pending, error in left:
            self._remove(pending)
            await self.finish(Outcome(pending.rating, OutcomeStatus.FAILED, str(error), error, pending.task))

    async def unsend(self, pendings: Sequence[PendingRating]) -> None:
        """Note in the journal that these never left, or certainly had no effect."""
        noted = [pending for pending in pendings if pending.noted]
        if self._journal is None or not noted:
            return
        for pending in noted:
            pending.noted = False
        await self._journal.unsend([pending.rating for pending in noted])

    async def end(self, ended: Sequence[tuple[Result, OutcomeStatus]]) -> None:
        """These have outcomes: note all, then hand them out."""
        try:
            if self._journal is not None and ended:
                self._journal.in_hand = self.count - len(ended)
                await self._journal.conclude(
                    [
                        (result.pending.rating, JournalState(status.value), message_of(result))
                        for result, status in ended
                    ]
                )
        finally:
            cancelled: BaseException | None = None
            for result, status in ended:
                pending = result.pending
                self._remove(pending)
                if status is OutcomeStatus.RATED and self._journal is None:
                    self._remember(pending.rating)
                if pending.quiet:
                    self.closed()
                    continue
                message, task = message_of(result), pending.task
                outcome = Outcome(pending.rating, status, message, result.error, task, pay=pending.pay)
                try:
                    await self.finish(outcome)
                except anyio.get_cancelled_exc_class() as error:
                    # The stream keeps it; the others must not be lost either.
                    cancelled = error
            if cancelled is not None:
                raise cancelled


def message_of(result: Result) -> str | None:
    """The message of a result: the service's own words, if any."""
    if result.error is None:
        return result.message
    return result.error.message if isinstance(result.error, RefusedError) else str(result.error)


def _failure_of(outcome: Outcome) -> Failure | None:
    """What the journal notes about a task that failed before anything was sent; None if there is no task."""
    rating, task = outcome.rating, outcome.task
    message = outcome.message or ""
    if task is not None:
        key = task.job_id, task.id, task.revision_number
        return Failure(key, task.worker_id, rating, message)
    return None if rating is None else Failure(key_of(rating), rating.worker_id, rating, message)
