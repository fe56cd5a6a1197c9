"""Ratings that wait for a request of their job."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picoworkers_async import Rating
from picoworkers_async.rating.pending import PendingRating
from picoworkers_async.rating.queue import RatingQueue


def pending(job: str, task: str) -> PendingRating:
    return PendingRating(Rating(job, task, "ok"))


def filled(at_once: int, *ratings: tuple[str, str]) -> RatingQueue:
    queue = RatingQueue(at_once, 2)
    for job, task in ratings:
        queue.put(pending(job, task))
    return queue


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=60), st.integers(1, 7))
def test_all_that_waits_is_taken_once_and_in_order_and_no_task_twice_in_a_request(given: list, most: int) -> None:
    queue = RatingQueue(most, 2)
    pendings = [pending(f"job{job}", f"task{task}") for job, task in given]
    for one in pendings:
        queue.put(one)
    taken = []
    while queue.waiting:
        some = queue.take(part=True)
        names = [one.rating.task_id for one in some]
        assert 0 < len(names) <= most
        assert len(set(names)) == len(names)
        assert len({one.rating.job_id for one in some}) == 1
        queue.ended(some[0].rating.job_id)
        taken += some
    assert queue.take(part=True) == []
    assert queue.full == queue.parts() == 0
    assert len(taken) == len(set(map(id, taken))) == len(pendings)
    for job, task in set(given):
        same = [one for one in pendings if (one.rating.job_id, one.rating.task_id) == (f"job{job}", f"task{task}")]
        assert [one for one in taken if one in same] == same


def test_jobs_with_a_full_request_take_turns() -> None:
    queue = filled(2, *((job, str(number)) for job in "ab" for number in range(6)))
    jobs = [queue.take(part=False)[0].rating.job_id for _ in range(6)]
    assert jobs == ["a", "b", "a", "b", "a", "b"]


def test_a_smaller_request_waits_for_one_of_its_job_that_is_under_way_or_being_decided() -> None:
    queue = filled(3, *(("a", str(number)) for number in range(4)))
    assert (queue.full, queue.parts()) == (1, 1)
    queue.take(part=False)
    assert (queue.full, queue.parts()) == (0, 0)
    assert queue.take(part=True) == []
    queue.ended("a")
    queue.job("a").deciding += 1
    assert queue.parts() == 0
    queue.job("a").deciding -= 1
    assert (queue.parts(), len(queue.take(part=True))) == (1, 1)


def test_without_room_for_more_the_largest_leaves_as_it_is() -> None:
    queue = filled(10, *((f"job{number % 20}", str(number)) for number in range(40)), ("job7", "more"))
    assert not queue.has_room
    assert queue.full == 1
    assert queue.take(part=False)[0].rating.job_id == "job7"


def test_without_room_and_with_every_job_held_nothing_may_leave() -> None:
    queue = filled(10, *(("held", str(number)) for number in range(40)))
    queue.hold(queue.job("held"))
    assert not queue.has_room
    assert queue.full == 0


def test_a_group_is_sent_by_itself_and_a_job_that_is_held_sends_nothing() -> None:
    queue = filled(4, ("a", "x"))
    queue.put_group([pending("a", "p"), pending("a", "q")])
    job = queue.job("a")
    queue.hold(job)
    assert (queue.full, queue.take(part=True)) == (0, [])
    queue.release(job)
    assert [one.rating.task_id for one in queue.take(part=False)] == ["p", "q"]


def test_nothing_is_kept_of_a_job_that_is_done() -> None:
    queue = filled(1, ("a", "x"))
    queue.take(part=False)
    queue.ended("a")
    assert queue._jobs == queue._ready == {}
