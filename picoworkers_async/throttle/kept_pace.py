"""What a pacer's file has kept, and whether to believe it: it may be from before a restart, or nonsense."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path

from . import pacing as paces

# One that each of a hundred clients has reserved, which is far more than one pace is good for.
MOST_RESERVED = 100
# Of who gives a slot back, or begins a pause, it is not known: it is taken for a long one.
UNKNOWN_INTERVAL_SECONDS = 600.0


@functools.cache
def boot_id() -> str:
    """The id of this start of the machine, from Linux; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def most_ahead(interval: float) -> float:
    """How far ahead a time can be, in seconds: the longest cooldown, and what is reserved after it."""
    return paces.MOST_RETRY_AFTER_SECONDS + MOST_RESERVED * interval * (1.0 + paces.MOST_MARGIN)


def understood(row: Sequence[object], now: float, interval: float) -> tuple[str, paces.Pace] | None:
    """The epoch and the pace of a row, within their ranges; None if their clock has started anew since.

    Without an `interval` it is not known what is reserved, and a long one is assumed. Raises `ValueError` for
    what no pacer wrote.
    """
    epoch, *numbers, first_after_pause = row[:7]
    if not isinstance(epoch, str) or not (epoch.isascii() and epoch.isalnum()):
        raise ValueError("an epoch is not a text")
    if not all(isinstance(number, (int, float)) for number in (*numbers, first_after_pause)):
        raise ValueError("a time is not a number")
    next_slot, next_departure, silent_until, margin, margin_at = (_float(number) for number in numbers)
    if not all(map(math.isfinite, (next_slot, next_departure, silent_until, margin_at))):
        raise ValueError("a time is not finite")
    ahead = most_ahead(interval or UNKNOWN_INTERVAL_SECONDS)
    if margin_at > now or max(next_slot, next_departure, silent_until) > now + ahead:
        return None
    pace = paces.Pace(
        interval=interval,
        next_slot=next_slot,
        next_departure=next_departure,
        silent_until=min(silent_until, now + paces.MOST_RETRY_AFTER_SECONDS),
        margin=min(max(margin, paces.LEAST_MARGIN), paces.MOST_MARGIN),
        margin_at=margin_at,
        alone=paces.ALONE_SECONDS,
        first_after_pause=bool(first_after_pause),
    )
    return epoch, pace


def _float(number: object) -> float:
    try:
        return float(number)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf
