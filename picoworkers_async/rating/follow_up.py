"""What follows when a request for a rating has ended: a pure decision."""

from __future__ import annotations

import enum

from .. import classify
from ..errors import CallError, Fate, RateLimitedError, RefusedError


class FollowUp(enum.Enum):
    """What becomes of a rating now."""

    RATED = "it took effect"
    REFUSED = "the service said no"
    FAILED = "it certainly did not take effect, and is not sent again"
    SEND_AGAIN = "it certainly did not take effect, and is sent again"
    SETTLE = "its fate is unknown: look"


def follow_up(error: CallError | None, *, looks: int, attempts: int, most_attempts: int) -> FollowUp:
    """Decide by the error of the last request, if there was one.

    `looks` is how often the rating's fate was unknown before: a repeat that is refused may only say that the
    first request had worked after all. `attempts` counts requests that never arrived, out of `most_attempts`.
    """
    if error is None:
        return FollowUp.RATED
    if error.fate is Fate.UNKNOWN:
        return FollowUp.SETTLE
    if isinstance(error, RefusedError):
        return FollowUp.SETTLE if looks else FollowUp.REFUSED
    if isinstance(error, RateLimitedError):
        return FollowUp.SEND_AGAIN
    if classify.may_retry(error, costs_money=True) and attempts < most_attempts:
        return FollowUp.SEND_AGAIN
    return FollowUp.FAILED
