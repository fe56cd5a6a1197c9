"""The tasks that were rated a moment ago."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async.rating.ended import LatelyEnded


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 20)), max_size=60))
def test_those_of_a_job_are_those_that_going_through_all_would_find(rated: list) -> None:
    lately = LatelyEnded(30.0)
    everything: list[tuple[int, str, str]] = []
    now = 0
    for job, task, pause in rated:
        now += pause
        lately.add(f"job{job}", f"task{task}", float(now))
        everything.append((now, f"job{job}", f"task{task}"))
        for job_id in ("job0", "job1", "job2"):
            of_job = {name for at, of, name in everything if of == job_id and at >= now - 30}
            assert lately.of_job(job_id, float(now)) == of_job


def test_they_are_remembered_for_as_long_as_a_listing_may_lag() -> None:
    lately = LatelyEnded(30.0)
    lately.add("j", "a", now=0.0)
    lately.add("j", "b", now=20.0)
    lately.add("k", "c", now=31.0)
    assert lately.of_job("j", 31.0) == {"b"}
    assert lately.of_job("k", 31.0) == {"c"}


def test_memory_is_bounded_and_what_is_not_remembered_is_not_claimed() -> None:
    lately = LatelyEnded(30.0)
    for number in range(50_000):
        lately.add("j", f"t{number}", now=number / 10_000)
    assert len(lately) <= 16_384
    assert lately.of_job("j", 5.0) is None
    assert lately.of_job("j", 40.0) is not None
