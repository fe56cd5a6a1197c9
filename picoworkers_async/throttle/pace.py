"""When the next request may leave: pure arithmetic over a small state, no clock and no sleeping."""

from __future__ import annotations

import attrs


@attrs.frozen
class Pace:
    """The pace of one account. Times are seconds of one monotonic clock.

    `interval` is the distance between two requests (0: no pace), `next_slot` the earliest time for the next
    one, `silent_until` the end of the pause that a 429 brought.
    """

    interval: float = 0.0
    next_slot: float = 0.0
    silent_until: float = 0.0


def reserve(pace: Pace, now: float) -> tuple[Pace, float]:
    """Take the next slot: the new state, and the time at which the request may leave."""
    slot = max(now, pace.next_slot, pace.silent_until)
    return attrs.evolve(pace, next_slot=slot + pace.interval), slot


def give_back(pace: Pace, slot: float) -> Pace:
    """Return a slot that was not used, if nobody has taken a later one."""
    if pace.next_slot == slot + pace.interval:
        return attrs.evolve(pace, next_slot=slot)
    return pace


def departed(pace: Pace, now: float) -> Pace:
    """A request left at `now`, perhaps later than its slot: the next keeps its distance from that."""
    if pace.next_slot < now + pace.interval:
        return attrs.evolve(pace, next_slot=now + pace.interval)
    return pace


def silence(pace: Pace, now: float, seconds: float) -> Pace:
    """A 429 came: nobody sends before the pause is over. A shorter pause never cuts a longer one."""
    until = max(pace.silent_until, now + seconds)
    return attrs.evolve(pace, silent_until=until, next_slot=max(pace.next_slot, until))
