"""Outcomes of ratings, the report that adds them up, and the stream in which they leave a batch."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import anyio
import attrs

from ..classify import in_words
from ..clock import event_loop_clock
from ..models import Rating, Task
from ..models.account import CONTEXT
from ..observing import Observers
from ..pickling import survives_pickling
from .signal import Signal

_KEPT = 100


class OutcomeStatus(enum.Enum):
    """What became of one rating, and what follows from that.

    The next sweep is that of a review with `follow`; the next run is the same call with the same journal.
    Without a journal the next run knows nothing of this one, and meets every task that is still listed.

    | status | now | next sweep | next run |
    | --- | --- | --- | --- |
    | `RATED` | it took effect; if it pays, it has paid | not asked again | never sent; `rate` reports it as \
`replayed` |
    | `REFUSED` | the service refused it, `message` says why; nothing was done | not asked again | the same, \
until `Journal.reopen` |
    | `FAILED`: `decide` raised, took too long, or gave no rating of its task | nothing was sent | asked again \
after `retry_failed` | asked again |
    | `FAILED`: against a rule, over a limit, or a second rating of one task | nothing was sent | not asked again \
| asked again |
    | `FAILED`: it never reached the service | it had no effect | not asked again | sent as it was decided |
    | `UNKNOWN` | it may have taken effect, and reading could not tell: check before you rate its task again | \
not asked again | settled by reading; sent again only if it proves to have had no effect |
    | `WOULD_RATE` | a dry run would have sent it | not asked again | a dry run's journal is for dry runs only |
    """

    RATED = "rated"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WOULD_RATE = "would_rate"


_OTHERS = tuple(status for status in OutcomeStatus if status is not OutcomeStatus.RATED)


@attrs.frozen
class Outcome:
    """The outcome of one task of a batch.

    `rating` is None if `decide` gave none that can be used; `task` is None if the rating was made without one.
    `error` is the exception behind a status other than `RATED`; in a pickle or a copy, an exception of yours
    that cannot be pickled becomes an `Exception` with its name and text. `replayed` says that an earlier run
    reached this outcome, and that it comes from the journal. `pay` is what the verdict itself pays if it takes
    effect, in US dollars; None if that is not known.
    """

    rating: Rating | None
    status: OutcomeStatus
    message: str | None = None
    error: Exception | None = None
    task: Task | None = None
    replayed: bool = False
    pay: Decimal | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        error = self.error
        if error is not None and not survives_pickling(error):
            error = Exception(in_words(error))
        return Outcome, (self.rating, self.status, self.message, error, self.task, self.replayed, self.pay)


@attrs.frozen
class BatchReport:
    """The report of a batch: counts by status, the bonus it paid in US dollars, the seconds it took.

    `replayed` counts the outcomes from the journal: an earlier run reached them, and paid what they paid.
    `newly_rated` counts those of `rated` that this run rated. `would_rate` counts the ratings of a dry run, whose
    `bonus` is what they would pay. `put_off` counts the tasks that `decide` put off and that were not asked about
    again. `limit` names the limit that ended the batch, None if something else did, such as `stop`. An error that
    ends a batch carries the report of what was learned before it, as `error.report`.

    `outcomes_by_status` keeps the first 100 outcomes of each status that is not `RATED`, so the report of a
    million ratings stays small. `str(report)` is the report in a few lines.
    """

    rated: int
    refused: int
    failed: int
    unknown: int
    bonus: Decimal
    elapsed: float
    replayed: int
    outcomes_by_status: Mapping[OutcomeStatus, tuple[Outcome, ...]]
    newly_rated: int = 0
    would_rate: int = 0
    put_off: int = 0
    limit: str | None = None

    def __str__(self) -> str:
        counts = {status.value: getattr(self, status.value) for status in OutcomeStatus}
        counts["put off"] = self.put_off
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        paid = "would pay bonuses" if self.would_rate else "bonuses"
        lines = [f"{told or '0 rated'} in {self.elapsed:.1f} s; {paid} of ${self.bonus}"]
        if self.replayed:
            lines[0] += f"; {self.replayed} repeated from the journal"
        if self.limit is not None:
            lines.append(f"ended by a limit: {self.limit}")
        for status, outcomes in self.outcomes_by_status.items():
            if outcomes and outcomes[0].message is not None:
                first = outcomes[0].message.splitlines()[0]
                lines.append(f"{status.value.replace('_', ' ')}, for example: {first}")
        return "\n".join(lines)

    @property
    def total(self) -> int:
        """How many outcomes there were."""
        return self.rated + self.refused + self.failed + self.unknown + self.would_rate


class Tally:
    """Adds outcomes up to a report."""

    def __init__(self) -> None:
        self._rated = self._newly_rated = self._replayed = 0
        self._others: dict[OutcomeStatus, int] = dict.fromkeys(_OTHERS, 0)
        self._kept: dict[OutcomeStatus, list[Outcome]] = {status: [] for status in _OTHERS}
        self._bonus = Decimal(0)

    def add(self, outcome: Outcome) -> None:
        if outcome.replayed:
            self._replayed += 1
        if outcome.status is not OutcomeStatus.RATED:
            self._others[outcome.status] += 1
            if len(self._kept[outcome.status]) < _KEPT:
                self._kept[outcome.status].append(outcome)
            return
        self._rated += 1
        self._newly_rated += not outcome.replayed
        if outcome.rating is not None and outcome.rating.given_bonus and not outcome.replayed:
            self._bonus = CONTEXT.add(self._bonus, outcome.rating.given_bonus)

    def report(self, elapsed: float) -> BatchReport:
        return BatchReport(
            rated=self._rated,
            newly_rated=self._newly_rated,
            refused=self._others[OutcomeStatus.REFUSED],
            failed=self._others[OutcomeStatus.FAILED],
            unknown=self._others[OutcomeStatus.UNKNOWN],
            would_rate=self._others[OutcomeStatus.WOULD_RATE],
            bonus=self._bonus,
            elapsed=elapsed,
            replayed=self._replayed,
            outcomes_by_status={status: tuple(kept) for status, kept in self._kept.items()},
        )


def _tell(observers: Observers, outcome: Outcome) -> None:
    from ..events import OutcomeReached  # loaded when something is told

    rating, task = outcome.rating, outcome.task
    known = rating or task
    observers.tell(
        OutcomeReached(
            job_id=None if known is None else known.job_id,
            task_id=rating.task_id if rating is not None else None if task is None else task.id,
            revision_number=None if known is None else known.revision_number,
            verdict=None if rating is None else str(rating.verdict),
            status=outcome.status.value,
            bonus=Decimal(0) if rating is None else rating.given_bonus or Decimal(0),
            reason=outcome.message,
            replayed=outcome.replayed,
            pay=outcome.pay,
        )
    )


class OutcomeStream:
    """Holds up to `size` outcomes for a reader, and adds them up; a slow reader holds back the batch.

    When they are only to be added up, nobody is woken for them. `observers` get each.
    """

    def __init__(self, size: int, observers: Observers) -> None:
        self._observers, self._listening = observers, observers.listening
        self._send, self._receive = anyio.create_memory_object_stream[Outcome](size)
        self._dropping = False
        self._room = Signal()
        # Those whose giver was cancelled while it waited for room.
        self._late: deque[Outcome] = deque()
        self._tally = Tally()
        self._clock = event_loop_clock()
        self._started = self._clock()
        self._ended: float | None = None

    def put_now(self, outcome: Outcome) -> bool:
        """Hand out an outcome if there is room for it, or nobody reads any more."""
        if not self._offer(outcome):
            return False
        self._told(outcome)
        return True

    async def put(self, outcome: Outcome) -> None:
        """Hand out an outcome once there is room. If cancelled, it is kept until the end, not lost."""
        self._told(outcome)
        try:
            while not self._offer(outcome):
                await self._room.wait()
        except BaseException:
            self._late.append(outcome)
            raise

    def _offer(self, outcome: Outcome) -> bool:
        if not self._dropping:
            try:
                self._send.send_nowait(outcome)
            except anyio.WouldBlock:
                return False
            except anyio.BrokenResourceError:
                # Nobody reads any more; it is in the tally, and in the journal if there is one.
                pass
        return True

    def _told(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        # One that went well is of interest to few, and costs the others next to nothing.
        if outcome.status is not OutcomeStatus.RATED or self._listening():
            _tell(self._observers, outcome)

    async def take(self) -> Outcome:
        """The next outcome. Raises `anyio.EndOfStream` after the last."""
        try:
            try:
                return self._receive.receive_nowait()
            except anyio.WouldBlock:
                return await self._receive.receive()
        except anyio.EndOfStream:
            if not self._late:
                raise
            return self._late.popleft()
        finally:
            self._room.wake_all()

    async def drop_all(self) -> None:
        """Only add up what is left, until the last outcome, or until nobody takes any more."""
        self._dropping = True
        self._room.wake_all()
        while True:
            try:
                await self._receive.receive()
            except (anyio.EndOfStream, anyio.ClosedResourceError):
                # At its end, or left early.
                return

    def report(self) -> BatchReport:
        """All outcomes so far, added up."""
        until = self._clock() if self._ended is None else self._ended
        return self._tally.report(until - self._started)

    def end(self) -> None:
        """There are no more outcomes."""
        self._ended = self._clock()
        self._send.close()

    def close(self) -> None:
        """Nobody takes outcomes any more."""
        self._receive.close()
        self._room.wake_all()
