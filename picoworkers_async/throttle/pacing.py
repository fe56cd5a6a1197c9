"""When the next request may leave: pure arithmetic over a small state, no clock and no sleeping.

The limit counts arrivals, and a client only knows when its requests leave. So they leave a little further apart
than the limit asks, by a margin that grows when a 429 shows it too small, and shrinks slowly after.
"""

from __future__ import annotations

import attrs

LEAST_MARGIN = 0.02
MOST_MARGIN = 0.5
HALF_LIFE = 300.0
# So late a timer may fire without the slots after it being put off: far less than the margin is over a second.
CATCH_UP = 0.003
_SLOW = 0.5


@attrs.frozen
class Pace:
    """The pace of one account. Times are seconds of one monotonic clock.

    `interval` is the distance between two requests that the limit asks for (0: no pace), `next_slot` the earliest
    time for the next one, `silent_until` the end of the pause that a 429 brought. `margin` is the share that was
    added to the interval at `margin_at`. `alone` is the time that the first request after a pause has to itself.
    """

    interval: float = 0.0
    next_slot: float = 0.0
    silent_until: float = 0.0
    margin: float = LEAST_MARGIN
    margin_at: float = 0.0
    alone: float = 0.0
    first_after_pause: bool = False


def margin(pace: Pace, now: float) -> float:
    """The margin as it is now: half of what is above the least is gone after five minutes."""
    left: float = 0.5 ** (max(0.0, now - pace.margin_at) / HALF_LIFE)
    return LEAST_MARGIN + (pace.margin - LEAST_MARGIN) * left


def spacing(pace: Pace, now: float) -> float:
    """The distance that two requests keep now."""
    return pace.interval * (1.0 + margin(pace, now)) if pace.interval else 0.0


def reserve(pace: Pace, now: float) -> tuple[Pace, float]:
    """Take the next slot: the new state, and the time at which the request may leave."""
    slot = max(now - CATCH_UP, pace.next_slot, pace.silent_until)
    distance = spacing(pace, now)
    if pace.first_after_pause:
        distance = max(distance, pace.alone)
    return attrs.evolve(pace, next_slot=slot + distance, first_after_pause=False), slot


def give_back(pace: Pace, slot: float, until: float) -> Pace:
    """Return a slot that was not used, if `until`, what it had made the next one, still is."""
    return attrs.evolve(pace, next_slot=slot) if pace.next_slot == until else pace


def departed(pace: Pace, now: float) -> Pace:
    """A request left at `now`. If that was much later than its slot, the next keeps its distance from it."""
    earliest = now + spacing(pace, now) - CATCH_UP
    return attrs.evolve(pace, next_slot=earliest) if pace.next_slot < earliest else pace


def answered(pace: Pace, departed_at: float, rtt: float, least_rtt: float | None) -> Pace:
    """The answer to the latest request tells that it may have arrived late: the next keeps its distance from that.

    A connection that has to be opened, or a slow moment of the network, holds one request back and not the next.
    `rtt` is how long the answer took, `least_rtt` the least before (None: it is the first, which opens a
    connection; two thirds of it are gone before the request leaves). Jitter of a tenth of the interval is left to
    the margin. At more than two requests a second the limit is over many, and answers come too late to tell.
    """
    late = rtt * 2 / 3 if least_rtt is None else rtt - least_rtt
    if pace.interval < _SLOW or late <= 0.1 * pace.interval:
        return pace
    earliest = departed_at + late + spacing(pace, departed_at)
    return attrs.evolve(pace, next_slot=earliest) if pace.next_slot < earliest else pace


def silence(pace: Pace, now: float, seconds: float) -> Pace:
    """Nobody sends before a pause is over. A shorter pause never cuts a longer one."""
    until = max(pace.silent_until, now + seconds)
    return attrs.evolve(pace, silent_until=until, next_slot=max(pace.next_slot, until), first_after_pause=True)


def too_many(pace: Pace, now: float, seconds: float) -> Pace:
    """A 429 came: a pause, and a wider margin. Those that were on the wire with the first widen it no further."""
    wider = min(MOST_MARGIN, 2.0 * margin(pace, now) + LEAST_MARGIN)
    if pace.silent_until <= now:
        pace = attrs.evolve(pace, margin=wider, margin_at=now)
    return silence(pace, now, seconds)
