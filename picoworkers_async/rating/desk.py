"""What a batch has in hand: counted, noted in the journal, and handed out as outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from ..errors import RefusedError
from ..journal.writer import Record, Recorded
from ..models import Task
from .outcome import Outcome, OutcomeStatus
from .outlet import Outlet
from .pool import Answered, Entry
from .reconcile import Reconciler


class Desk:
    """Every task in hand is opened once, and comes to its end once."""

    def __init__(self, outlet: Outlet, record: Record | None, reconciler: Reconciler) -> None:
        self._outlet = outlet
        self._record = record
        self._reconciler = reconciler
        self._open = 0
        self._draining = False
        self._drained = anyio.Event()

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
        self.check_drained()

    async def finish(self, outcome: Outcome) -> None:
        """Hand an outcome to whoever reads them."""
        await self._outlet.put(outcome)
        self.closed()

    async def note(self, entries: list[Entry]) -> list[Entry]:
        """Have the journal know that these are about to be sent; gives those that may be."""
        if self._record is None:
            return entries
        unnoted = [entry for entry in entries if not entry.noted]
        if not unnoted:
            return entries
        found = await self._record.send([entry.rating for entry in unnoted])
        for entry, recorded in zip(unnoted, found, strict=True):
            entry.noted = recorded is None
        for entry, recorded in zip(unnoted, found, strict=True):
            if recorded is not None:
                await self.finish(_replayed(recorded, entry))
        return [entry for entry in entries if entry.noted]

    async def end(self, ended: Sequence[tuple[Answered, OutcomeStatus]]) -> None:
        """These came to their outcomes: note all, then hand them out."""
        if not ended:
            return
        if self._record is not None:
            await self._record.conclude(
                [(answer.entry.rating, status.value, _message(answer)) for answer, status in ended]
            )
        for answer, status in ended:
            entry = answer.entry
            if entry.quiet:
                self.closed()
            else:
                await self.finish(Outcome(entry.rating, status, _message(answer), answer.error, entry.task))

    async def idle(self) -> None:
        """Wait until everything in hand has come to its end, unknown ones settled."""
        self._draining = True
        self.check_drained()
        try:
            while self._open:
                await self._drained.wait()
        finally:
            self._draining = False

    def check_drained(self) -> None:
        """While draining: when only unknown ones are left, have those settled."""
        if self._draining and self._open == len(self._reconciler):
            if self._open:
                self._reconciler.hurry()
            else:
                self._drained.set()
                self._drained = anyio.Event()


def _message(answer: Answered) -> str | None:
    if isinstance(answer.error, RefusedError):
        return answer.error.message
    return answer.message if answer.error is None else str(answer.error)


def _replayed(recorded: Recorded, entry: Entry) -> Outcome:
    """The outcome of a rating that the journal had before."""
    if recorded.state == "sent":
        error = ValueError(f"task {entry.rating.task_id} is in this batch already, and on its way")
        return Outcome(entry.rating, OutcomeStatus.FAILED, str(error), error, entry.task)
    status = OutcomeStatus(recorded.state)
    return Outcome(recorded.rating, status, recorded.message, None, entry.task, replayed=True)
