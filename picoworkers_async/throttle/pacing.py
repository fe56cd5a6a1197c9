"""When the next request may leave: pure arithmetic over a small state, no clock and no sleeping.

The limit counts arrivals, and a client only knows when its requests leave. So they leave a little further apart
than the limit asks, by a margin that grows when a 429 shows it too small, and shrinks slowly after.

A request first takes a slot, which says when it should leave, and may leave some time after: a connection has to
be opened, or the program is busy. Slots keep their distance from each other, and departures keep their own, so
that the next request never follows closely behind one that leaves late.
"""

from __future__ import annotations

from typing import NamedTuple

LEAST_MARGIN = 0.02
MOST_MARGIN = 0.5
MARGIN_HALF_LIFE_SECONDS = 300.0
# A timer may fire this late without delaying later slots: far less than the margin adds up to in a second.
CATCH_UP_SECONDS = 0.003
# A departure that was permitted must be used within this time where others cannot see whether it was.
STALE_AFTER_SECONDS = 0.01
# For so long the first request after a pause has a shared account to itself.
ALONE_SECONDS = 1.0
MOST_RETRY_AFTER_SECONDS = 3600.0
# From this interval on, an answer comes early enough to say something about the next request.
_SLOW_INTERVAL_SECONDS = 0.5


class Pace(NamedTuple):
    """The pace of one account. Times are seconds of one monotonic clock.

    `interval` is the distance between two requests that the limit asks for (0: no pace). `next_slot` is the
    earliest time for the next slot, `next_departure` the earliest time for the next request to leave, whatever
    its slot. `silent_until` is the end of the cooldown after a 429. `margin` is the share that was added to the
    interval at `margin_at`. `alone` is the time that the first slot after a cooldown has to itself.
    """

    interval: float = 0.0
    next_slot: float = 0.0
    next_departure: float = 0.0
    silent_until: float = 0.0
    margin: float = LEAST_MARGIN
    margin_at: float = 0.0
    alone: float = 0.0
    first_after_pause: bool = False


def margin(pace: Pace, now: float) -> float:
    """The margin now: half of what is above the least is gone after five minutes."""
    left: float = 0.5 ** (max(0.0, now - pace.margin_at) / MARGIN_HALF_LIFE_SECONDS)
    return LEAST_MARGIN + (pace.margin - LEAST_MARGIN) * left


def spacing(pace: Pace, now: float) -> float:
    """The distance between two requests now."""
    return pace.interval * (1.0 + margin(pace, now)) if pace.interval else 0.0


def counted(due: float, now: float) -> float:
    """The time at which something that was due, and happens now, counts as having happened.

    Up to `CATCH_UP_SECONDS` of lateness are forgiven. What counts keeps its distance, so of any number in a row
    the last comes that much too early at most, not each of them.
    """
    return max(due, now - CATCH_UP_SECONDS)


def reserve(pace: Pace, now: float) -> tuple[Pace, float]:
    """Take the next slot: the new state, and the time at which the request should leave."""
    slot = counted(max(pace.next_slot, pace.silent_until), now)
    distance = spacing(pace, now)
    if pace.first_after_pause:
        distance = max(distance, pace.alone)
    return pace._replace(next_slot=slot + distance, first_after_pause=False), slot


def give_back(pace: Pace, slot: float, until: float) -> Pace:
    """Return a slot that was not used, if `until`, which it had made the next one, still is."""
    return pace._replace(next_slot=slot) if pace.next_slot == until else pace


def depart(
    pace: Pace, now: float, *, held: float | None = None, until: float | None = None
) -> tuple[Pace, float, float]:
    """Take the next departure where others cannot see it used: the new state, its time, and the next one's.

    A time that is past means: leave now. If it is ahead, nothing is taken yet, and both times are the same. A
    request that asks again, with what it `held` and the `until` that came with it, and is too late once more,
    gets one that is kept for it. A departure that was kept and not used in time, or fell into a cooldown, is
    replaced by a new one; it is not lost if nobody has taken a later one.
    """
    if held is not None and until is not None and until > held:
        if now - held <= STALE_AFTER_SECONDS and pace.silent_until <= max(held, now):
            return pace, held, until
        if pace.next_departure == until:
            pace = pace._replace(next_departure=held)
    departure = counted(max(pace.next_departure, pace.silent_until), now)
    if departure > now and held is None:
        return pace, departure, departure
    following = departure + spacing(pace, now)
    return _not_before(pace, following), departure, following


def departed(pace: Pace, due: float, now: float) -> Pace:
    """A request that was due at a time has left now; the next one keeps its distance from that."""
    return _not_before(pace, counted(due, now) + spacing(pace, now))


def answered(pace: Pace, departed_at: float, rtt: float, least_rtt: float | None) -> Pace:
    """The answer to the latest request shows that it may have arrived late: the next keeps its distance from that.

    A connection that has to be opened, or a slow moment of the network, holds one request back and not the next.
    `rtt` is how long the answer took, `least_rtt` the least before (None: it is the first, which opens a
    connection; two thirds of it are gone before the request leaves). Jitter of a tenth of the interval is left
    to the margin. At more than two requests a second the limit covers many requests, and answers come too late
    to tell.
    """
    late = rtt * 2 / 3 if least_rtt is None else rtt - least_rtt
    if pace.interval < _SLOW_INTERVAL_SECONDS or late <= 0.1 * pace.interval:
        return pace
    return _not_before(pace, departed_at + late + spacing(pace, departed_at))


def silence(pace: Pace, now: float, seconds: float) -> Pace:
    """Nobody sends before a cooldown is over. A shorter cooldown never cuts a longer one."""
    until = max(pace.silent_until, now + seconds)
    return pace._replace(silent_until=until, next_slot=max(pace.next_slot, until), first_after_pause=True)


def too_many(pace: Pace, now: float, seconds: float) -> Pace:
    """A 429 came: a cooldown, and a wider margin. Those in flight with the first widen it no further."""
    wider = min(MOST_MARGIN, 2.0 * margin(pace, now) + LEAST_MARGIN)
    if pace.silent_until <= now:
        pace = pace._replace(margin=wider, margin_at=now)
    return silence(pace, now, seconds)


def pause_seconds(retry_after: float | None, cooldown: float) -> float:
    """How long a 429 silences everybody: what it asks for, an hour at most, but never less than the cooldown."""
    if retry_after is None or not retry_after > cooldown:
        return cooldown
    return max(cooldown, min(retry_after, MOST_RETRY_AFTER_SECONDS))


def _not_before(pace: Pace, earliest: float) -> Pace:
    """Neither the next departure nor the next slot is before this time."""
    return pace._replace(
        next_slot=max(pace.next_slot, earliest), next_departure=max(pace.next_departure, earliest)
    )
