"""The share of the permitted rate that is used: requests of the last minute, counted by the second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 60


class RateUsed:
    """Counts requests in a window of a minute, with one number kept for each second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: deque[tuple[int, int]] = deque(maxlen=WINDOW_SECONDS + 1)
        self._began: float | None = None
        self.permitted: float | None = None

    def count(self, permitted: float | None) -> None:
        """A request ended, at a time at which this many a second are permitted."""
        self.permitted = permitted
        now = self._clock()
        if self._began is None:
            self._began = now
        second = int(now)
        if self._counts and self._counts[-1][0] == second:
            second, before = self._counts.pop()
            self._counts.append((second, before + 1))
        else:
            self._counts.append((second, 1))

    def share(self) -> float | None:
        """Requests per second of the last minute, as a share of what is permitted; None without a pace."""
        if not self.permitted or self._began is None:
            return None
        now = self._clock()
        # Read by another thread: a copy is not changed meanwhile.
        sent = sum(count for second, count in self._counts.copy() if second > now - WINDOW_SECONDS)
        # Shorter than a second nothing can be said of a rate per second.
        seconds = min(WINDOW_SECONDS, max(1.0, now - self._began))
        return sent / seconds / self.permitted
