"""The script in the server agrees with the arithmetic of the package."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from picoworkers_async.throttle import pacing as paces
from picoworkers_async.throttle.redis_pacer import _ARITHMETIC
from tests.support.valkey import Server

ACTIONS = ("reserve", "reserve", "depart", "depart", "again", "give_back", "pause", "widen")
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.floats(0, 3)), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory):
    """The script, with the time given to it."""
    folder: Path = tmp_path_factory.mktemp("valkey")
    server = Server(folder)
    server.start()
    client = redis.Redis.from_url(server.url)
    run = client.register_script("local now = tonumber(ARGV[7])" + _ARITHMETIC)
    numbers = itertools.count()

    def fresh():
        keys = [f"{{{next(numbers)}}}:pace", "clients"]

        def step(action: str, number: float, name: str, now: float, held: float = 0.0, until: float = 0.0):
            arguments = [action, number, name, "epoch", f"{held:.6f}", f"{until:.6f}", f"{now:.6f}"]
            return run(keys=keys, args=arguments)

        return step

    yield fresh
    client.close()
    server.stop()


@example([("widen", 0.0), ("reserve", 0.375), ("pause", 0.91015625), ("again", 0.0), ("again", 1.0)], 1.0)
@given(STEPS, st.sampled_from([0.02, 0.1, 1.0]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_script_gives_what_the_arithmetic_gives(
    script, steps: list[tuple[str, float]], interval: float
) -> None:
    step, now = script(), 1_000_000.0
    pace = paces.Pace(interval, now + interval, now + interval, margin_at=now, alone=paces.ALONE_SECONDS)
    # Each side is given back what it gave itself: times are rounded to microseconds in the server.
    slots: list[tuple[tuple[float, float], tuple[float, float]]] = []
    answer = step("depart", interval, "", now)
    pace, *held = paces.depart(pace, now)
    theirs = times(answer)
    assert theirs == pytest.approx(tuple(held), rel=0, abs=1e-5)
    for action, later in steps:
        now = round(now + later, 6)
        match action:
            case "reserve":
                pace, slot = paces.reserve(pace, now)
                expected, given_out = (slot, pace.next_slot), times(step(action, interval, "client", now))
                slots.append((expected, given_out))
            case "depart":
                pace, *held = paces.depart(pace, now)
                expected, given_out = tuple(held), times(step(action, interval, "", now))
                theirs = given_out
            case "again":
                pace, *held = paces.depart(pace, now, held=held[0], until=held[1])
                expected, given_out = tuple(held), times(step("depart", interval, "epoch", now, *theirs))
                theirs = given_out
            case "give_back":
                if slots:
                    mine, other = slots.pop()
                    pace = paces.give_back(pace, *mine)
                    step(action, 0.0, "epoch", now, *other)
                continue
            case _:
                seconds = later + 0.00037  # so that no two times are the same but for rounding
                step(action, seconds, "", now)
                pace = (paces.too_many if action == "widen" else paces.silence)(pace, now, seconds)
                continue
        assert given_out == pytest.approx(expected, rel=0, abs=1e-4)


def times(answer) -> tuple[float, float]:
    """The time that was given, and the one that follows."""
    return float(answer[1]), float(answer[2])
