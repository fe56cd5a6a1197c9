"""A pace that is learned from 429s."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Throttle
from picoworkers_async.sandbox.limiter import Limiter
from picoworkers_async.throttle import adaptive
from picoworkers_async.throttle.adaptive import LearnedPace
from tests.support.hidden_limits import Changing, Limit, NoLimit, Stray, Window, full_load

pytestmark = pytest.mark.story

in_virtual_time = pytest.mark.virtual_time


@pytest.mark.anyio
@in_virtual_time
@pytest.mark.parametrize("silent", [True, False], ids=["with a pause", "without"])
async def test_a_hidden_limit_of_20_a_second_is_used_and_its_429s_are_few(silent: bool) -> None:
    limit: Limit = Limiter(20, 10.0) if silent else Window(20, 1.0)
    load = await full_load(Throttle(8), limit, 600.0)
    assert load.share(20.0, until=600.0) >= 0.85
    assert load.refused <= 5


@pytest.mark.anyio
@in_virtual_time
async def test_one_caller_alone_is_told_429_five_times_at_most_in_ten_minutes() -> None:
    load = await full_load(Throttle(1), Limiter(20, 10.0), 600.0, (0.004, 0.005))
    assert load.refused <= 5
    assert load.share(20.0, until=600.0) >= 0.85


@pytest.mark.anyio
@in_virtual_time
@pytest.mark.parametrize(("rate", "seconds"), [(0.2, 1200.0), (1.0, 600.0), (5.0, 600.0), (100.0, 120.0)])
async def test_other_hidden_limits_are_learned_as_well(rate: float, seconds: float) -> None:
    throttle = Throttle(8)
    load = await full_load(throttle, Limiter(rate, 10.0), seconds)
    assert load.share(rate, until=seconds) >= 0.8
    assert load.pauses <= 8
    assert throttle.state().requests_per_second == pytest.approx(rate, rel=0.2)


@pytest.mark.anyio
@in_virtual_time
@pytest.mark.parametrize("per_minute", [60, 600])
async def test_a_limit_by_the_minute_is_told_from_one_by_the_second(per_minute: int) -> None:
    throttle = Throttle(8)
    load = await full_load(throttle, Window(per_minute, 60.0), 1200.0)
    assert load.share(per_minute / 60, since=600.0, until=1200.0) >= 0.85
    assert throttle.state().requests_per_second == pytest.approx(per_minute / 60, rel=0.2)


@pytest.mark.anyio
@in_virtual_time
async def test_latency_that_varies_costs_few_429s() -> None:
    load = await full_load(Throttle(8), Limiter(20, 10.0), 600.0, (0.02, 0.2))
    assert load.pauses <= 5
    assert load.share(20.0, until=600.0) >= 0.8


@pytest.mark.anyio
@in_virtual_time
@pytest.mark.parametrize(("before", "after"), [(20, 5), (5, 20)])
async def test_a_limit_that_changes_is_learned_anew(before: int, after: int) -> None:
    limit = Changing(Limiter(before, 10.0), 100.0, Limiter(after, 10.0))
    load = await full_load(Throttle(8), limit, 1200.0)
    assert load.share(after, since=900.0, until=1200.0) >= 0.8
    assert load.pauses <= 15


@pytest.mark.anyio
@in_virtual_time
async def test_without_a_limit_nothing_waits_after_the_first_second() -> None:
    throttle = Throttle(8)
    load = await full_load(throttle, NoLimit(), 20.0, (0.05, 0.05), callers=7)
    full = 7 / 0.05
    assert len(load.served) >= 20 * full - 55
    assert load.share(full, since=1.0, until=20.0) >= 0.999
    assert throttle.state().requests_per_second is None


@pytest.mark.anyio
@in_virtual_time
async def test_one_stray_429_is_forgotten_within_minutes() -> None:
    throttle = Throttle(8)
    load = await full_load(throttle, Stray(100.0), 900.0, (0.05, 0.05), callers=1)
    assert load.share(20.0, since=120.0, until=300.0) >= 0.85
    assert load.share(20.0, since=800.0, until=900.0) >= 0.99
    assert throttle.state().requests_per_second is None


@pytest.mark.anyio
@in_virtual_time
async def test_a_429_to_a_lone_request_teaches_no_pace() -> None:
    throttle = Throttle(8)
    (await throttle.acquire()).release()
    await throttle.too_many()
    assert throttle.state().cooldown_left == pytest.approx(10.0)
    assert throttle.state().requests_per_second is None


@pytest.mark.anyio
@in_virtual_time
async def test_a_given_pace_is_never_replaced_by_a_learned_one() -> None:
    throttle = Throttle(8, 100.0)
    await full_load(throttle, Limiter(20, 10.0), 60.0)
    kept = throttle.state().requests_per_second
    assert kept is not None
    assert kept >= 100.0 / 1.5


def test_those_on_the_wire_with_the_first_429_teach_nothing_more() -> None:
    answers = [0.05 * number for number in range(20)]
    once = adaptive.refused(LearnedPace(), 1.0, 10.0, answers)
    assert once.rate == pytest.approx(0.95 * 19, rel=0.06)
    assert adaptive.refused(once, 1.1, 10.0, answers) == once


def test_a_pause_that_was_too_short_is_doubled_and_says_nothing_about_the_pace() -> None:
    learned = adaptive.refused(LearnedPace(), 1.0, 10.0, [0.5])
    for pause in (20.0, 40.0, 80.0, 160.0, 300.0, 300.0):
        longer = adaptive.refused(learned, learned.calm_since, 10.0, [0.5], alone=True)
        assert longer.pause == pause
        assert longer.rate == learned.rate
        learned = longer


events = st.lists(
    st.tuples(st.floats(0.0, 500.0), st.sampled_from(["answered", "left", "429", "alone"])), max_size=80
)


@given(events, st.floats(0.0, 100.0))
def test_a_learned_pace_is_above_zero_and_below_what_was_just_refused(
    events: list[tuple[float, str]], pause: float
) -> None:
    learned, now, answers = LearnedPace(), 0.0, []
    for seconds, event in events:
        now += seconds
        before = learned
        if event == "answered":
            answers.append(now)
        elif event == "left":
            learned = adaptive.departed(learned, now)
            assert learned.rate == math.inf or learned.rate <= adaptive.FORGET_ABOVE * learned.refused
        else:
            learned = adaptive.refused(learned, now, pause, answers, alone=event == "alone")
            assert learned.rate <= before.rate
            if learned.rate != before.rate:
                assert learned.rate < before.rate
                assert learned.rate < learned.refused <= before.rate
            assert learned.calm_since >= now
        assert learned.rate > 0
        assert not math.isnan(learned.rate)
        assert learned.refused > 0
