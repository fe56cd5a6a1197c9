"""A pace where no limit is given: learned from 429s, by pure arithmetic over a small state.

Until the first 429 there is no pace; batches only begin with few requests at once. A 429 teaches the rate at
which requests were answered recently, because the limit let that through: the pace begins a little below it. A
limit may count by the second or by the minute, which one 429 does not tell. So the rate is first that of the
last second; if 429s come again at once, in spite of the pace, it is that of the last ten seconds, and at last of
the last minute.

Without a 429 the pace returns to just below the rate that was refused, stays there for some minutes, and then
tries a higher one. If that is refused, it waits twice as long for the next try. If not, it goes on growing,
until it is so far above what was refused that the 429 must have been a stray one, and is forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

# How far below a refused rate the pace stays.
BELOW_REFUSED = 0.95
# Factors of the pace: for the first 429 that comes at once in spite of it, for a try, and after a good one.
AT_ONCE_AGAIN = 0.8
TRY = 1.1
GROW = 1.25
# One 429 lowers the pace to this share at least; what was answered since a pause may be too little to judge by.
MOST_DECREASE = 1 / 8
# A pace this many times the refused rate has nothing to do with it any more.
FORGET_ABOVE = 4.0
# A 429 so soon after a pause says that the pace is wrong by more than a little.
AT_ONCE_SECONDS = 30.0
FIRST_TRY_AFTER_SECONDS = 200.0
LATEST_TRY_AFTER_SECONDS = 3600.0
# A pace that nobody uses to the full is kept for this many times as long, and then grows as if it were used.
UNUSED = 12.0
# A pause that proves too short is doubled the next time, up to this, or to the cooldown if that is longer.
LONGEST_OWN_PAUSE_SECONDS = 300.0
WINDOWS_SECONDS = (1.0, 10.0, 60.0)
# So many answers are remembered to measure a rate by.
KNOWN_ANSWERS = 4096
_FEWEST_REQUESTS = 5
# A batch begins with so many requests under way, and may have one more for every so many answers.
_FIRST_AT_ONCE = 3
_ANSWERS_FOR_ONE_MORE = 8
_ANY_NUMBER_AT_ONCE = 1024


class LearnedPace(NamedTuple):
    """What was learned. Rates are requests a second, times are seconds of one clock.

    `rate` is the pace (infinite: none). `refused` is the rate that was refused, reached again only for a try.
    `since` is when the pace became this one, and `requests` how many have left at it. `calm_since` is the end of
    the latest cooldown, `pause` how long that was. `window` is the time over which the rate is measured.
    `at_once` is how many 429s in a row came soon after a cooldown. `try_after` is how long the pace is kept
    before a higher one is tried.
    """

    rate: float = math.inf
    refused: float = math.inf
    since: float = -math.inf
    requests: int = 0
    calm_since: float = -math.inf
    pause: float = 0.0
    window: float = WINDOWS_SECONDS[0]
    at_once: int = 0
    try_after: float = FIRST_TRY_AFTER_SECONDS


def refused(
    learned: LearnedPace, now: float, pause: float, answers: Sequence[float], *, alone: bool = False
) -> LearnedPace:
    """A 429 came, which asks for a cooldown; `answers` are the times of the latest other answers, oldest first.

    Those that were in flight with the first teach nothing new. The request that went ahead `alone` after a
    cooldown teaches that the cooldown was too short. One before which nothing was answered teaches nothing about
    a rate.
    """
    if now < learned.calm_since:
        return learned
    if alone:
        longer = max(pause, min(2.0 * learned.pause, max(pause, LONGEST_OWN_PAUSE_SECONDS)))
        return _calm(learned, now, longer)
    if learned.rate == math.inf:
        second, ten_seconds, _ = WINDOWS_SECONDS
        measured = measured_rate(answers, now, second) or measured_rate(answers, now, ten_seconds)
        if measured == 0.0:
            return _calm(learned, now, pause)
        return _calm(LearnedPace(BELOW_REFUSED * measured, measured), now, pause)
    pause = max(pause, learned.pause / 2)
    at_once = learned.at_once + 1 if now - learned.calm_since < AT_ONCE_SECONDS else 0
    window = _next_window(learned.window) if at_once > 1 else learned.window
    # The refused one is counted, too: at a slow pace there is little else.
    lately = measured_rate(answers, now, window) + 1.0 / window
    measured = min(learned.rate, max(lately, learned.rate * MOST_DECREASE))
    factor = AT_ONCE_AGAIN if at_once == 1 and lately >= 0.9 * learned.rate else BELOW_REFUSED
    try_after = learned.try_after
    if learned.rate > learned.refused:
        try_after = min(2.0 * try_after, LATEST_TRY_AFTER_SECONDS)
        if learned.rate <= TRY * learned.refused:
            # The try is refused, and what was kept before it was right.
            measured = min(measured, learned.refused)
    elif measured < 0.8 * learned.refused:
        try_after = FIRST_TRY_AFTER_SECONDS
    # With a longer window it may have been too few by far, and the limit be just below what was refused.
    most = learned.rate if at_once > 1 else measured
    lower = LearnedPace(factor * measured, most, window=window, at_once=at_once, try_after=try_after)
    return _calm(lower, now, pause)


def departed(learned: LearnedPace, now: float) -> LearnedPace:
    """A request left at this pace: it grows once enough have left without a 429, or after a long time."""
    requests = learned.requests + 1
    settled = learned.rate < 0.93 * learned.refused or learned.rate > learned.refused
    seconds = _trial_seconds(learned.window) if settled else learned.try_after
    used = requests >= max(_FEWEST_REQUESTS, learned.rate * seconds)
    if not used and now - learned.since < UNUSED * seconds:
        return learned._replace(requests=requests)
    rate = _higher(learned.rate, learned.refused, learned.window)
    if rate > FORGET_ABOVE * learned.refused:
        return LearnedPace(calm_since=learned.calm_since)
    return learned._replace(rate=rate, since=now, requests=0)


def at_once(answers: int) -> float:
    """How many requests of batches may be in flight while nothing is known, after so many answers and no 429.

    All that are in flight with the first 429 are refused, so it is better to meet it with few of them.
    """
    most = max(_FIRST_AT_ONCE, answers // _ANSWERS_FOR_ONE_MORE)
    return most if most < _ANY_NUMBER_AT_ONCE else math.inf


def measured_rate(answers: Sequence[float], now: float, window: float) -> float:
    """Answers a second within the window; within less, if only so many are known."""
    lately = sum(1 for _ in takewhile(lambda at: at > now - window, reversed(answers)))
    if lately < len(answers) or lately < KNOWN_ANSWERS:
        return lately / window
    return lately / max(now - answers[0], 1e-3)


def _higher(rate: float, refused: float, window: float) -> float:
    """The next pace: half the way back up to the refused rate, then a try above it, then in larger steps."""
    if rate < 0.93 * refused:
        half_way = math.sqrt(rate * refused) if window < WINDOWS_SECONDS[-1] else GROW * rate
        return min(half_way, BELOW_REFUSED * refused)
    return rate * (GROW if rate > refused else TRY)


def _calm(learned: LearnedPace, now: float, pause: float) -> LearnedPace:
    return learned._replace(since=now + pause, requests=0, calm_since=now + pause, pause=pause)


def _trial_seconds(window: float) -> float:
    """How long a pace must hold to be believed: some requests more than the window lets through at once."""
    return 2.0 * window + 3.0


def _next_window(window: float) -> float:
    return next((longer for longer in WINDOWS_SECONDS if longer > window), window)
