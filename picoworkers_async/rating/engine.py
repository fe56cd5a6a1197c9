"""One batch at work: what comes in is sent, what comes back is noted and handed out, unknown fates are settled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from .. import codec, endpoints, rules
from ..editions import Ability
from ..endpoints import Endpoint
from ..errors import InvalidRequestError, NotSentError, RefusedError
from ..journal.writer import Record
from ..listings.sweep import Listing, look_up, whole_listing
from ..models import Page, Rating, Task
from ..session import Session
from .bulk import Bulk
from .desk import Desk
from .follow_up import FollowUp, follow_up
from .outcome import Outcome, OutcomeStatus
from .outlet import Outlet
from .pool import Answered, Entry, Sender
from .reads import Reads
from .reconcile import Reconciler, Settled
from .single import Singles


class Engine:
    """Sends the ratings of one batch. A feed puts them in; outcomes go to the outlet as they complete.

    `desk` has what is in hand. Bounded throughout: a slow reader of outcomes holds back the sending, and that the
    reading of input.
    """

    def __init__(self, session: Session, outlet: Outlet, record: Record | None, *, replays: bool) -> None:
        self._session = session
        self._replays = replays
        self._record = record
        self._reads = Reads()
        self._sender = self._make_sender()
        self._reconciler = Reconciler(self._look, self._conclude, self._sender.hold, self._sender.resume)
        self.desk = Desk(outlet, record, self._reconciler)

    def _make_sender(self) -> Sender:
        if self._session.edition.can(Ability.RATE_MULTIPLE):
            return Bulk(self._session, self._note, self._settle, self._reads)
        return Singles(self._session, self._note, self._settle, journaled=self._record is not None)

    @property
    def concurrency(self) -> int:
        """How many requests of the batch may be under way at once."""
        return self._session.throttle.batch_concurrency

    def pause(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` at something failed."""
        return self._session.retry.pause(attempt)

    async def run(self, feed: Callable[[Engine], Awaitable[None]]) -> None:
        """Take all that the feed gives, and end when every rating has its outcome."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._reconciler.run)
            group.start_soon(self._sender.run)
            await self._resume()
            await feed(self)
            await self.idle()
            self._sender.close()
            group.cancel_scope.cancel()

    async def put(self, rating: object, task: Task | None = None) -> None:
        """Accept one rating, when there is room; what is not a valid rating fails here, unsent."""
        self.desk.opened()
        if not isinstance(rating, Rating):
            error = TypeError(f"a rating was expected, not {type(rating).__name__}: {rating!r:.80}")
            await self.desk.finish(Outcome(None, OutcomeStatus.FAILED, str(error), error, task))
            return
        problems = rules.check_rating(rating)
        if problems:
            invalid = InvalidRequestError(endpoints.RATE_SINGLE_TASK.call, problems)
            await self.desk.finish(Outcome(rating, OutcomeStatus.FAILED, str(invalid), invalid, task))
            return
        if self._record is not None and not self._replays:
            await self._record.decide(rating)
        await self._sender.put(Entry(rating, task))

    async def idle(self) -> None:
        """Wait until everything in hand has come to its end, unknown ones settled."""
        self._sender.hurry(True)
        await self.desk.idle()
        self._sender.hurry(False)

    async def page(self, job_id: str | None, number: int) -> Page[Task]:
        """One page of what is unrated, of one job or of all, asked for at the batch's own priority."""
        return await self._reads.count(lambda: self._page(endpoints.GET_UNRATED_TASKS, job_id, (), number))

    async def _page(
        self, endpoint: Endpoint, job_id: str | None, task_ids: Sequence[str], number: int
    ) -> Page[Task]:
        query = {
            "page": number if number != 1 else None,
            "job_id": job_id,
            "task_ids": ",".join(task_ids) or None,
        }
        return await self._session.call(endpoint, codec.read_tasks_page, query=query)

    async def _look(self, job_id: str, task_ids: Sequence[str]) -> Listing:
        async def unrated(some: Sequence[str], number: int) -> Page[Task]:
            return await self._page(endpoints.GET_UNRATED_TASKS, job_id, some, number)

        async def rated(some: Sequence[str], number: int) -> Page[Task]:
            return await self._page(endpoints.GET_RATED_TASKS, job_id, some, number)

        async def whole(number: int) -> Page[Task]:
            return await unrated((), number)

        edition = self._session.edition
        if edition.can(Ability.TASK_IDS) and edition.can(Ability.RATED_TASKS):
            return await look_up(unrated, rated, task_ids, rules.MOST_TASK_IDS)
        return await whole_listing(whole)

    async def _resume(self) -> None:
        """Settle what an earlier run sent without learning its outcome, and finish what it had decided."""
        if self._record is not None:
            await self._resume_those(self._record, ("sent", "unknown"))
            if not self._replays:
                await self._resume_those(self._record, ("decided", "failed"))

    async def _resume_those(self, record: Record, states: tuple[str, ...]) -> None:
        last = None
        while rows := await record.unfinished(states, last):
            for recorded in rows:
                entry = Entry(recorded.rating, quiet=self._replays)
                self.desk.opened()
                if recorded.state in ("sent", "unknown"):
                    entry.noted = True
                    self._reconciler.park(entry)
                else:
                    await self._sender.put(entry)
            await self.idle()
            last = rows[-1].rating

    async def _note(self, entries: list[Entry]) -> list[Entry]:
        return await self.desk.note(entries)

    async def _settle(self, answers: Sequence[Answered]) -> None:
        """Decide for each rating what follows from what its request brought, and do it."""
        steps = [(answer, self._follow_up(answer)) for answer in answers]
        again = [answer for answer, step in steps if step is FollowUp.SEND_AGAIN]
        for answer, step in steps:
            if step is FollowUp.SETTLE:
                self._reconciler.park(answer.entry)
        await self.desk.end([(answer, _STATUS[step]) for answer, step in steps if step in _STATUS])
        self.desk.check_drained()
        if again:
            # A 429 is waited out at the gate; a connection that failed is not tried again at once.
            attempts = [one.entry.attempts for one in again if isinstance(one.error, NotSentError)]
            if attempts:
                await anyio.sleep(self.pause(max(attempts)))
            self._sender.put_back([answer.entry for answer in again])

    def _follow_up(self, answer: Answered) -> FollowUp:
        entry = answer.entry
        if isinstance(answer.error, NotSentError):
            entry.attempts += 1
        step = follow_up(
            answer.error, looks=entry.looks, attempts=entry.attempts, most_attempts=self._session.retry.attempts
        )
        if isinstance(answer.error, RefusedError):
            entry.refusal = answer.error.message
        return step

    async def _conclude(self, settled: Sequence[tuple[Entry, Settled]]) -> None:
        ended = []
        again = []
        for entry, what in settled:
            match what:
                case Settled.SEND_AGAIN:
                    again.append(entry)
                case Settled.TOOK_EFFECT:
                    message = "its answer was lost, and it is no longer listed as unrated"
                    ended.append((Answered(entry, message), OutcomeStatus.RATED))
                case Settled.REFUSED:
                    ended.append((Answered(entry, entry.refusal), OutcomeStatus.REFUSED))
                case Settled.CANNOT_TELL:
                    message = "its answer was lost, and reading could not tell whether it took effect"
                    ended.append((Answered(entry, message), OutcomeStatus.UNKNOWN))
        self._sender.put_back(again)
        await self.desk.end(ended)


_STATUS = {
    FollowUp.RATED: OutcomeStatus.RATED,
    FollowUp.REFUSED: OutcomeStatus.REFUSED,
    FollowUp.FAILED: OutcomeStatus.FAILED,
}
