"""What of a batch goes on when its block is left: requests in flight, for a limited time, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from ..clock import event_loop_clock


class GracePeriod:
    """Keeps the loops of a batch from being cancelled, until `end` sets a last deadline.

    A rating that was sent may have paid somebody; cutting it off would only lose the answer. A loop is shielded
    as a whole, because a scope for each request would cost as much as all the rest of it. Where it waits for
    anything but an answer, it says so, and is interrupted at once. Create it where its event loop runs; it may
    be ended from a callback of that loop, too.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._clock = event_loop_clock()
        self.ended: bool = False
        self.ends_at: float | None = None
        self._deadline: float | None = None
        self._shields: set[anyio.CancelScope] = set()
        self._waits: set[anyio.CancelScope] = set()

    def is_over(self) -> bool:
        """Whether the end that `end_later` set has come."""
        return self.ends_at is not None and self._clock() >= self.ends_at

    def lasts_until(self, moment: float) -> bool:
        """Whether what comes at this time comes before the end, if one is set."""
        return self.ends_at is None or moment <= self.ends_at

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Go on, whatever is cancelled around it, until `seconds` after the end."""
        with anyio.CancelScope(shield=True) as scope:
            if self._deadline is not None:
                scope.deadline = self._deadline
            self._shields.add(scope)
            try:
                yield
            finally:
                self._shields.discard(scope)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside a shield: stop here as soon as the end comes. `ended` says whether it has."""
        with anyio.CancelScope() as scope:
            if self.ended:
                scope.cancel()
            elif self.ends_at is not None:
                scope.deadline = self.ends_at
            self._waits.add(scope)
            try:
                yield
            finally:
                self._waits.discard(scope)

    def end(self) -> None:
        """The block is being left: what is in flight has `seconds` from now, everything else stops."""
        if self.ended:
            return
        self.ended = True
        self._set_deadline(self._clock() + self.seconds)
        for scope in self._waits:
            scope.cancel()

    def end_later(self) -> None:
        """The batch was told to stop: the end comes `seconds` from now, by itself."""
        if self.ended or self.ends_at is not None:
            return
        self.ends_at = self._clock() + self.seconds
        self._set_deadline(self.ends_at + self.seconds)
        for scope in self._waits:
            scope.deadline = self.ends_at

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline if self._deadline is None else min(deadline, self._deadline)
        for scope in self._shields:
            scope.deadline = self._deadline
