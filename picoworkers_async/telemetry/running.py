"""The running batches: what the gauges report about them when somebody reads these."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import attrs

from ..events import BatchBegan, Event, LookDone, OutageBegan, OutageEnded


@attrs.define(eq=False)
class Running:
    """A running batch. `looked_at` is when a review last swept the whole listing, or when it began."""

    kind: str
    looked_at: float
    listed: int = 0
    away: bool = False


class RunningBatches:
    """Keeps count of batches by their events, each reported in a task of its batch. Read from any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._batches: dict[int, Running] = {}
        # By context, since that is what the tasks of one batch share, and no two batches.
        self._current: ContextVar[Running | None] = ContextVar("picoworkers_async.telemetry.running", default=None)

    def began(self, event: BatchBegan) -> None:
        """One more runs, in this task and those that it starts."""
        batch = Running(event.kind, self._clock())
        self._batches[id(batch)] = batch
        self._current.set(batch)

    def ended(self) -> Running | None:
        """The batch of this task has ended."""
        batch = self._current.get()
        if batch is not None:
            self._batches.pop(id(batch), None)
            self._current.set(None)
        return batch

    def tell(self, event: Event) -> None:
        """Something happened in a batch; events outside of any batch are not counted."""
        batch = self._current.get()
        if batch is None:
            return
        match event:
            case LookDone():
                batch.listed = event.listed
                if event.complete:
                    batch.looked_at = self._clock()
            case OutageBegan():
                batch.away = True
            case OutageEnded():
                batch.away = False

    def all(self) -> list[Running]:
        """Those that run now."""
        return list(self._batches.copy().values())

    def listing_age(self) -> float | None:
        """Seconds since the review that waits longest swept the whole listing; None if no review runs."""
        times = [batch.looked_at for batch in self.all() if batch.kind == "review"]
        return self._clock() - min(times) if times else None
