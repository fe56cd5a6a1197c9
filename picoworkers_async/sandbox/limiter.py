"""The account's rate limit, enforced strictly by the time of arrival."""

from __future__ import annotations

from collections import deque


class Limiter:
    """At most `per_second` requests in any one second; one too many silences the account for `cooldown` seconds.

    A rate below one a second is a distance between two requests.
    """

    def __init__(self, per_second: float | None, cooldown: float) -> None:
        self.per_second = per_second
        self._cooldown = cooldown
        self._arrivals: deque[float] = deque()
        self._silent_until = float("-inf")

    def admit(self, now: float) -> float:
        """Note an arrival: 0 if it may pass, else the seconds that the account stays silent."""
        if self.per_second is None:
            return 0.0
        if now < self._silent_until:
            return self._silent_until - now
        allowed = max(1, int(self.per_second))
        span = allowed / self.per_second
        while self._arrivals and self._arrivals[0] <= now - span:
            self._arrivals.popleft()
        if len(self._arrivals) >= allowed:
            self._silent_until = now + self._cooldown
            self._arrivals.clear()
            return self._cooldown
        self._arrivals.append(now)
        return 0.0
