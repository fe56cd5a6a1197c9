"""How often, and after what pause, a call that is safe to repeat is sent again."""

from __future__ import annotations

import random

import attrs

from .errors import InvalidRequestError
from .problems import Problem, number_code
from .settings import is_finite

_MOST_DOUBLINGS = 64
"""More doublings would overflow; the longest pause is reached long before."""


@attrs.frozen
class RetryPolicy:
    """Exponential backoff with jitter, for calls that are safe to repeat.

    `attempts` counts all attempts, the first included. `initial` and `maximum` bound the pause between two, in
    seconds. A 429 is waited out at the throttle instead. Calls that move money are repeated only if they
    certainly did not arrive. `RetryPolicy(attempts=1)` repeats nothing. Raises `InvalidRequestError` for values
    out of range.
    """

    attempts: int = 4
    initial: float = 0.5
    maximum: float = 10.0

    def __attrs_post_init__(self) -> None:
        problems = []
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:
            problems.append(
                Problem("attempts", self.attempts, "a whole number, at least 1", number_code(self.attempts))
            )
        for field, value in (("initial", self.initial), ("maximum", self.maximum)):
            if not is_finite(value) or value < 0:
                problems.append(Problem(field, value, "a finite number of seconds, 0 or more", number_code(value)))
        if problems:
            raise InvalidRequestError("RetryPolicy", problems, sends=False)

    def pause(self, attempt: int, draw: float | None = None) -> float:
        """Seconds to wait after attempt number `attempt` failed; `draw`, from 0 to 1, is the jitter's share."""
        jitter = random.random() if draw is None else draw  # noqa: S311
        return min(self.maximum, self.initial * (2.0 ** min(attempt - 1, _MOST_DOUBLINGS) + jitter))
