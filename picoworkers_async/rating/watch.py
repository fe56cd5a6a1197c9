"""Outages of the service in a batch: notes every failure and answer, reports once, and lets one loop try."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from ..clock import event_loop_clock
from ..errors import CallError, OutcomeUnknownError
from ..events import OutageBegan, OutageEnded
from ..outage import Outage, is_failure, is_no_api
from ..session import Session
from .signal import Signal


class ServiceWatch:
    """Knows whether the service is away. `changed` wakes the loops when that changes.

    `patience` is how many seconds a batch with an end waits for it; infinity for one that follows the listing.
    """

    def __init__(self, session: Session, patience: float, changed: Signal) -> None:
        self._session = session
        self._answers = session.answers
        self.outage: Outage = Outage(session.retry, patience)
        self.patience = patience
        self.follows: bool = patience == math.inf
        self._observers = session.observers
        self._changed = changed
        self._clock = event_loop_clock()
        self._trying = 0
        self._not_found = 0

    @property
    def away(self) -> bool:
        """Whether an outage lasts."""
        return self.outage.lasts

    def may_try(self, now: float) -> bool:
        """Whether a request may leave: at any time, or during an outage when it is due, one at a time."""
        return not self.outage.lasts or (not self._trying and self.outage.next_try_at <= now)

    def next_try_at(self) -> float | None:
        """When time alone lets a request leave; None if nothing is to be waited for, or another one tries."""
        return self.outage.next_try_at if self.outage.lasts and not self._trying else None

    @contextmanager
    def trying(self) -> Iterator[None]:
        """This is the one that tries."""
        self._trying += 1
        try:
            yield
        finally:
            self._trying -= 1
            self._changed.wake_all()

    async def turn(self) -> None:
        """Wait until a request may leave."""
        while not self.may_try(self._clock()):
            await self._changed.wait(self.next_try_at())

    def answered(self) -> None:
        """A request was answered."""
        if self.outage.failures:
            seconds = self.outage.worked(self._clock())
            if seconds is not None:
                self._ended(seconds)

    def at_no_api(self, error: CallError) -> bool:
        """Whether this client uses an address without an API: nothing it has sent so far found one."""
        if self._session.has_answered or not is_no_api(error):
            return False
        self._not_found += 1
        return self._not_found >= self._session.requests

    def met(self, error: CallError) -> bool:
        """A request ended with this error. Returns whether patience is left; at no API there is none."""
        if self.at_no_api(error):
            return False
        if not is_failure(error):
            self.answered()
            return True
        if self._session.answers > self._answers:
            # Of what was read together some was answered, such as pages of a look: the service is not away.
            self.answered()
        self._answers = self._session.answers
        now = self._clock()
        if self.outage.failed(now):
            self._began(reason_of(error))
        return not self.outage.hopeless(now)

    def _began(self, reason: Exception) -> None:
        self._observers.tell(OutageBegan(error=str(reason)))
        self._changed.wake_all()

    def _ended(self, seconds: float) -> None:
        self._observers.tell(OutageEnded(seconds=seconds))
        self._changed.wake_all()


def reason_of(error: CallError) -> Exception:
    """What to report about a call that failed, whether or not it may have taken effect."""
    return error.reason if isinstance(error, OutcomeUnknownError) else error
