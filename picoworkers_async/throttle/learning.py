"""What one throttle has learned about a pace that was not given."""

from __future__ import annotations

import math
from collections import deque

from . import adaptive
from . import pacing as paces


class Learning:
    """The pace that was `learned`, and the answers by which it is measured.

    Until a 429 comes, `batches_at_once` is how many requests of batches may be in flight.
    """

    def __init__(self) -> None:
        self.learned: adaptive.LearnedPace = adaptive.LearnedPace()
        self.batches_at_once: float = adaptive.at_once(0)
        self._answers: deque[float] = deque(maxlen=adaptive.KNOWN_ANSWERS)
        self._answered = 0

    @property
    def interval(self) -> float:
        # The margin is for limits that are known. What was learned is below the limit by itself.
        return 1.0 / (self.learned.rate * (1.0 + paces.LEAST_MARGIN))

    def refused(self, now: float, seconds: float, *, alone: bool) -> float:
        """A 429 came, which asks for a cooldown; returns how long it should be."""
        self.batches_at_once = math.inf
        before = self.learned
        self.learned = adaptive.refused(before, now, seconds, self._answers, alone=alone)
        return seconds if self.learned is before else self.learned.pause

    def departed(self, now: float) -> None:
        """A request left at the learned pace."""
        self.learned = adaptive.departed(self.learned, now)

    def answered(self, now: float) -> float:
        """An answer came that was no 429; returns `batches_at_once`."""
        self._answers.append(now)
        if self.batches_at_once != math.inf:
            self._answered += 1
            self.batches_at_once = adaptive.at_once(self._answered)
        return self.batches_at_once
