"""The arithmetic of the pace."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async.throttle import pacing as paces


@given(st.integers(1, 20), st.floats(0, 3000))
def test_the_margin_grows_with_every_429_and_shrinks_slowly_after(times: int, later: float) -> None:
    state = paces.Pace(interval=1.0)
    margins = [paces.margin(state, 0.0)]
    for number in range(times):
        state = paces.too_many(state, number * 20.0, 10.0)
        margins.append(paces.margin(state, number * 20.0))
    assert all(after >= before for before, after in itertools.pairwise(margins))
    assert margins[1] > margins[0]
    assert paces.LEAST_MARGIN <= paces.margin(state, times * 20.0 + later) <= margins[-1] <= paces.MOST_MARGIN


def test_those_that_were_on_the_wire_with_the_first_429_widen_the_margin_no_further() -> None:
    once = paces.too_many(paces.Pace(interval=1.0), 0.0, 10.0)
    twice = paces.too_many(once, 1.0, 10.0)
    assert twice.margin == once.margin


@given(st.lists(st.floats(0, 100), max_size=50), st.floats(0.001, 10))
def test_no_two_slots_are_closer_than_the_interval(arrivals: list[float], interval: float) -> None:
    state, slots = paces.Pace(interval=interval), []
    for now in sorted(arrivals):
        state, slot = paces.reserve(state, now)
        assert slot >= now - paces.CATCH_UP_SECONDS
        slots.append(slot)
    assert all(later - earlier >= interval * (1 - 1e-9) for earlier, later in itertools.pairwise(slots))


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 5)), min_size=2, max_size=60), st.sampled_from([0.1, 1.0]))
def test_however_late_requests_leave_any_number_of_them_keeps_the_limit(
    requests: list[tuple[float, float]], interval: float
) -> None:
    """Each asks some time after the one before left, and is written some time after it was let go."""
    pace, now, written = paces.Pace(interval=interval), 0.0, []
    for pause, late in requests:
        now += pause
        due = paces.counted(pace.next_departure, now)
        now = max(now, due) + late
        written.append(now)
        pace = paces.departed(pace, due, now)
    for (first, early), (last, late_one) in itertools.combinations(enumerate(written), 2):
        assert late_one - early >= (last - first) * interval * 1.02 - paces.CATCH_UP_SECONDS - 1e-6


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=40), st.sampled_from([0.02, 0.1, 1.0]))
def test_departures_that_several_take_keep_their_distance_and_are_used_in_time_or_not_at_all(
    delays: list[float], interval: float
) -> None:
    """Four clients ask when they get to it; each leaves only while its departure is fresh."""
    pace, left = paces.Pace(interval=interval), []
    asks: list[tuple[float, int, tuple[float, float] | None]] = [(0.0, client, None) for client in range(4)]
    for delay in itertools.islice(itertools.cycle(delays), 120):
        now, client, held = min(asks, key=lambda ask: (ask[0], ask[1]))
        asks.remove((now, client, held))
        at, until = held or (None, None)
        pace, at, until = paces.depart(pace, now, held=at, until=until)
        if at <= now:
            assert now - at <= paces.STALE_AFTER_SECONDS
            left.append(now)
            asks.append((now + delay, client, None))
        else:
            asks.append((at + (delay if delay > 0.25 else 0.0), client, (at, until)))
    for earlier, later in itertools.pairwise(left):
        assert later - earlier >= interval * 1.02 - paces.STALE_AFTER_SECONDS - 1e-9


def test_a_departure_that_was_missed_is_not_lost_if_nobody_took_a_later_one() -> None:
    pace, at, until = paces.depart(paces.Pace(interval=1.0, next_departure=5.0), 4.5, held=4.4, until=4.4)
    assert (at, until) == (5.0, 6.02)
    pace, at, until = paces.depart(pace, 5.2, held=at, until=until)
    assert (at, until) == (pytest.approx(5.197), pytest.approx(6.217))


def test_a_request_that_is_too_early_takes_nothing_at_first_and_has_a_departure_kept_the_second_time() -> None:
    began = paces.Pace(interval=1.0, next_departure=5.0)
    pace, at, until = paces.depart(began, 4.5)
    assert (pace, at, until) == (began, 5.0, 5.0)
    pace, _, _ = paces.depart(pace, 5.0)
    pace, at, until = paces.depart(pace, 5.0, held=at, until=until)
    assert (at, until) == (6.02, pace.next_departure)
    assert until == pytest.approx(7.04)
    assert paces.depart(pace, 6.021, held=at, until=until) == (pace, at, until)


def test_a_departure_that_falls_into_a_pause_is_put_off() -> None:
    pace, at, until = paces.depart(paces.Pace(interval=1.0, next_departure=5.0), 4.5, held=4.4, until=4.4)
    pace = paces.too_many(pace, 4.8, 10.0)
    _, at, _ = paces.depart(pace, 5.0, held=at, until=until)
    assert at == pytest.approx(14.8)


@pytest.mark.parametrize(
    ("retry_after", "cooldown", "seconds"),
    [
        (None, 10.0, 10.0),
        (0.0, 10.0, 10.0),
        (2.0, 10.0, 10.0),
        (30.0, 10.0, 30.0),
        (315_360_000.0, 10.0, 3600.0),
        (315_360_000.0, 7200.0, 7200.0),
        (math.inf, 10.0, 3600.0),
        (math.nan, 10.0, 10.0),
        (-5.0, 0.0, 0.0),
    ],
)
def test_a_429_asks_for_a_pause_of_at_least_the_cooldown_and_at_most_an_hour(
    retry_after: float | None, cooldown: float, seconds: float
) -> None:
    assert paces.pause_seconds(retry_after, cooldown) == seconds
