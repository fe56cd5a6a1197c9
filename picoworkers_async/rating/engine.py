"""Sends the ratings of one batch: several at once, each to its own outcome, unknown ones settled by reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from .. import answers, codec, endpoints, rules
from ..errors import (
    AuthenticationError,
    CallError,
    Fate,
    InvalidRequestError,
    NotSentError,
    PicoworkersError,
    RateLimitedError,
    RefusedError,
)
from ..models import Page, Rating, Task
from ..session import Session
from .look import Listing, whole_listing
from .outcome import Outcome, OutcomeStatus
from .pool import Entry, Pool
from .reconcile import Reconciler, Settled
from .record import Record, Recorded


class Engine:
    """One batch at work. A feed puts ratings in; outcomes go out to the stream as they complete.

    Bounded throughout: a slow reader of outcomes holds back the sending, and that the reading of input.
    """

    def __init__(
        self, session: Session, outcomes: MemoryObjectSendStream[Outcome], record: Record | None, *, replays: bool
    ) -> None:
        self._session = session
        self._outcomes = outcomes
        self._record = record
        self._replays = replays
        self._concurrency = session.throttle.max_concurrency
        # While one rating's sending becomes durable, another may be on the wire.
        self._senders = self._concurrency if record is None else 2 * self._concurrency
        self._pool = Pool(2 * self._concurrency)
        self._reconciler = Reconciler(self._look, self._conclude, self._hold, self._pool.resume)
        self._open = 0
        self._sending = 0
        self._draining = False
        self._changed = anyio.Event()

    @property
    def concurrency(self) -> int:
        """How many requests of the batch may be under way at once."""
        return self._concurrency

    def pause(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` at something failed."""
        return self._session.retry.pause(attempt)

    async def run(self, feed: Callable[[Engine], Awaitable[None]]) -> None:
        """Take all that the feed gives, and end when every rating has its outcome."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._reconciler.run)
            for _ in range(self._senders):
                group.start_soon(self._send_until_closed)
            if self._record is not None:
                await self._resume(self._record)
            await feed(self)
            await self.idle()
            self._pool.close()
            group.cancel_scope.cancel()

    async def put(self, rating: object, task: Task | None = None) -> None:
        """Accept one rating, when there is room; what is not a valid rating fails here, unsent."""
        self.opened()
        if not isinstance(rating, Rating):
            error = TypeError(f"a rating was expected, not {type(rating).__name__}: {rating!r:.80}")
            await self.finish(Outcome(None, OutcomeStatus.FAILED, str(error), error, task))
            return
        problems = rules.check_rating(rating)
        if problems:
            invalid = InvalidRequestError(endpoints.RATE_SINGLE_TASK.call, problems)
            await self.finish(Outcome(rating, OutcomeStatus.FAILED, str(invalid), invalid, task))
            return
        if self._record is not None and not self._replays:
            await self._record.decide(rating)
        await self._pool.put(Entry(rating, task))

    async def undecided(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of the tasks that the journal has no decision of."""
        if self._record is None or not tasks:
            return list(tasks)
        known = await self._record.known((task.id, task.revision_number) for task in tasks)
        return [task for task in tasks if (task.id, task.revision_number) not in known]

    def opened(self) -> None:
        """One more task is in hand, which `closed` or `finish` ends."""
        self._open += 1

    def closed(self) -> None:
        """A task in hand came to its end."""
        self._open -= 1
        self._check_drained()

    async def finish(self, outcome: Outcome) -> None:
        """Hand an outcome to whoever reads them."""
        await self._outcomes.send(outcome)
        self.closed()

    async def idle(self) -> None:
        """Wait until everything in hand has come to its end, unknown ones settled."""
        self._draining = True
        self._check_drained()
        try:
            while self._open:
                await self._changed.wait()
        finally:
            self._draining = False

    def _check_drained(self) -> None:
        if self._draining and self._open == len(self._reconciler):
            if self._open:
                self._reconciler.hurry()
            else:
                self._wake()

    async def _resume(self, record: Record) -> None:
        """Settle what an earlier run sent without learning its outcome, and finish what it had decided."""
        await self._resume_those(record, ("sent", "unknown"))
        if not self._replays:
            await self._resume_those(record, ("decided", "failed"))

    async def _resume_those(self, record: Record, states: tuple[str, ...]) -> None:
        last = None
        while rows := await record.unfinished(states, last):
            for recorded in rows:
                entry = Entry(recorded.rating, quiet=self._replays)
                self.opened()
                if recorded.state in ("sent", "unknown"):
                    entry.noted = True
                    self._reconciler.park(entry)
                else:
                    await self._pool.put(entry)
            await self.idle()
            last = rows[-1].rating

    async def _send_until_closed(self) -> None:
        while (entry := await self._pool.take()) is not None:
            self._sending += 1
            try:
                if await self._note_sending(entry):
                    await self._send(entry)
            finally:
                self._sending -= 1
                self._wake()

    async def _note_sending(self, entry: Entry) -> bool:
        """Have the journal know that this is about to be sent; False if the journal says that it must not be."""
        if self._record is None or entry.noted:
            return True
        recorded = await self._record.send(entry.rating)
        entry.noted = recorded is None
        if recorded is not None:
            await self.finish(_replayed(recorded, entry))
        return entry.noted

    async def _send(self, entry: Entry) -> None:
        endpoint = endpoints.RATE_SINGLE_TASK
        await self._session.enter()
        try:
            try:
                ack = await self._session.exchange(
                    endpoint,
                    self._session.url(endpoint),
                    codec.encode(codec.write_rating(entry.rating)),
                    codec.read_ack,
                    costs_money=True,
                )
            finally:
                self._session.leave()
        except AuthenticationError:
            raise
        except CallError as error:
            await self._failed(entry, error)
        else:
            await self._end(entry, OutcomeStatus.RATED, ack.message)

    async def _failed(self, entry: Entry, error: CallError) -> None:
        """Decide what follows when a request did not end in an acknowledgement."""
        if error.fate is Fate.UNKNOWN:
            self._reconciler.park(entry)
            self._check_drained()
        elif isinstance(error, RefusedError) and entry.looks:
            # The repeat was refused: perhaps because the first request had worked after all.
            entry.refusal = error.message
            self._reconciler.park(entry)
            self._check_drained()
        elif isinstance(error, RefusedError):
            await self._end(entry, OutcomeStatus.REFUSED, error.message, error)
        elif answers.may_retry(error, costs_money=True) and self._may_try_again(entry, error):
            if isinstance(error, NotSentError):
                await anyio.sleep(self.pause(entry.attempts))
            self._pool.put_back(entry)
        else:
            await self._end(entry, OutcomeStatus.FAILED, str(error), error)

    def _may_try_again(self, entry: Entry, error: CallError) -> bool:
        """A 429 is waited out at the gate however often; connections that fail are tried as the policy says."""
        if isinstance(error, RateLimitedError):
            return True
        entry.attempts += 1
        return entry.attempts < self._session.retry.attempts

    async def _end(
        self, entry: Entry, status: OutcomeStatus, message: str | None, error: PicoworkersError | None = None
    ) -> None:
        if self._record is not None:
            await self._record.conclude(entry.rating, status.value, message)
        if entry.quiet:
            self.closed()
        else:
            await self.finish(Outcome(entry.rating, status, message, error, entry.task))

    async def page(self, job_id: str | None, number: int) -> Page[Task]:
        """One page of what is unrated, of one job or of all, asked for at the batch's own priority."""
        query = {"page": number if number != 1 else None, "job_id": job_id}
        return await self._session.call(endpoints.GET_UNRATED_TASKS, codec.read_tasks_page, query=query)

    async def _look(self, job_id: str) -> Listing:
        return await whole_listing(partial(self.page, job_id))

    async def _hold(self) -> None:
        """Stop sending, and wait for the requests under way."""
        self._pool.pause()
        while self._sending:
            await self._changed.wait()

    async def _conclude(self, entry: Entry, settled: Settled) -> None:
        match settled:
            case Settled.SEND_AGAIN:
                self._pool.put_back(entry)
            case Settled.TOOK_EFFECT:
                message = "its answer was lost, and it is no longer listed as unrated"
                await self._end(entry, OutcomeStatus.RATED, message)
            case Settled.REFUSED:
                await self._end(entry, OutcomeStatus.REFUSED, entry.refusal)
            case Settled.CANNOT_TELL:
                message = "its answer was lost, and reading could not tell whether it took effect"
                await self._end(entry, OutcomeStatus.UNKNOWN, message)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _replayed(recorded: Recorded, entry: Entry) -> Outcome:
    """The outcome of a rating that the journal had before."""
    if recorded.state == "sent":
        error = ValueError(f"task {entry.rating.task_id} is in this batch already, and on its way")
        return Outcome(entry.rating, OutcomeStatus.FAILED, str(error), error, entry.task)
    status = OutcomeStatus(recorded.state)
    return Outcome(recorded.rating, status, recorded.message, None, entry.task, replayed=True)
