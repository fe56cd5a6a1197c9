"""When ratings of unknown fate are looked for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Rating
from picoworkers_async.rating.pending import PendingRating
from picoworkers_async.rating.reconcile import Reconciler

SETTLE_AFTER = 30.0


class PlainReconciler:
    """The same, as simple as can be, and slow: each question goes through everything."""

    def __init__(self, at_once: int | None) -> None:
        self.at_once = at_once
        self.parked: list[PendingRating] = []

    def times(self) -> tuple[float, float]:
        due = min((one.look_at for one in self.parked), default=math.inf)
        overdue = min((max(one.look_at, one.ended_at + SETTLE_AFTER) for one in self.parked), default=math.inf)
        return due, overdue

    def next_jobs(self, now: float) -> set[str]:
        """The jobs of which one is next; several, if they wait equally long."""
        first = min((one.look_at for one in self.parked), default=math.inf)
        return {one.rating.job_id for one in self.parked if one.look_at == first <= now}

    def take(self, job_id: str) -> list[PendingRating]:
        of_job = sorted((one for one in self.parked if one.rating.job_id == job_id), key=lambda one: one.look_at)
        taken = of_job[: self.at_once]
        self.parked = [one for one in self.parked if one not in taken]
        return taken


STEPS = st.one_of(
    st.tuples(st.just("park"), st.integers(0, 3), st.floats(0.0, 60.0)),
    st.tuples(st.just("take"), st.floats(0.0, 60.0)),
    st.tuples(st.just("give back"), st.floats(0.0, 90.0)),
    st.tuples(st.just("wait"), st.floats(0.0, 30.0)),
)


@given(st.lists(STEPS, max_size=60), st.sampled_from([None, 1, 3]))
def test_looks_are_due_and_taken_as_going_through_everything_would_say(steps: list, at_once: int | None) -> None:
    reconciler = Reconciler(settle_after=SETTLE_AFTER, at_once=at_once)
    plain = PlainReconciler(at_once)
    now = 100.0
    looked_for: list[PendingRating] = []
    for number, step in enumerate(steps):
        if step[0] == "park":
            pending = PendingRating(Rating(f"job{step[1]}", f"task{number}", "ok"))
            reconciler.park(pending, now - step[2])
            plain.parked.append(pending)
        elif step[0] == "take":
            taken = reconciler.take(now)
            jobs = plain.next_jobs(now)
            assert bool(taken) == bool(jobs)
            if taken:
                assert taken[0].rating.job_id in jobs
                assert taken == plain.take(taken[0].rating.job_id)
            looked_for += taken
        elif step[0] == "give back":
            for pending in looked_for:
                pending.look_at = now + step[1]
            reconciler.give_back(looked_for)
            plain.parked += looked_for
            looked_for = []
        else:
            now += step[1]
        due, overdue = plain.times()
        assert len(reconciler) == len(plain.parked)
        assert (reconciler.due(now), reconciler.overdue(now)) == (due <= now, overdue <= now)
        changes = [time for time in (due, overdue) if now < time < math.inf]
        assert reconciler.next_change(now) == min(changes, default=None)
    assert set(map(id, reconciler.drain())) == set(map(id, plain.parked))
    assert (len(reconciler), reconciler.take(1e9)) == (0, [])


@pytest.mark.parametrize("at_once", [None, 50])
def test_all_that_wait_are_looked_for_once_each(at_once: int | None) -> None:
    reconciler = Reconciler(settle_after=SETTLE_AFTER, at_once=at_once)
    parked = [PendingRating(Rating(f"job{number % 7}", f"task{number}", "ok")) for number in range(1000)]
    for number, pending in enumerate(parked):
        reconciler.park(pending, float(number))
    taken = []
    while some := reconciler.take(1000.0):
        assert len({one.rating.job_id for one in some}) == 1
        assert len(some) <= (at_once or 1000)
        taken += some
    assert sorted(map(id, taken)) == sorted(map(id, parked))
    assert not reconciler.due(1e9)
