"""The service's own clock, from its answers: this machine's clock may be minutes off."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

MOST_SECONDS = 5.0
"""An answer that took longer does not show the time precisely enough."""


class Span(NamedTuple):
    """A time of the service: not before `earliest` and not after `latest`."""

    earliest: datetime
    latest: datetime


class ServiceClock:
    """The `Date` of the latest quick answer, against the monotonic clock, which nobody sets."""

    def __init__(self) -> None:
        self._answer: tuple[Mapping[str, str], float, float] | None = None

    def saw(self, headers: Mapping[str, str], asked: float) -> None:
        """Note an answer that came now to a request that was begun at `asked`, by `time.monotonic`."""
        received = time.monotonic()
        if received - asked <= MOST_SECONDS:
            self._answer = headers, asked, received

    def at(self, moment: float) -> Span | None:
        """The service's time at this moment of `time.monotonic`; None if no answer shows it."""
        if self._answer is None:
            return None
        headers, asked, received = self._answer
        return time_at(moment, headers, asked=asked, received=received)

    def ahead(self, here: datetime, moment: float) -> float | None:
        """By how many seconds, at least, a clock that shows `here` now is ahead of it (below 0: behind)."""
        span = self.at(moment)
        if span is None:
            return None
        behind = min(0.0, (here - span.earliest).total_seconds())
        return behind or max(0.0, (here - span.latest).total_seconds())


def time_at(moment: float, headers: Mapping[str, str], *, asked: float, received: float) -> Span | None:
    """The service's time at a moment, from an answer that was requested and received at these times. Pure.

    None for an answer without a usable `Date`, and for one from a cache (`Age`), whose date is old.
    """
    try:
        if headers.get("age"):
            return None
        date = parsedate_to_datetime(headers.get("date", ""))
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        # The header has whole seconds, and was written somewhere between the asking and the receiving.
        return Span(
            date + timedelta(seconds=moment - received),
            date + timedelta(seconds=1 + moment - asked),
        )
    except Exception:  # headers from outside may hold anything, dates at the end of time too
        return None
