"""What an answer tells of the service's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from picoworkers_async.service_clock import MOST_SECONDS, ServiceClock, time_at

DATE = "Thu, 01 Jan 2026 12:00:00 GMT"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_time_is_known_to_a_second_and_to_how_long_the_answer_took() -> None:
    span = time_at(100.0, {"date": DATE}, asked=100.0, received=102.0)
    assert span == (NOON - timedelta(seconds=2), NOON + timedelta(seconds=1))
    later = time_at(160.0, {"date": DATE}, asked=100.0, received=102.0)
    assert later == (NOON + timedelta(seconds=58), NOON + timedelta(seconds=61))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "noon"},
        {"date": "Thu, 99 Jan 2026 12:00:00 GMT"},
        {"date": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"date": DATE, "age": "60"},
        {"date": None},
    ],
    ids=str,
)
def test_without_a_date_of_its_own_the_time_is_not_known(headers) -> None:
    assert time_at(200.0, headers, asked=100.0, received=102.0) is None


def test_an_answer_that_took_long_does_not_take_the_place_of_one_that_came_soon(monkeypatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    clock = ServiceClock()
    assert clock.at(now) is None
    clock.saw({"date": DATE}, now)
    known = clock.at(now)
    assert known is not None
    now += MOST_SECONDS + 1
    clock.saw({"date": "Thu, 01 Jan 2026 13:00:00 GMT"}, 100.0)
    assert clock.at(100.0) == known


@pytest.mark.parametrize(
    ("here", "ahead"),
    [("12:00:00", 0.0), ("12:00:05", 2.0), ("11:59:58", -2.0), ("12:00:03", 0.0)],
)
def test_a_clock_is_only_called_wrong_by_what_is_certain(here: str, ahead: float) -> None:
    """The answer took 2 s, and its date has whole seconds: the service's time is within 3 s of 12:00:00."""
    clock = ServiceClock()
    assert clock.ahead(datetime(2026, 1, 1, tzinfo=UTC), 0.0) is None
    clock._answer = ({"date": "Thu, 01 Jan 2026 12:00:00 GMT"}, 10.0, 12.0)
    shown = datetime.fromisoformat(f"2026-01-01T{here}+00:00")
    assert clock.ahead(shown, 12.0) == ahead
